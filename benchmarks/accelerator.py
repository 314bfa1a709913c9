"""Training steps on an accelerator: batches, precisions, DC3 against vanilla.

    KERAS_BACKEND=jax python benchmarks/accelerator.py \
        --output benchmarks/results/accelerator.json

One process trains, for each cell, the same network on the same random images with
`DC3Config.vanilla()` ("vanilla") and with `DC3Config()` ("dc3"), in turns, by `fit` on
batches in the memory of the host, as a user would. `--precisions` are dtype policies of
Keras. The figures are medians over the turns, after one that is not measured (it
compiles). What is measured is written cell by cell: cells that the file has are left
out, and after `--minutes` nothing new begins, so that the same command goes on. Runs
wherever Keras does, on a CPU with smaller settings.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import record
from absl import app, flags

import keras_dc3

FLAGS = flags.FLAGS
CONFIGS = {
    "vanilla": keras_dc3.DC3Config.vanilla(),
    "dc3": keras_dc3.DC3Config(),
}

flags.DEFINE_list("strategies", ["mean_teacher", "fixmatch"], "Which strategies.")
flags.DEFINE_list(
    "batches", ["64", "256", "1024"], "Labeled images, and as many others."
)
flags.DEFINE_list("precisions", ["mixed_bfloat16", "float32"], "Which dtype policies.")
flags.DEFINE_string("backbone", "wide_resnet", "A function of keras_dc3.backbones.")
flags.DEFINE_integer("size", 32, "Height and width of the images.")
flags.DEFINE_integer("turns", 5, "Measured turns of each variant.", lower_bound=3)
flags.DEFINE_integer("steps", 20, "Steps of a turn.", lower_bound=1)
flags.DEFINE_float("minutes", 7.0, "After which no cell begins.")
flags.DEFINE_string("output", None, "JSON file for the result.", required=True)
# What the figures depend on, beside the cells.
SETTINGS = ("backbone", "size", "turns", "steps")


class Repeated(keras.utils.PyDataset):
    """One batch of random images, so many times."""

    def __init__(self, views: tuple[str, ...], batch: int):
        super().__init__()
        rng = np.random.default_rng(0)
        shape = (batch, FLAGS.size, FLAGS.size, 3)

        def images() -> np.ndarray:
            return rng.integers(0, 256, shape).astype("uint8")

        unlabeled = {view: images() for view in views}
        x = {"labeled": images(), "unlabeled": unlabeled}
        self.batch = x, rng.integers(0, 10, batch)

    def __len__(self) -> int:
        return FLAGS.steps

    def __getitem__(self, index: int) -> Any:
        return self.batch


def measure(ssl: str, batch: int, precision: str) -> dict[str, Any]:
    """Returns seconds per step of both variants, and their ratio."""
    models = {}
    for name, config in CONFIGS.items():
        keras.utils.set_random_seed(0)
        backbone = getattr(keras_dc3.backbones, FLAGS.backbone)
        options = {"num_classes": 10, "config": config, "dtype": precision}
        models[name] = keras_dc3.DC3Model(
            backbone((FLAGS.size, FLAGS.size, 3)), ssl=ssl, **options
        )
        models[name].plan_for(FLAGS.steps * (FLAGS.turns + 1))
    data = Repeated(models["dc3"].ssl.views, batch)
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(FLAGS.turns + 1):
        for name, model in sorted(models.items(), reverse=bool(turn % 2)):
            start = time.perf_counter()
            model.fit(data, initial_epoch=turn, epochs=turn + 1, verbose=0)
            if turn:  # the first one compiles
                seconds[name].append((time.perf_counter() - start) / FLAGS.steps)
    ratios = [
        one / other
        for one, other in zip(seconds["dc3"], seconds["vanilla"], strict=True)
    ]
    return {
        **{name: statistics.median(values) for name, values in seconds.items()},
        "dc3_to_vanilla": statistics.median(ratios),
        "images_per_second": 2 * batch / statistics.median(seconds["dc3"]),
        "all_seconds": seconds,
    }


def device() -> str:
    """Returns what the backend trains on, in its own words."""
    if keras.backend.backend() == "jax":
        import jax

        return f"{jax.devices()[0].device_kind} (JAX)"
    devices = keras.distribution.list_devices() or ["CPU"]
    return f"{devices[0]} ({keras.backend.backend()})"


def main(argv: list[str]) -> None:
    begun = time.monotonic()
    settings = {name: FLAGS[name].value for name in SETTINGS} | {"device": device()}
    results: dict[str, Any] = {}
    if Path(FLAGS.output).exists():
        known = json.loads(Path(FLAGS.output).read_text("utf-8"))
        if known["settings"] != settings:
            raise app.UsageError(
                f"{FLAGS.output} was made with {known['settings']}, not {settings}: "
                "take another file."
            )
        results = known["results"]
    cells = itertools.product(
        FLAGS.precisions, map(int, FLAGS.batches), FLAGS.strategies
    )
    for precision, batch, ssl in cells:
        name = f"{ssl}/{batch}/{precision}"
        if name in results:
            continue
        if time.monotonic() - begun > 60 * FLAGS.minutes:
            print("The time is over: the same command goes on.")
            break
        results[name] = measure(ssl, batch, precision)
        packages = (
            "keras",
            *{"jax", "tensorflow", "torch"} & {keras.backend.backend()},
        )
        record.write(FLAGS.output, results, settings, packages)
        found = results[name]
        print(
            f"{name}: {1000 * found['dc3']:.1f} ms a step, "
            f"{found['dc3_to_vanilla']:.2f} of vanilla, "
            f"{found['images_per_second']:,.0f} images/s",
            flush=True,
        )


if __name__ == "__main__":
    app.run(main)
