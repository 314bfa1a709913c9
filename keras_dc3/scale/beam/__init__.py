"""Images judged by an exported model on many machines, as an Apache Beam pipeline.

`score` is `keras_dc3.scale.score` on any runner of Beam. Import it by its own name, as
it needs Apache Beam (extra `beam`).
"""

from keras_dc3.scale.beam.scoring import score

__all__ = ["score"]
