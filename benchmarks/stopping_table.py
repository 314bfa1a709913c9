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
        "| set | asked | rule | stops at | best | of the best cost | within 15% | "
        "regret | distance | L1 | KL |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for record in records:
        name = report_pages.NAMES[record["settings"]["dataset"]]
        for way, rule, found in _rules(record):
            runs = found["runs"]
            stops = [run["stop"] for run in runs]
            mean = {key: statistics.mean(run[key] for run in runs) for key in runs[0]}
            best = f"{found['best']:.2f}{' (the end)' if found['at_end'] else ''}"
            near = [_off(stop, found) <= _NEAR for stop in stops]
            ratio = f"{mean['stop'] / found['best']:.0%}" if found["best"] else "-"
            lines.append(
                f"| {name} | {_WAYS[way]} | {_named(rule, found['price'])} | "
                f"{mean['stop']:.2f} ({min(stops):.2f} to {max(stops):.2f}) | {best} | "
                f"{ratio} | {sum(near)} of {len(near)} | "
                f"{mean['regret']:.2f} | {mean['distance']:.1f} | {mean['l1']:.1f} | "
                f"{mean['kl']:.3f} |"
            )
    settings = records[0]["settings"]
    lines += [
        "",
        f"{settings['images']} images, {settings['seeds']} seeds; answers per image. "
        "'Best' is the round in which distance to the soft labels of all answers + "
        "price * answers is lowest, on the mean over the seeds; 'within 15%' counts "
        "seeds; 'regret' is what stopping there costs more than the best round of the "
        "same seed, in points. The price of the tenth is a tenth of what the first "
        "answers really brought. At the stop: distance and L1 (half the sum of "
        "absolute differences) in points, KL in nats.",
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
        cases = [found for found in every if not found["at_end"]]
        stops = [statistics.mean(r["stop"] for r in f["runs"]) for f in cases]
        pairs = list(zip(stops, cases, strict=True))
        near = sum(_off(stop, found) <= _NEAR for stop, found in pairs)
        ratios = [stop / found["best"] for stop, found in pairs if found["best"]]
        regret = statistics.median(r["regret"] for f in cases for r in f["runs"])
        nothing = len(cases) - len(ratios)
        text = (
            f"On {name} it stops, on the mean of {record['settings']['seeds']} seeds, "
            f"within 15% of the cost of the best point in {near} of {len(cases)} cases "
            f"of a way of asking and a price, at {min(ratios):.0%} to "
            f"{max(ratios):.0%} of that cost (median {statistics.median(ratios):.0%}); "
            f"the median regret is {regret:.2f} points."
        )
        if nothing:
            text += (
                f" In {nothing} of them it would have been best to ask nothing, which "
                "no rule can tell that needs answers to learn from."
            )
        if len(every) > len(cases):
            text += (
                f" In {len(every) - len(cases)} more the simulation ended before the "
                "best point, so that they are not counted."
            )
        told.append(text)
    return " ".join(told)


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
