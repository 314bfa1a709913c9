"""What the examples on the paper's data sets share: the authors' settings."""

from __future__ import annotations

from collections.abc import Callable

import runner
from absl import flags

import keras_dc3

FLAGS = flags.FLAGS
flags.disclaim_key_flags()  # `--help` of an example lists those defined here for it
_STEPS = 128  # of an epoch


def example(
    name: str,
    title: str,
    *,
    steps: int = 16_384,
    batch_size: int = 64,
    filters: int = 32,
) -> Callable[[list[str]], None]:
    """Defines the flags of an example, and returns its `main`.

    Args:
        name: of the data set.
        title: what it is called where it is printed.
        steps: the authors' steps of a training.
        batch_size: the paper's labeled images per batch.
        filters: of the first scale of the wide residual network.
    """
    flags.DEFINE_string(
        "data_dir", None, "Folder of the data; default $KERAS_DC3_DATA."
    )
    flags.DEFINE_enum(
        "backbone",
        "wide_resnet",
        ["wide_resnet", "small_cnn"],
        "wide_resnet is the paper's network and wants a GPU; small_cnn trains on a CPU "
        "(with --epochs=20 --learning_rate=0.1 --ema_decay=0.99).",
    )
    runner.define_flags(
        output=f"output/{name}",
        epochs=steps // _STEPS,
        learning_rate=0.01,
        ema_decay=0.999,
    )
    runner.define_labels("sampled")
    FLAGS.set_default("steps_per_epoch", _STEPS)
    FLAGS.set_default("batch_size", batch_size)

    def main(argv: list[str]) -> None:
        """Loads, describes and trains on the data set, as the flags say."""
        del argv
        data = keras_dc3.datasets.load(
            name,
            data_dir=FLAGS.data_dir,
            seed=FLAGS.seed,
            batch_size=FLAGS.batch_size,
            labels=FLAGS.labels,
        )
        keras_dc3.datasets.describe(data)
        make, sizes = getattr(keras_dc3.backbones, FLAGS.backbone), {}
        if FLAGS.backbone == "wide_resnet":
            sizes["filters"] = filters
        told = f"\n{title}, with the settings of the DC3 paper."
        runner.run(data, lambda: make(data.image_shape, **sizes), told)

    return main
