"""The table of benchmarks/ambiguity.py."""

from __future__ import annotations

import statistics
from collections import defaultdict
from typing import Any

_COLUMNS = (
    "set, features",
    "labeled x answers",
    "p_a",
    "accuracy (linear probe)",
    "AUROC of p_a",
    "against the best of softmax, entropy, margin",
    "certain",
    "F1 of these (of as many most confident)",
    "d of clusters / class / k-means",
)
_VARIANTS = {
    "default": "default",
    "former": "as 0.1.0",
    "penalty": "default, L2 penalty of 0.0005",
}


def draw(names: dict[str, str], records: list[dict[str, Any]]) -> str:
    """Returns the table of several records.

    Args:
        names: data set -> what it is called.
        records: of benchmarks/ambiguity.py, one for each data set.
    """
    lines = [f"| {' | '.join(_COLUMNS)} |", "|" + "---|" * len(_COLUMNS)]
    for record in records:
        settings = record["settings"]
        runs_of = defaultdict(list)
        for run in record["results"]:
            cell = run["cell"]
            runs_of[cell["variant"], cell["labeled"], cell["answers"]].append(run)
        for variant, labeled, answers in sorted(runs_of):
            runs = runs_of[variant, labeled, answers]
            row = [
                f"{names[settings['dataset']]}, {settings['network']}",
                f"{labeled:,} x {answers}",
                _VARIANTS[variant],
                *_row(runs),
            ]
            lines.append(f"| {' | '.join(row)} |")
    seeds = {run["cell"]["seed"] for record in records for run in record["results"]}
    steps = {run["cell"]["steps"] for record in records for run in record["results"]}
    shown = " or ".join(f"{number:,}" for number in sorted(steps))
    return "\n".join(
        [
            *lines,
            "",
            f"In percent; means over {len(seeds)} seeds, and the standard deviation of "
            f"the gain. Mean-Teacher, {shown} steps.",
        ]
    )


def _row(runs: list[dict[str, Any]]) -> list[str]:
    mean = {
        name: 100 * statistics.mean(run[name] for run in runs)
        for name in runs[0]
        if name != "cell"
    }
    gains = [
        100 * (run["p_a"] - max(run[n] for n in ("softmax", "entropy", "margin")))
        for run in runs
    ]
    spread = f" ± {statistics.stdev(gains):.1f}" if len(gains) > 1 else ""
    better = sum(gain > 0 for gain in gains)
    return [
        f"{mean['accuracy']:.1f} ({mean['accuracy_probe']:.1f})",
        f"{mean['p_a']:.1f}",
        f"{statistics.mean(gains):+.1f}{spread}, better in {better} of {len(gains)}",
        f"{mean['certain']:.0f}",
        f"{mean['f1']:.1f} ({mean['f1_confident']:.1f})",
        f"{mean['d']:.1f} / {mean['d_class']:.1f} / {mean['d_k_means']:.1f}",
    ]
