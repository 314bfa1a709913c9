"""DC3 on CIFAR-10H: 10,000 images with about 51 human answers each.

    python examples/cifar10h.py --data_dir data

The folder holds `cifar10h.npz`, or the counts of CIFAR-10H (`cifar10h-counts.npy`) to
be joined with the images of TFDS' `cifar10`; `keras_dc3.datasets.cifar10h` says more.
The split is the paper's: 1,600 labeled images with one sampled hard label each
(`--labels soft` takes all answers), 6,400 unlabeled ones, 2,000 to validate on.
With `--workers` several machines train together.
"""

import runner
from absl import app, flags

import keras_dc3

FLAGS = flags.FLAGS
flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_enum(
    "backbone",
    "small_cnn",
    ["small_cnn", "wide_resnet"],
    "small_cnn trains in minutes on a CPU, wide_resnet is the paper's network.",
)
runner.define_flags(output="output/cifar10h", epochs=16, learning_rate=0.1)
runner.define_labels("sampled")
runner.define_workers()


def main(argv: list[str]) -> None:
    """Runs the example."""
    del argv
    strategy = runner.workers_strategy()  # before anything else of TensorFlow
    data = keras_dc3.datasets.load(
        "cifar10h",
        data_dir=FLAGS.data_dir,
        seed=FLAGS.seed,
        batch_size=FLAGS.batch_size,
        labels=FLAGS.labels,
    )
    make = getattr(keras_dc3.backbones, FLAGS.backbone)
    runner.run(
        data,
        lambda: make(data.image_shape, bn_momentum=0.99),
        "CIFAR-10H (Peterson et al., 2019), split as in the DC3 paper.",
        strategy,
    )


if __name__ == "__main__":
    app.run(main)
