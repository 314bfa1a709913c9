"""How fast annotations are read: 150,000 answers of CIFAR-10N, and a made-up million.

    python benchmarks/annotations.py --data_dir data \
        --output benchmarks/results/annotations.json

Beside it what pandas takes to read the same file and count it. Both take turns;
medians, in seconds.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import record
from absl import app, flags

import keras_dc3

FLAGS = flags.FLAGS
flags.DEFINE_string("data_dir", None, "Folder of cifar10n_annotations.csv.gz.")
flags.DEFINE_integer("rows", 1_000_000, "Answers that are made up.", lower_bound=1)
flags.DEFINE_integer("turns", 5, "Measured turns.", lower_bound=1)
flags.DEFINE_string("output", None, "JSON file for the result.")


def write_answers(path: Path, rows: int) -> None:
    """Writes a table of answers by 1,000 people on a tenth as many images."""
    rng = np.random.default_rng(0)
    images, people = (
        rng.integers(0, max(1, rows // 10), rows),
        rng.integers(0, 1000, rows),
    )
    labels = rng.choice(["cod", "eel", "haddock", "neither"], rows)
    with open(path, "w", encoding="utf-8") as file:
        file.write("image,annotator,label\n")
        for image, person, label in zip(images, people, labels, strict=True):
            file.write(f"fish/{image:07d}.png,p{person},{label}\n")


def ours(path: Path) -> int:
    """Reads with `Annotations`; returns the answers."""
    return int(keras_dc3.Annotations.from_csv(path, repeated="last").counts.sum())


def with_pandas(path: Path) -> int:
    """Reads and counts with pandas, the last answer of a person to an image."""
    frame = pd.read_csv(path, dtype={"image": str, "annotator": str, "label": str})
    frame = frame.drop_duplicates(["image", "annotator"], keep="last")
    return int(frame.groupby(["image", "label"]).size().sum())


def compare(path: Path) -> dict[str, Any]:
    """Returns the seconds of both, in turns."""
    seconds: dict[str, list[float]] = {"keras_dc3": [], "pandas": []}
    answers = {}
    for _ in range(FLAGS.turns):
        for name, read in (("keras_dc3", ours), ("pandas", with_pandas)):
            start = time.perf_counter()
            answers[name] = read(path)
            seconds[name].append(time.perf_counter() - start)
    if len(set(answers.values())) != 1:
        raise AssertionError(f"{path} was counted differently: {answers}")
    return {
        "answers": answers["pandas"],
        "seconds": {name: statistics.median(s) for name, s in seconds.items()},
        "all_seconds": seconds,
    }


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    folder = FLAGS.data_dir or os.environ.get("KERAS_DC3_DATA", "data")
    results = {}
    with tempfile.TemporaryDirectory() as temporary:
        made_up = Path(temporary) / "answers.csv"
        write_answers(made_up, FLAGS.rows)
        for name, path in (
            ("CIFAR-10N", Path(folder) / "cifar10n_annotations.csv.gz"),
            (f"made up, {FLAGS.rows:,} rows", made_up),
        ):
            results[name] = compare(path)
            times = ", ".join(
                f"{k} {v:.2f} s" for k, v in results[name]["seconds"].items()
            )
            print(f"{name}: {results[name]['answers']:,} answers; {times}")
    if FLAGS.output:
        settings = {"turns": FLAGS.turns, "rows": FLAGS.rows}
        record.write(FLAGS.output, results, settings, ("pandas",))


if __name__ == "__main__":
    app.run(main)
