"""The table of benchmarks/several_looks.py."""

from __future__ import annotations

import statistics
from typing import Any

import report_pages

_NAMES = {**report_pages.NAMES, "digits": "digits"}
# Figure -> heading, and what its difference is taken to.
_AUROC = {
    "last": "entropy",
    "history": "of all epochs",
    "late_history": "of the later half",
    "ensemble": "of the ensemble",
    "ensemble_p_a": "p_a of the ensemble",
    "spread": "what members differ in",
}


def draw(record: dict[str, Any]) -> str:
    """Returns the table, a line for each set, input and number of labels."""
    heads = [
        *("set", "input", "labeled", "runs", "AUROC of p_a"),
        *(f"{text}, less p_a" for text in _AUROC.values()),
        *("accuracy", "of the ensemble", "F1 of the certain images"),
        "of as many by the ensemble",
    ]
    lines = [f"| {' | '.join(heads)} |", "|" + "---|" * len(heads)]
    for (name, kind, labeled), runs in _by_cell(record).items():
        gains = [
            _shown([run[figure] - run["p_a"] for run in runs], "+") for figure in _AUROC
        ]
        levels = [
            _shown([run[figure] for run in runs])
            for figure in ("accuracy", "ensemble_accuracy", "f1", "ensemble_f1")
        ]
        own = _shown([run["p_a"] for run in runs])
        cells = [_NAMES[name], kind, f"{labeled:,}", str(len(runs)), own]
        lines.append(f"| {' | '.join(cells + gains + levels)} |")
    settings = record["settings"]
    lines += [
        "",
        "In percent, differences in points, ± standard deviation over the runs. A run "
        f"is {settings['members']} trainings of Mean-Teacher with DC3 on the same "
        f"images, with {settings['answers']} answers to each labeled one; figures are "
        "of the unlabeled images. AUROC is for images whose most frequent answer has "
        f"less than {settings['ambiguous']:.0%}.",
        "",
        report_pages.made_by(record),
    ]
    return "\n".join(lines)


def summary(record: dict[str, Any]) -> str:
    """Returns in words what histories and ensembles are worth."""
    told = []
    for kind in dict.fromkeys(cell[1] for cell in _by_cell(record)):
        of = [
            r
            for cell, runs in _by_cell(record).items()
            if cell[1] == kind
            for r in runs
        ]
        parts = []
        for figure, text in (
            ("history", "the mean entropy of all epochs"),
            ("late_history", "of the later half"),
            ("ensemble", "the entropy of the ensemble"),
            ("ensemble_p_a", "its mean p_a"),
        ):
            gains = [100 * (run[figure] - run["p_a"]) for run in of]
            better = sum(gain > 0 for gain in gains)
            parts.append(
                f"{text} {statistics.mean(gains):+.1f} points ({min(gains):+.1f} to "
                f"{max(gains):+.1f}; better in {better} of {len(gains)})"
            )
        gains = [100 * (run["ensemble_accuracy"] - run["accuracy"]) for run in of]
        told.append(
            f"From {kind}, AUROC beside that of one model's p_a: {', '.join(parts)}. "
            f"Accuracy of the ensemble {statistics.mean(gains):+.1f} points."
        )
    return " ".join(told)


def _by_cell(record: dict[str, Any]) -> dict[tuple[str, str, int], list[dict]]:
    found: dict[tuple[str, str, int], list[dict]] = {}
    for run in record["results"]:
        of = run["cell"]
        found.setdefault((of["set"], of["input"], of["labeled"]), []).append(run)
    return found


def _shown(values: list[float], sign: str = "") -> str:
    values = [100 * value for value in values]
    mean = f"{statistics.mean(values):{sign}.1f}"
    return f"{mean} ± {statistics.stdev(values):.1f}" if len(values) > 1 else mean
