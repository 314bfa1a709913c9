"""What a study shows: best run, mean and spread, and whether it helped."""

from __future__ import annotations

import json
import math
import os
import textwrap
from typing import Any

import numpy as np

from keras_dc3 import metrics
from keras_dc3.experiments.comparison import check_comparable, helped, is_vanilla
from keras_dc3.experiments.records import Cell, StudyFolder, plain, write_json
from keras_dc3.experiments.scores import score_outputs

_SHOWN = (
    "f1",
    "f1_confident",
    "f1_confident_reference",
    "d",
    "d_size_weighted",
    "d_class",
    "d_k_means",
    "d_shuffled",
    "d_minus_f1",
    "ambiguous",
    "f1_constant_majority",
    "accuracy",
    "auroc_ambiguity",
    "auroc_softmax",
    "auroc_entropy",
    "auroc_margin",
    "auroc_label_quality",
)


class Summary:
    """The scores of all finished cells of a study.

    Attributes:
        content: plain values, as written to `summary.json`:
            `content["rows"][strategy][config]` holds `seeds`; `scores`, a list per
            score in the order of the seeds; `mean` and `std` of each over all runs
            (sample standard deviation); `best_seed`, by the smallest d - F1 among the
            runs that are not degenerated, None without any; and the number
            `degenerated`. `content["helped"]` holds a sentence per strategy and
            config on the unlabeled images, `content["failed"]` name -> error.
    """

    def __init__(self, content: dict[str, Any]):
        self.content = content

    @property
    def helped(self) -> list[str]:
        """Sentences on whether the unlabeled images helped."""
        return self.content["helped"]

    def best(self, strategy: str, config: str) -> dict[str, Any] | None:
        """Returns the scores of the best run; None if all are degenerated."""
        row = self.content["rows"][strategy][config]
        if row["best_seed"] is None:
            return None
        at = row["seeds"].index(row["best_seed"])
        return {name: values[at] for name, values in row["scores"].items()}

    def __str__(self) -> str:
        rows = [
            (f"{strategy} {config}", strategy, config, row)
            for strategy, of_strategy in self.content["rows"].items()
            for config, row in of_strategy.items()
        ]
        if not rows:
            return "No cell is finished yet."
        means = {name: _shown(row["mean"]) for name, _, _, row in rows}
        best = {
            name: _shown(found)
            for name, strategy, config, _ in rows
            if (found := self.best(strategy, config)) is not None
        }
        lines = ["Mean over all runs", "", metrics.format_scores(means), ""]
        if best:
            lines += [
                "Best run by d - F1 among those not degenerated",
                "",
                metrics.format_scores(best, legend=False),
                "",
            ]
        lines += ["Runs and spread of the seeds (standard deviation)", ""]
        width = max(len(name) for name, *_ in rows)
        for name, _, _, row in rows:
            std = row["std"]
            lines.append(
                f"{name:<{width}}  {len(row['seeds'])} runs, {row['degenerated']} "
                f"degenerated; F1 {_spread(std['f1'])}, d {_spread(std['d'])}, "
                f"accuracy {_spread(std['accuracy'])}"
            )
        for sentence in self.helped:
            lines += ["", *textwrap.wrap(sentence, 88)]
        for name, error in self.content["failed"].items():
            lines += ["", *textwrap.wrap(f"{name} failed: {error}", 88)]
        return "\n".join(lines)


def summarize(folder: str | os.PathLike, write: bool = True) -> Summary:
    """Summarizes the finished cells of a study, also of one that still runs.

    Scores are computed anew from the raw outputs where these are there, also beside
    those of the strategy alone (a config that trains nothing of DC3) with the same
    seed; else those of the records are taken.

    Args:
        folder: of `Study.run`.
        write: whether to write `summary.json` into it, and the scores into the
            records, so that they stay where raw outputs are not kept.

    Raises:
        ValueError: if there is no study in `folder`, a file of it is damaged, or runs
            cannot be compared because data or model were changed between them: those
            of one strategy and config must share all settings, all others the data,
            its batches, the backbone and the dtype.

    Example:

    >>> summary = keras_dc3.experiments.summarize("runs/digits")  # doctest: +SKIP
    >>> print(summary)  # doctest: +SKIP
    """
    study = StudyFolder(folder)
    if study.manifest() is None:
        raise ValueError(
            f"There is no study in {os.fspath(folder)!r}: it has no `study.json`. Name "
            "the folder given to `Study.run`."
        )
    records = study.records()
    check_comparable(records)
    scores = {cell: _scores(study, cell, records) for cell in records}
    rows: dict[str, dict[str, Any]] = {}
    for cell in sorted(records, key=_order(study.manifest())):
        row = rows.setdefault(cell.strategy, {}).setdefault(cell.config, {})
        row.setdefault("vanilla", is_vanilla(records[cell]))
        row.setdefault("seeds", []).append(cell.seed)
    for strategy, of_strategy in rows.items():
        for config, row in of_strategy.items():
            runs = [scores[Cell(strategy, config, seed)] for seed in row["seeds"]]
            names = dict.fromkeys(name for run in runs for name in run)
            # Some runs may lack a score: the strategy alone is not there for all seeds.
            row["scores"] = {n: [run.get(n, math.nan) for run in runs] for n in names}
            row.update(_statistics(row))
    content = {
        "rows": rows,
        "helped": helped(rows),
        "failed": {cell.name: error for cell, error in study.failures().items()},
        "seconds": {
            cell.name: record["seconds"]["total"] for cell, record in records.items()
        },
    }
    if write:
        for cell, record in records.items():
            # As text: NaN equals no NaN.
            if json.dumps(record["scores"]) != json.dumps(plain(scores[cell])):
                record["scores"] = scores[cell]
                write_json(study.record_path(cell), record)
        write_json(study.path / "summary.json", content)
    return Summary(content)


def _order(manifest: dict[str, Any]) -> Any:
    strategies, configs = list(manifest["strategies"]), list(manifest["configs"])
    return lambda cell: (
        strategies.index(cell.strategy),
        configs.index(cell.config),
        cell.seed,
    )


def _scores(
    study: StudyFolder, cell: Cell, records: dict[Cell, dict[str, Any]]
) -> dict[str, Any]:
    recorded = records[cell]["scores"]
    outputs = study.outputs(cell)
    if outputs is None:
        return recorded
    alone = [
        other
        for other, record in records.items()
        if (other.strategy, other.seed) == (cell.strategy, cell.seed)
        and is_vanilla(record)
    ]
    found = score_outputs(outputs, study.outputs(alone[0]) if alone else None)
    return {**recorded, **found}


def _statistics(row: dict[str, Any]) -> dict[str, Any]:
    scores = row["scores"]
    right = [
        (d_minus_f1, seed)
        for d_minus_f1, seed, degenerated in zip(
            scores["d_minus_f1"], row["seeds"], scores["degenerated"], strict=True
        )
        if not degenerated and not math.isnan(d_minus_f1)
    ]
    numbers = {n: np.array(v, "float64") for n, v in scores.items()}
    return {
        "mean": {name: _mean(values) for name, values in numbers.items()},
        "std": {name: _std(values) for name, values in numbers.items()},
        "best_seed": min(right)[1] if right else None,
        "degenerated": int(sum(scores["degenerated"])),
    }


def _mean(values: np.ndarray) -> float:
    """Returns the mean over the runs that have the score."""
    values = values[~np.isnan(values)]
    return float(values.mean()) if values.size else math.nan


def _std(values: np.ndarray) -> float:
    values = values[~np.isnan(values)]
    return float(values.std(ddof=1)) if values.size > 1 else math.nan


def _shown(scores: dict[str, Any]) -> dict[str, Any]:
    return {name: scores[name] for name in _SHOWN if name in scores}


def _spread(value: float) -> str:
    return "-" if math.isnan(value) else f"±{100 * value:.1f}"
