"""The table of benchmarks/stopping.py."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator
from typing import Any

import report_pages

_WAYS = {
    "blind": "fewest answers first, without proposals",
    "evenly": "fewest answers first, with proposals",
    "next": "most gain first, each image alone",
    "groups": "as `Proposals.next` asks, groups included",
}
_NEAR = 0.15


def draw(*records: dict[str, Any]) -> str:
    """Returns the table, a line for each set, way and rule."""
    lines = [
        "| set | asked | rule | stops at | best | answers of best | cost of best | "
        "cost within 15% | distance | L1 | KL |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for record in records:
        name = report_pages.NAMES[record["settings"]["dataset"]]
        for way, rule, found in _rules(record):
            runs = found["runs"]
            stops = [run["stop"] for run in runs]
            mean = {key: statistics.mean(run[key] for run in runs) for key in runs[0]}
            best = f"{found['best']:.2f}{' (the end)' if found['at_end'] else ''}"
            near = [run["cost"] <= 1 + _NEAR for run in runs]
            ratio = f"{mean['stop'] / found['best']:.0%}" if found["best"] else "-"
            lines.append(
                f"| {name} | {_WAYS[way]} | {_named(rule, found['price'])} | "
                f"{mean['stop']:.2f} ({min(stops):.2f} to {max(stops):.2f}) | {best} | "
                f"{ratio} | {mean['cost']:.0%} | {sum(near)} of {len(near)} | "
                f"{mean['distance']:.1f} | {mean['l1']:.1f} | {mean['kl']:.3f} |"
            )
    settings = records[0]["settings"]
    lines += [
        "",
        f"{settings['images']} images, {settings['seeds']} seeds; answers per image. "
        "The cost of a stopping point is the distance to the soft labels of all "
        "answers + price * answers. 'Best' is the round in which it is lowest, on the "
        "mean over the seeds; 'cost of best' compares with the best round of the same "
        "seed, and 'within 15%' counts seeds by it. The price of the tenth is a tenth "
        "of what the first answers really brought, each image alone. At the stop: "
        "distance and L1 (half the sum of absolute differences) in points, KL in nats.",
        "",
        report_pages.made_by(*records),
    ]
    return "\n".join(lines)


def summary(*records: dict[str, Any]) -> str:
    """Returns in words how near the rule comes to the best stopping point."""
    told = []
    for record in records:
        name = report_pages.NAMES[record["settings"]["dataset"]]
        every = [found for _, _, found in _rules(record)]
        costs = [statistics.mean(r["cost"] for r in f["runs"]) for f in every]
        regret = statistics.median(r["regret"] for f in every for r in f["runs"])
        near = sum(cost <= 1 + _NEAR for cost in costs)
        cases = [found for found in every if not found["at_end"]]
        stops = [statistics.mean(r["stop"] for r in f["runs"]) for f in cases]
        pairs = list(zip(stops, cases, strict=True))
        alike = sum(_off(stop, found) <= _NEAR for stop, found in pairs)
        ratios = [stop / found["best"] for stop, found in pairs if found["best"]]
        nothing = len(cases) - len(ratios)
        text = (
            f"**{name}** (means of {record['settings']['seeds']} seeds, "
            f"{len(every)} cases of a way of asking and a price): stopping where it "
            f"says costs at most 15% more than the best point in {near} of "
            f"{len(every)}, {max(costs) - 1:.0%} more at worst and "
            f"{statistics.median(costs) - 1:.0%} in the median ({regret:.2f} points of "
            f"distance). The number of answers is within 15% of that of the best point "
            f"in {alike} of {len(cases)}, {min(ratios):.0%} to {max(ratios):.0%} of it "
            f"(median {statistics.median(ratios):.0%})."
        )
        if nothing:
            text += (
                f" In {nothing} it would have been best to ask nothing, which no rule "
                "can tell that needs answers to learn from."
            )
        if len(every) > len(cases):
            text += (
                f" In {len(every) - len(cases)} the simulation ended before the best "
                "number of answers, so that it is not compared."
            )
        told.append(text)
    return "\n\n".join(told)


def _off(stop: float, found: dict[str, Any]) -> float:
    """Returns by what share of its cost a stop misses the best point."""
    return abs(stop / found["best"] - 1) if found["best"] else math.inf


def _rules(record: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for result in record["results"]:
        for rule, found in result["rules"].items():
            yield result["way"], rule, found


def _named(rule: str, price: float) -> str:
    if rule == "share":
        return f"a tenth ({price:.2f})"
    return f"{price:.2f} points per 100 answers"
