"""The whole path in minutes, on handwritten digits made ambiguous.

    python examples/quickstart.py

A demonstration: the digits are real (they ship with scikit-learn), their ambiguity and
their annotators are made up, in the way `keras_dc3.datasets.digits` documents. It
trains on the labeled images alone, a Mean-Teacher alone and one with DC3, prints the
verdict and their scores, and writes proposals, a picture of them, and the model.
"""

import runner
from absl import app, flags

import keras_dc3

FLAGS = flags.FLAGS
runner.define_flags(
    output="output/quickstart", epochs=20, learning_rate=0.1, supervised=True
)
runner.define_labels("sampled")


def main(argv: list[str]) -> None:
    """Runs the example."""
    del argv
    data = keras_dc3.datasets.load("digits", seed=FLAGS.seed, labels=FLAGS.labels)
    data.batch_size = FLAGS.batch_size
    runner.run(
        data,
        lambda: keras_dc3.backbones.small_cnn(data.image_shape),
        "A demonstration: real digits, ambiguity and annotators made up.",
    )


if __name__ == "__main__":
    app.run(main)
