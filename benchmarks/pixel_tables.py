"""The tables of benchmarks/networks.py and benchmarks/recipe.py."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Any

_NAMES = {
    "cifar10h": "CIFAR-10H",
    "fashionmnist_h": "Fashion-MNIST-H",
    "shape_texture16": "shape-texture",
    "digits": "digits",
}

_HALF = "mixed_bfloat16"


def _percent(values: Iterable[float]) -> str:
    """Returns the mean of shares, and of several the standard deviation."""
    values = [100 * value for value in values]
    mean = f"{statistics.mean(values):.1f}"
    return f"{mean} ± {statistics.stdev(values):.1f}" if len(values) > 1 else mean


def _groups(
    runs: Sequence[dict[str, Any]], names: Sequence[str]
) -> dict[tuple, list[dict[str, Any]]]:
    """Returns the runs that are alike in all these, in the order they come."""
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for run in runs:
        groups.setdefault(tuple(run[name] for name in names), []).append(run)
    return groups


def draw_networks(record: dict[str, Any]) -> str:
    """Returns the table of benchmarks/networks.py."""
    lines = [
        "| set | seconds | network | ms a step | steps | runs | accuracy | "
        "F1 of the certain images | AUROC of p_a |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    runs = sorted(
        record["results"]["runs"], key=lambda run: (run["set"], run["seconds"])
    )
    for (name, seconds, network), group in _groups(
        runs, ("set", "seconds", "network")
    ).items():
        cost = 1000 * statistics.mean(run["cost"] for run in group)
        steps = statistics.mean(run["steps"] for run in group)
        figures = [
            _percent(run[figure] for run in group)
            for figure in ("accuracy", "f1", "auroc_ambiguity")
        ]
        lines.append(
            f"| {_NAMES[name]} | {seconds:.0f} | {network} | {cost:.0f} | "
            f"{steps:,.0f} | {len(group)} | {' | '.join(figures)} |"
        )
    costs = [one for one in record["results"]["costs"] if _HALF in one]
    ratios = [f"{one[_HALF] / one['cost']:.2f}" for one in costs]
    half = f" A step in `{_HALF}` takes {' or '.join(ratios)} of the CPU time of one in"
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            "Trainings of so many seconds of one core's CPU time, beside other work "
            "of the machine, with Mean-Teacher and DC3; "
            f"{settings['labeled']:,} labeled images of {settings['answers']} answers, "
            f"{settings['unlabeled']:,} unlabeled ones, on which the figures are, in "
            "percent (mean ± standard deviation of several runs)."
            + (f"{half} float32." if costs else ""),
        ]
    )


def draw_recipe(record: dict[str, Any]) -> str:
    """Returns the table of benchmarks/recipe.py."""
    results = record["results"]
    cells = ("set", "labeled")
    rates = sorted({run["rate"] for run in results["runs"]})
    probes = _groups(results["probes"], cells)
    lines = [
        "| set | labeled | strategy | steps | "
        + " | ".join(f"rate {rate:g}" for rate in rates)
        + " | linear probe | commonest class |",
        f"|---|---|---|---|{'---|' * len(rates)}---|---|",
    ]
    for (name, labeled, ssl, steps), group in _groups(
        results["runs"], (*cells, "strategy", "steps")
    ).items():
        by_rate = _groups(group, ("rate",))
        figures = [
            _percent(run["accuracy"] for run in by_rate[(rate,)])
            if (rate,) in by_rate
            else "not run"
            for rate in rates
        ]
        probe = _percent(run["accuracy"] for run in probes[(name, labeled)])
        commonest = _percent({run["seed"]: run["commonest"] for run in group}.values())
        lines.append(
            f"| {_NAMES[name]} | {labeled:,} | {ssl} | {steps:,} | "
            f"{' | '.join(figures)} | {probe} | {commonest} |"
        )
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            f"Accuracy in percent on {settings['unlabeled']:,} unlabeled images, "
            "against the most frequent of all answers; labeled images have "
            f"{settings['answers']} answers. The linear probe is one of the pixels.",
        ]
    )
