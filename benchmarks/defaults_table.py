"""The table of benchmarks/defaults.py."""

from __future__ import annotations

import statistics
from typing import Any

import report_pages

_NAMES = {**report_pages.NAMES, "digits": "digits"}
_RECIPES = {
    "default": "default",
    "longer": "twice as long",
    "slower": "a third of the rate",
    "supervised": "labeled images alone",
}
_NEAR = 0.02
Cell = tuple[str, str, int, str]


def draw(record: dict[str, Any]) -> str:
    """Returns the table, a line for each set, input, number of labels and tail."""
    lines = [
        "| set | input | labeled | classes | "
        + " | ".join(_RECIPES.values())
        + " | linear probe | commonest class | certain | F1 of these | F1 of as many "
        "most confident | AUROC of p_a | best of softmax, entropy, margin |",
        "|---|---|---|---|" + "---|" * (len(_RECIPES) + 7),
    ]
    for cell, runs in _by_cell(record).items():
        name, kind, labeled, tail = cell
        figures = [_shown(runs, recipe, "accuracy") for recipe in _RECIPES]
        figures += [_shown(runs, "default", key) for key in ("probe", "commonest")]
        figures += [
            _shown(runs, "default", key)
            for key in ("certain", "f1", "confident", "p_a", "best")
        ]
        lines.append(
            f"| {_NAMES[name]} | {kind} | {labeled:,} | {tail} | "
            f"{' | '.join(figures)} |"
        )
    settings = record["settings"]
    lines += [
        "",
        "Accuracy in percent against the most frequent of all answers, on images that "
        "no training saw; F1 weighted. Labeled images have "
        f"{settings['answers']} answers each, and there are up to "
        f"{settings['unlabeled']:,} unlabeled ones. Long-tailed: the rarest class "
        f"comes 1/{settings['tail']} as often as the commonest one, in the training "
        "images alone. Where one seed was run, there is no spread to tell chance from "
        "effect: a figure has a standard error of 1 to 3 points from its images alone.",
        "",
        report_pages.made_by(record),
    ]
    return "\n".join(lines)


def summary(record: dict[str, Any]) -> str:
    """Returns in words whether the defaults hold."""
    cells = {
        cell: runs for cell, runs in _by_cell(record).items() if runs.get("default")
    }
    told = []
    for kind in dict.fromkeys(cell[1] for cell in cells):
        of = {cell: runs for cell, runs in cells.items() if cell[1] == kind}
        own = {cell: _mean(runs, "default", "accuracy") for cell, runs in of.items()}
        above = sum(
            own[cell] > _mean(runs, "default", "commonest") for cell, runs in of.items()
        )
        gains = {
            cell: own[cell] - _mean(runs, "default", "probe")
            for cell, runs in of.items()
        }
        behind = {
            cell: max(_mean(runs, recipe, "accuracy") for recipe in runs) - own[cell]
            for cell, runs in of.items()
            if len(runs) > 1
        }
        level = sum(gain >= 0 for gain in gains.values())
        text = (
            f"From {kind}, {len(of)} cells of a set, a number of labels and a tail: "
            f"above always the commonest class in {above}; at or above a linear probe "
            f"of the same {kind} in {level} (median {_points(gains)}, worst "
            f"{100 * min(gains.values()):+.1f} points: {_named(gains, min)})."
        )
        if behind:
            near = sum(value <= _NEAR for value in behind.values())
            text += (
                f" Within 2 points of the best recipe that was tried in {near} of "
                f"{len(behind)} (furthest {100 * max(behind.values()):.1f} points: "
                f"{_named(behind, max)})."
            )
        told.append(text + _of_ambiguity(of))
    return " ".join(told)


def _of_ambiguity(cells: dict[Cell, dict[str, list[dict[str, Any]]]]) -> str:
    """Returns in words whether p_a is worth more than plain uncertainty."""
    gains = {
        cell: _mean(runs, "default", "p_a") - _mean(runs, "default", "best")
        for cell, runs in cells.items()
        if all("p_a" in run for run in runs["default"])
    }
    if not gains:
        return ""
    above = sum(gain > 0 for gain in gains.values())
    return (
        f" AUROC of p_a is above the best of softmax, entropy and margin in {above} of "
        f"{len(gains)} (median {_points(gains)} points, worst "
        f"{100 * min(gains.values()):+.1f}, best {100 * max(gains.values()):+.1f})."
    )


def _by_cell(record: dict[str, Any]) -> dict[Cell, dict[str, list[dict[str, Any]]]]:
    """Returns of each cell the runs of each recipe, in the order they came."""
    found: dict[Cell, dict[str, list[dict[str, Any]]]] = {}
    for run in record["results"]:
        of = run["cell"]
        cell = of["set"], of["input"], of["labeled"], of["tail"]
        found.setdefault(cell, {}).setdefault(of["recipe"], []).append(run)
    return found


def _mean(runs: dict[str, list[dict[str, Any]]], recipe: str, key: str) -> float:
    return statistics.mean(run[key] for run in runs[recipe])


def _shown(runs: dict[str, list[dict[str, Any]]], recipe: str, key: str) -> str:
    values = [100 * run[key] for run in runs.get(recipe, []) if key in run]
    if not values:
        return "not run"
    mean = f"{statistics.mean(values):.1f}"
    return f"{mean} ± {statistics.stdev(values):.1f}" if len(values) > 1 else mean


def _points(values: dict[Cell, float]) -> str:
    return f"{100 * statistics.median(values.values()):+.1f}"


def _named(values: dict[Cell, float], pick: Any) -> str:
    name, _, labeled, tail = pick(values, key=values.__getitem__)
    return f"{_NAMES[name]}, {labeled:,} labels, {tail}"
