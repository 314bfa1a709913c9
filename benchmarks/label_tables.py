"""The tables of benchmarks/labels.py and benchmarks/prior.py."""

from __future__ import annotations

import statistics
from typing import Any

import report_pages

_FIGURES = {
    "accuracy": "accuracy",
    "f1": "F1 of the certain images",
    "auroc_ambiguity": "AUROC of p_a",
}
_RULES = {
    "paper": "0.6",
    "disagreement": "how often two answers differ",
    "several": "share of images with answers of two classes",
    "contradiction": "how often an answer differs from the held-out prediction",
    "twice": "twice that",
    "held out": "5% of the certain images held out are wrong",
    "oracle": "5% of the certain images are wrong: known to nobody",
}


def _spread(values: list[float]) -> str:
    return f"{100 * statistics.mean(values):.1f} ± {100 * statistics.stdev(values):.1f}"


def draw_labels(record: dict[str, Any]) -> str:
    """Returns the table of benchmarks/labels.py."""
    of: dict[tuple, dict[str, dict[int, Any]]] = {}
    for run in record["results"]:
        cell = of.setdefault((run["labeled"], run["answers"]), {})
        cell.setdefault(run["labels"], {})[run["seed"]] = run
    lines = [
        f"| labeled | answers each | labels | {' | '.join(_FIGURES.values())} |",
        f"|---|---|---|{'---|' * len(_FIGURES)}",
    ]
    for (labeled, answers), cell in sorted(of.items()):
        for labels, runs in cell.items():
            cells = [_spread([r[name] for r in runs.values()]) for name in _FIGURES]
            lines.append(
                f"| {labeled:,} | {answers} | {labels} | {' | '.join(cells)} |"
            )
        gains = [
            [cell["soft"][s][name] - cell["sampled"][s][name] for s in cell["soft"]]
            for name in _FIGURES
        ]
        told = [
            f"{'+' if statistics.mean(gain) >= 0 else ''}{_spread(gain)}, better in "
            f"{sum(g > 0 for g in gain)} of {len(gain)}"
            for gain in gains
        ]
        lines.append(f"| | | soft less sampled | {' | '.join(told)} |")
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            f"Mean ± standard deviation of {settings['seeds']} seeds, in percent; "
            "Mean-Teacher with DC3 on the features of CIFAR-10H, "
            f"{settings['steps']:,} steps. Differences are those of the same images, "
            "answers and seed.",
        ]
    )


def _means(cell: dict[str, Any], rule: str) -> dict[str, float]:
    runs = [run[rule] for run in cell["runs"]]
    return {name: 100 * statistics.mean(r[name] for r in runs) for name in runs[0]}


def draw_prior(record: dict[str, Any]) -> str:
    """Returns the range of each rule of benchmarks/prior.py over its cells."""
    sets = list(dict.fromkeys(cell["set"] for cell in record["results"]))
    names = ("prior", "f1", "wrong")
    heads = [
        f"{report_pages.NAMES[name]}: {what}"
        for name in sets
        for what in ("p_A", "F1 of the certain", "certain and wrong")
    ]
    lines = [f"| rule | {' | '.join(heads)} |", f"|---|{'---|' * len(heads)}"]
    for rule, told in _RULES.items():
        cells = []
        for name in sets:
            found = [_means(c, rule) for c in record["results"] if c["set"] == name]
            for figure in names:
                values = [means[figure] for means in found]
                low, high = f"{min(values):.0f}", f"{max(values):.0f}"
                cells.append(low if low == high else f"{low} to {high}")
        lines.append(f"| {told} | {' | '.join(cells)} |")
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            f"In percent, from the least to the largest mean of {settings['seeds']} "
            f"seeds over {', '.join(settings['labeled'])} labeled images with "
            f"{' or '.join(settings['answers'])} answers each; *certain and wrong* is "
            "of all images.",
        ]
    )


def draw_prior_cells(record: dict[str, Any]) -> str:
    """Returns all means of benchmarks/prior.py."""
    lines = [
        "| set | labeled | answers each | rule | p_A | F1 of the certain | "
        "accuracy of the certain | disputed among the certain | "
        "certain and wrong, of all |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for cell in record["results"]:
        name = report_pages.NAMES[cell["set"]]
        for rule, told in _RULES.items():
            means = [f"{value:.1f}" for value in _means(cell, rule).values()]
            lines.append(
                f"| {name} | {cell['labeled']:,} | {cell['answers']} | {told} | "
                f"{' | '.join(means)} |"
            )
    return "\n".join(
        [
            *lines,
            "",
            f"In percent, means of {record['settings']['seeds']} seeds. *Disputed*: "
            "the most frequent answer has less than "
            f"{100 * record['settings']['disputed']:.0f}%.",
        ]
    )
