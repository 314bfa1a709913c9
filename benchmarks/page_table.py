"""The table of benchmarks/page_work.py, and what it says in short."""

from __future__ import annotations

import statistics
from typing import Any

import report_pages

_BY = {"keys": "keys", "mouse": "a mouse", "touch": "a finger on a phone"}


def _cells(record: dict[str, Any]) -> dict[tuple[str, str], list[dict[str, Any]]]:
    """Returns (way, page) -> results, one of each person."""
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for result in record["results"]:
        found.setdefault((result["way"], result["page"]), []).append(result)
    return found


def _mean(results: list[dict[str, Any]], name: str) -> float:
    return statistics.mean(result[name] for result in results)


def _slips(results: list[dict[str, Any]], name: str) -> int:
    """Returns the number of slips of a kind, or of all kinds that begin so."""
    return sum(
        number
        for result in results
        for kind, number in result["slips"].items()
        if kind == name or (name == "made" and kind.startswith("made: "))
    )


def _acts(results: list[dict[str, Any]]) -> str:
    """Returns what the acts were, per image."""
    answers = sum(result["answers"] for result in results)
    kinds = {kind: 0 for result in results for kind in result["acts"]}
    for kind in kinds:
        kinds[kind] = sum(result["acts"].get(kind, 0) for result in results)
    return ", ".join(f"{number / answers:.3f} {k}" for k, number in kinds.items())


def draw(record: dict[str, Any]) -> str:
    """Returns the table, the assumptions, and how it was made."""
    lines = [
        "| by | page | seconds per image | acts per image | of which | slips: made / "
        "ignored by the page / noticed / undone | wrong answers by slips | answers "
        "lost | acts to the first cluster | images looked at large |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for (way, page), results in _cells(record).items():
        slips = " / ".join(
            str(_slips(results, name))
            for name in ("made", "ignored by the page", "noticed", "undone")
        )
        answers = sum(result["answers"] for result in results)
        wrong = sum(result["wrong by slips"] for result in results)
        lost = sum(result["lost"] for result in results)
        lines.append(
            f"| {_BY[way]} | {page} | {_mean(results, 'seconds_per_image'):.3f} | "
            f"{_mean(results, 'acts_per_image'):.3f} | {_acts(results)} | {slips} | "
            f"{wrong} of {answers:,} | {lost} of {answers:,} | "
            f"{_mean(results, 'acts_to_first_cluster'):.0f} | "
            f"{_mean(results, 'looked_at_large'):.0f} |"
        )
    settings = record["settings"]
    people = len({result["seed"] for result in record["results"]})
    apart = max(
        abs(result["seconds_per_image"] - result["seconds_per_image_by_page"])
        for result in record["results"]
    )
    times = ", ".join(
        f"{what} {_range(s)} s" for what, s in settings["seconds"].items()
    )
    return "\n".join(
        [
            *lines,
            "",
            f"Means and sums of {people} scripted people; {settings['images']:,} "
            f"images in {settings['groups']} groups and alone, by proposals of a model "
            f"that learned from {settings['labeled']} answers. Before: the page of "
            f"commit `{settings['before']}`. Seconds are of the page's clock; the "
            "active time in the files is the same within "
            f"{1000 * apart:.0f} ms per image.",
            "",
            f"Times: {times}.",
            "",
            *(f"* {text}" for text in settings["assumptions"]),
            "",
            report_pages.made_by(record),
        ]
    )


def _range(seconds: float | list[float]) -> str:
    if isinstance(seconds, list):
        return f"{seconds[0]:g} to {seconds[1]:g}"
    return f"{seconds:g}"


def summary(record: dict[str, Any]) -> str:
    """Returns what the table says in a few sentences."""
    cells = _cells(record)
    ways = list(dict.fromkeys(way for way, _ in cells))
    parts = []
    for way in ways:
        before, now = cells[way, "before"], cells[way, "now"]
        new = cells[way, "now, new means"]
        seconds = " and ".join(
            f"{_mean(one, 'seconds_per_image'):.2f}" for one in (before, now)
        )
        acts = " and ".join(
            f"{_mean(one, 'acts_per_image'):.2f}" for one in (before, now)
        )
        parts.append(
            f"* by {_BY[way]}: {seconds} s and {acts} acts per image before and now; "
            f"with what is new, {_mean(new, 'seconds_per_image'):.2f} s and "
            f"{_mean(new, 'acts_per_image'):.2f} acts. The first cluster is "
            f"{_mean(before, 'acts_to_first_cluster'):.0f} and "
            f"{_mean(now, 'acts_to_first_cluster'):.0f} acts away."
        )
    results = record["results"]
    lost = sum(result["lost"] for result in results)
    answers = sum(result["answers"] for result in results)
    made = _slips(results, "made")
    caught = _slips(results, "ignored by the page")
    return "\n".join(
        [
            f"A scripted person answers {record['settings']['images']:,} images of "
            "CIFAR-10H, a simulation with assumed times ([all "
            "figures](../benchmarks/results/page_work.md)):",
            "",
            *parts,
            "",
            f"Of {made} slips, the page ignored {caught}; {lost} of {answers:,} "
            "answers were lost.",
        ]
    )
