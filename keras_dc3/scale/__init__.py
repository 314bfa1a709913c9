"""More images than fit into memory, judged by an exported model.

`score` writes proposals as it goes, goes on where it was stopped, and says what limits
it. TensorFlow runs the model; nothing of the training is needed. `Scores` are these
proposals, for summary, groups and what to ask next, without TensorFlow.
"""

from keras_dc3.scale.scores import Scores
from keras_dc3.scale.scoring import score
from keras_dc3.scale.summary import ScoreSummary

__all__ = ["ScoreSummary", "Scores", "score"]
