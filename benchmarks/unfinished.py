"""What runs had reached that were stopped before their end, read from their logs.

    python benchmarks/unfinished.py --study benchmarks/results/paper-cifar10h \
        --device "NVIDIA H200" --output benchmarks/results/unfinished.json

A study records a run when it is finished. Where a machine is lent for a fixed time, the
logs still tell the validation scores of every epoch that was completed.
"""

from __future__ import annotations

import datetime
import re
import statistics
import sys
from pathlib import Path
from typing import Any

from absl import app, flags

from keras_dc3.experiments.records import read_json, write_json

FLAGS = flags.FLAGS
flags.DEFINE_string("study", None, "Folder of the study.", required=True)
flags.DEFINE_string("output", None, "JSON file to write.", required=True)
flags.DEFINE_string("device", None, "What the runs were trained on.", required=True)
flags.DEFINE_string("versions", "", "Of the packages there, as name=version,...")
flags.DEFINE_string("date", None, "Of the runs; default: today.")
_STEP = re.compile(r"(\d+)(ms|s)/step")
_VALUE = re.compile(r"(\w+): ([-+.\de]+|nan|inf)")


def read_log(path: Path) -> list[dict[str, float]]:
    """Returns what Keras printed at the end of each epoch, epochs counted from 1."""
    lines = path.read_text(encoding="utf-8").splitlines()
    ends = [line for line in lines if "/step - " in line]
    return [
        {
            "epoch": i + 1,
            "ms_per_step": _milliseconds(line),
            **{name: float(v) for name, v in _VALUE.findall(line)},
        }
        for i, line in enumerate(ends)
    ]


def _milliseconds(line: str) -> float:
    number, unit = _STEP.search(line).groups()
    return float(number) * (1000 if unit == "s" else 1)


def validated(epochs: list[dict[str, float]]) -> dict[str, list[float]]:
    """Returns score -> values of the epochs that ended with a validation."""
    kept = [epoch for epoch in epochs if "val_f1" in epoch]
    if not kept:
        return {"epoch": []}
    names = ["epoch", *(name for name in kept[0] if name.startswith("val_"))]
    return {name: [epoch[name] for epoch in kept] for name in names}


def main(argv: list[str]) -> None:
    """Writes the scores of all logs of a study."""
    del argv
    study = Path(FLAGS.study)
    manifest = read_json(study / "study.json")
    cells: dict[str, Any] = {}
    for path in sorted((study / "cells").glob("*.log")):
        epochs = read_log(path)
        cells[path.stem] = {
            "epochs": len(epochs),
            "median_ms_per_step": statistics.median(e["ms_per_step"] for e in epochs),
            "history": validated(epochs),
        }
    content = {
        "command": " ".join(["python", *sys.argv]),
        "device": FLAGS.device,
        "versions": dict(pair.split("=") for pair in FLAGS.versions.split(",") if pair),
        "date": FLAGS.date or datetime.date.today().isoformat(),
        "planned_epochs": manifest["epochs"],
        "steps_per_epoch": manifest["steps_per_epoch"],
        "cells": cells,
    }
    write_json(FLAGS.output, content)
    print(f"{len(cells)} runs written to {FLAGS.output}.")


if __name__ == "__main__":
    app.run(main)
