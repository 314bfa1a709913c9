"""The end of a run: the table of images without a row, and that it is finished."""

from __future__ import annotations

import csv
import json
import os

from keras_dc3._formulas import escaped
from keras_dc3._writing import whole_file
from keras_dc3.proposals import shards
from keras_dc3.scale.summary import ScoreSummary

FAILED = "failed.csv"


def begin_summary(folder: str) -> ScoreSummary:
    """Returns the summary of a run in a folder, of which no shard is known yet."""
    return ScoreSummary(folder, os.path.join(folder, FAILED))


def conclude(summary: ScoreSummary, run: str) -> None:
    """Writes the table of failed images, and that the run is finished.

    Args:
        summary: of all shards of its folder.
        run: the fingerprint of the run.

    Raises:
        ValueError: if there was no image.
        OSError: if they cannot be written.
    """
    if not summary.images:
        raise ValueError("There is no image to score: the source is empty.")
    with whole_file(summary.failed_file, encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["id", "reason"])
        for number in range(summary.shards):
            path = os.path.join(summary.folder, shards.name_of(number))
            for row in shards.look_into(path).failed:
                table.writerow(map(escaped, row))
    kept = {"run": run}
    for name in ("shards", "images", "certain", "ambiguous", "failed"):
        kept[name] = getattr(summary, name)
    path = os.path.join(summary.folder, shards.SUMMARY)
    with whole_file(path, encoding="utf-8") as file:
        json.dump(kept, file, indent=2)
