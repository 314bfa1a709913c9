"""The table of benchmarks/millions.py."""

from __future__ import annotations

from typing import Any

import report_pages

_STEPS = ("summary", "cards", "next", "next_with_answers")


def draw(record: dict[str, Any]) -> str:
    """Returns the table, and how it was made."""
    lines = [
        "| images | how | opening | summary | groups and cards | what to ask | with "
        "answers | largest memory |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += map(_line, record["results"])
    by_file = [r for r in record["results"] if not r["whole"] and not r["width"]]
    first, last = by_file[0], by_file[-1]
    settings = record["settings"]
    loads = [r["load_before"] for r in record["results"]]
    checked = last["checksums_processor_seconds"]
    summary = last["summary_processor_seconds"]
    more = last["peak_memory_mib"] - first["peak_memory_mib"]
    times = last["images"] / first["images"]
    return "\n".join(
        [
            *lines,
            "",
            "Seconds on a processor, by one thread. On the clock those of "
            f"{last['images']:,} images were {_on_the_clock(last):,.0f}, as others "
            f"were at work on the machine, with a load of {min(loads):.0f} to "
            f"{max(loads):.0f}. {times:.0f} times as many images take {more:,.0f} MiB "
            f"more; {first['memory_before_mib']:,.0f} MiB are Python, TensorFlow and "
            f"this package. Checksums of {last['megabytes']:,.0f} MB take "
            f"{checked:.1f} s, part of the {summary:.0f} s of the last summary, which "
            f"is the first pass. {settings['classes']} classes, "
            f"{settings['clusters']} clusters, a budget of {settings['budget']} "
            f"actions, answers to {settings['answered']:,} images. Where both were "
            "measured, file by file and all at once told the same. "
            f"{report_pages.made_by(record)}",
        ]
    )


def _line(result: dict[str, Any]) -> str:
    how = "`Proposals`, all at once" if result["whole"] else "`Scores`, file by file"
    if result["width"]:
        how += f", embeddings of {result['width']} numbers"
    seconds = (result[f"{step}_processor_seconds"] for step in ("opening", *_STEPS))
    return (
        f"| {result['images']:,} | {how} | "
        f"{' | '.join(f'{one:,.1f} s' for one in seconds)} | "
        f"{result['peak_memory_mib']:,.0f} MiB |"
    )


def _on_the_clock(result: dict[str, Any]) -> float:
    return sum(result[f"{step}_seconds"] for step in ("opening", *_STEPS))
