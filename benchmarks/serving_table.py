"""The table of benchmarks/serving.py."""

from __future__ import annotations

from typing import Any

import report_pages


def draw(record: dict[str, Any]) -> str:
    """Returns the table, and how it was made."""
    lines = [
        "| images of the page | pace | answers/s | sent each time | median | 95% | "
        "longest | lost |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in record["results"]:
        of = result["of"]
        times = " | ".join(
            f"{1000 * of[name]:,.0f} ms"
            for name in ("median", "percentile_95", "longest")
        )
        lines.append(
            f"| {result['images']:,} | {result['pace']} | "
            f"{of['answers_per_second']:.0f} | {of['kilobytes_each']:.0f} kB | {times} "
            f"| {result['lost']} of {result['answers']:,} |"
        )
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            f"{settings['people']} people at once, who have answered half of the page "
            f"before; medians of {settings['turns']} turns of "
            f"{settings['seconds']:.0f} s; people, server and disk on one machine. "
            "From sending an answer until the server has acknowledged it; lost: not in "
            f"its file after a kill. Before it began, {settings['load_before']:.1f} "
            "processes of others were at work on the machine. "
            f"{report_pages.made_by(record)}",
        ]
    )
