"""Objectives beside the one that they change, run by run: same strategy, same seed."""

from __future__ import annotations

import math
import statistics
from typing import Any

# Objective, what it is compared with, and what the row says.
PAIRS = (
    ("ce_inverse", "vanilla", "+ CE^-1 less alone"),
    ("cc", "dc3", "+ CC less DC3, default"),
    ("measured_prior", "dc3", "DC3, measured p_A less DC3, default"),
)
STRATEGIES = ("mean_teacher", "pi_model")
SCORES = {
    "f1": "F1",
    "d": "d",
    "d_size_weighted": "d by size",
    "common_d_size_weighted": "p_o by size, common images",
    "accuracy": "accuracy",
}


def draw(summary: dict[str, Any]) -> str:
    """Returns the mean differences in points, and in how many pairs it is positive."""
    lines = [["difference, in points", *SCORES.values()], ["---"] * (len(SCORES) + 1)]
    for config, other, title in PAIRS:
        cells = [title]
        for score in SCORES:
            found = differences(summary, config, other, score)
            above = sum(value > 0 for value in found)
            mean = f"{100 * statistics.mean(found):+.1f}" if found else "-"
            cells.append(f"{mean} ({above} of {len(found)} above)")
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def differences(
    summary: dict[str, Any], config: str, other: str, score: str
) -> list[float]:
    """Returns score of `config` less that of `other`, of all runs that have both."""
    found = []
    for strategy in STRATEGIES:
        rows = summary["rows"].get(strategy, {})
        one, two = (_by_seed(rows.get(name), score) for name in (config, other))
        found += [one[seed] - two[seed] for seed in one.keys() & two.keys()]
    return [value for value in found if not math.isnan(value)]


def _by_seed(row: dict[str, Any] | None, score: str) -> dict[int, float]:
    if row is None or score not in row["scores"]:
        return {}
    return dict(zip(row["seeds"], row["scores"][score], strict=True))
