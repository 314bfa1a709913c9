"""Which small network learns most in the same CPU time?

    python benchmarks/networks.py --data_dir data --output \
        benchmarks/results/networks.json

Trains Mean-Teacher with DC3 from pixels (see pixel_training.py) on one core. How many
steps a network gets follows from what its step costs, measured first: all get the same
CPU time, in float32; what a step costs in `mixed_bfloat16` is measured beside it. Runs
that the output file has are not trained again.
"""

from __future__ import annotations

import functools
import itertools
import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_NUM_INTRAOP_THREADS", "1")
os.environ.setdefault("TF_NUM_INTEROP_THREADS", "1")

import keras
import pixel_training
import record
from absl import app, flags

import keras_dc3

FLAGS = flags.FLAGS
LABELED, UNLABELED, ANSWERS = 1600, 1400, 3
MEASURED = 15  # steps
HALF = "mixed_bfloat16"


def residual(
    image_shape: tuple[int, int, int],
    width: int = 16,
    blocks: int = 1,
    strided: bool = True,
    activation: str = "relu",
) -> keras.Model:
    """Returns a residual network of three stages, each twice as wide as the last.

    Args:
        image_shape: (height, width, channels).
        width: filters of the first stage.
        blocks: of each stage, two convolutions each.
        strided: whether the first convolution is a 4x4 one that halves the image.
        activation: of all.
    """
    layers = keras.layers

    def conv(x: Any, filters: int, size: int = 3, strides: int = 1) -> Any:
        x = layers.Conv2D(
            filters, size, strides=strides, padding="same", use_bias=False
        )(x)
        return layers.BatchNormalization(momentum=0.99)(x)

    def activate(x: Any) -> Any:
        return layers.Activation(activation)(x)

    images = keras.Input(image_shape)
    size, strides = (4, 2) if strided else (3, 1)
    x = activate(conv(images, width, size, strides))
    for stage in range(3):
        filters = width << stage
        for block in range(blocks):
            strides = 2 if stage and not block else 1
            y = conv(activate(conv(x, filters, strides=strides)), filters)
            if x.shape[-1] != filters or strides != 1:
                x = conv(x, filters, 1, strides)
            x = activate(layers.Add()([x, y]))
    return keras.Model(images, layers.GlobalAveragePooling2D()(x))


NETWORKS = {
    "small_cnn, 24 filters": functools.partial(
        keras_dc3.backbones.small_cnn, filters=24
    ),
    "small_cnn, 16 filters": functools.partial(
        keras_dc3.backbones.small_cnn, filters=16
    ),
    "small_cnn, 32 filters": functools.partial(
        keras_dc3.backbones.small_cnn, filters=32
    ),
    "residual, 16 filters, strided": residual,
    "residual, 32 filters, strided": functools.partial(residual, width=32),
    "residual, 32 filters, strided, SiLU": functools.partial(
        residual, width=32, activation="silu"
    ),
    "residual, 16 filters": functools.partial(residual, strided=False),
    "residual, 16 filters, strided, 2 blocks": functools.partial(residual, blocks=2),
}

flags.DEFINE_string("data_dir", "data", "Folder of the data sets.")
flags.DEFINE_list("datasets", ["cifar10h", "fashionmnist_h"], "The data sets.")
flags.DEFINE_list("networks", None, "By number, from 0; default: all.")
flags.DEFINE_list("seconds", ["60"], "CPU time of a training.")
flags.DEFINE_integer("seeds", 1, "Trainings of each cell.", lower_bound=1)
flags.DEFINE_string("output", None, "JSON file for the result.", required=True)


def cost(name: str, data: Any, dtype: str) -> float:
    """Returns the CPU seconds of a step of a network."""
    keras.config.set_dtype_policy(dtype)
    _, seconds = pixel_training.train(data, NETWORKS[name], MEASURED, seed=0)
    keras.config.set_dtype_policy("float32")
    return seconds


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    results: dict[str, list[dict[str, Any]]] = {"costs": [], "runs": []}
    if os.path.exists(FLAGS.output):
        results = json.loads(Path(FLAGS.output).read_text("utf-8"))["results"]
    settings = {"labeled": LABELED, "unlabeled": UNLABELED, "answers": ANSWERS}
    names = list(NETWORKS)
    if FLAGS.networks:
        names = [names[int(number)] for number in FLAGS.networks]
    seeds = range(1, FLAGS.seeds + 1)

    def keep(kind: str, line: dict[str, Any]) -> None:
        results[kind].append(line)
        record.write(FLAGS.output, results, settings, ("keras", "tensorflow"), 1)
        print(line, flush=True)

    for seed, dataset, seconds, name in itertools.product(
        seeds, FLAGS.datasets, map(float, FLAGS.seconds), names
    ):
        cell = {"set": dataset, "network": name, "seconds": seconds, "seed": seed}
        if any(cell.items() <= run.items() for run in results["runs"]):
            continue
        data = pixel_training.split(
            dataset, FLAGS.data_dir, LABELED, UNLABELED, ANSWERS, seed
        )
        kind = {"set": dataset, "network": name}
        found = [c["cost"] for c in results["costs"] if kind.items() <= c.items()]
        if not found:
            costs = {"cost": cost(name, data, "float32"), HALF: cost(name, data, HALF)}
            keep("costs", kind | costs)
            found = [results["costs"][-1]["cost"]]
        steps = max(round(seconds / found[0]), 1)
        model, spent = pixel_training.train(data, NETWORKS[name], steps, seed)
        measured = {"steps": steps, "cost": spent}
        keep("runs", cell | measured | pixel_training.scores(model, data))
        keras.backend.clear_session()


if __name__ == "__main__":
    app.run(main)
