"""The table of benchmarks/projects.py."""

from __future__ import annotations

import itertools
import math
import statistics
from typing import Any

import numpy as np
import report_pages

_WAYS = {
    "dc3": "proposals with clusters",
    "classes": "proposals of classes alone",
    "uncertainty": "images alone, most uncertain first",
    "coverage": "images alone, in the middle of clusters",
    "blind": "images alone at random, no model",
}
_T95 = {2: 12.71, 3: 4.30, 4: 3.18, 5: 2.78}  # Student's t, for a mean of so many


def draw(*records: dict[str, Any]) -> str:
    """Returns the table, a line for each set, way and round."""
    lines = [
        "| set | asked | round | actions | answers | minutes | KL | "
        "accuracy of a probe | says stop |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for record in records:
        name = report_pages.NAMES[record["settings"]["dataset"]]
        for way, runs in _by_way(record).items():
            length = min(map(len, runs))
            for turn in range(length):
                of = {key: [run[turn][key] for run in runs] for key in runs[0][turn]}
                shown = [
                    f"{statistics.mean(of[key]):,.{digits}f}"
                    for key, digits in (("actions", 0), ("answers", 0), ("minutes", 0))
                ]
                lines.append(
                    f"| {name} | {_WAYS[way]} | {turn} | {' | '.join(shown)} | "
                    f"{_spread(of['kl'], 3)} | {_spread(of['accuracy'], 3)} | "
                    f"{sum(of['stop'])} of {len(runs)} |"
                )
    settings = records[0]["settings"]
    lines += [
        "",
        f"{settings['images']:,} images, two people, {settings['acceptance']:.0%} of "
        "the proposals accepted unseen; means and ranges over the projects, each of "
        "another seed. Round 0 is the first one, without proposals. KL in nats, from "
        "all real answers, over all images. Accuracy: of a linear probe that learned "
        "from the project's labels, on other images.",
        "",
        *(f"* {line}" for line in settings["assumptions"]),
        "",
        report_pages.made_by(*records),
    ]
    return "\n".join(lines)


def summary(*records: dict[str, Any]) -> str:
    """Returns in words what labels cost, by way, at two qualities."""
    told = []
    for record in records:
        name = report_pages.NAMES[record["settings"]["dataset"]]
        runs = _by_way(record)
        seeds = len(runs["blind"])
        number = "1 project" if seeds == 1 else f"{seeds} projects"
        lines = [f"**{name}** ({number}):", ""]
        images = record["settings"]["images"]
        for what, goal in (
            ("what all ways reach", _reached_by_all(runs)),
            (
                "what blind answers reach where both people have seen every image",
                _of_both(runs["blind"], images),
            ),
            ("the best that blind answers reach, asked again", _best(runs["blind"])),
        ):
            blind = statistics.mean(_cost(one, goal) for one in runs["blind"])
            shares = "; ".join(
                f"{words} {_share(runs, way, goal)}"
                for way, words in _WAYS.items()
                if way in runs and way != "blind"
            )
            lines.append(
                f"* KL {goal:.2f}, {what}, takes {blind:,.0f} actions of blind "
                f"answers. Of these: {shares}. Of the minutes, proposals with clusters "
                f"{_interval(_ratio(runs, 'dc3', goal, 'minutes'))}."
            )
        told.append("\n".join(lines))
    return "\n\n".join(told)


def _by_way(record: dict[str, Any]) -> dict[str, list[list[dict]]]:
    """Returns way -> the rounds of each seed that all ways have."""
    seeds = {way: set() for way in _WAYS}
    for one in record["results"]:
        seeds[one["way"]].add(one["seed"])
    seeds = {way: found for way, found in seeds.items() if found}
    common = set.intersection(*seeds.values())
    return {
        way: [
            one["rounds"]
            for one in record["results"]
            if one["way"] == way and one["seed"] in common
        ]
        for way in seeds
    }


def _reached_by_all(runs: dict[str, list[list[dict]]]) -> float:
    """Returns the KL that all projects of all ways reach: the worst of the ends."""
    return max(_best(found) for found in runs.values())


def _best(runs: list[list[dict]]) -> float:
    """Returns the KL that all projects of a way reach."""
    return max(min(r["kl"] for r in one) for one in runs)


def _of_both(runs: list[list[dict]], images: int) -> float:
    """Returns the KL that all projects reach by an answer of two people to each image.

    These are all that proposals bring: nobody is asked about an image again.
    """
    found = []
    for one in runs:
        actions, kl = ([r[key] for r in one] for key in ("actions", "kl"))
        found.append(float(np.interp(2 * images, actions, kl)))
    return max(found)


def _cost(rounds: list[dict], goal: float, key: str = "actions") -> float:
    """Returns what a KL costs, between rounds in a straight line."""
    for before, after in itertools.pairwise(rounds):
        if after["kl"] <= goal:
            span = before["kl"] - after["kl"]
            part = (before["kl"] - goal) / span if span > 0 else 1.0
            return before[key] + min(max(part, 0.0), 1.0) * (after[key] - before[key])
    return math.nan


def _ratio(runs: dict, way: str, goal: float, key: str = "actions") -> list[float]:
    """Returns what a way costs, by what blind answers cost, of each seed."""
    pairs = zip(runs[way], runs["blind"], strict=True)
    return [_cost(one, goal, key) / _cost(blind, goal, key) for one, blind in pairs]


def _share(runs: dict, way: str, goal: float) -> str:
    return _interval(_ratio(runs, way, goal))


def _interval(values: list[float]) -> str:
    """Returns a mean with its 95% interval over seeds."""
    lost = sum(map(math.isnan, values))
    if lost:
        return "never" if lost == len(values) else f"never in {lost} of {len(values)}"
    mean = statistics.mean(values)
    if len(values) < 2:
        return f"{mean:.0%}"
    half = _T95[len(values)] * np.std(values, ddof=1) / math.sqrt(len(values))
    return f"{mean:.0%} ({mean - half:.0%} to {mean + half:.0%})"


def _spread(values: list[float], digits: int) -> str:
    low, high = min(values), max(values)
    if low == high:
        return f"{low:.{digits}f}"
    return f"{statistics.mean(values):.{digits}f} ({low:.{digits}f}-{high:.{digits}f})"
