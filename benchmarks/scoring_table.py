"""The table of benchmarks/scoring.py."""

from __future__ import annotations

from typing import Any

import report_pages


def draw(record: dict[str, Any]) -> str:
    """Returns the table, and how it was made."""
    lines = [
        "| images | time | images/s | processor time, a million images | waiting for "
        "images | in the model | largest memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for result in record["results"]:
        million = result["processor_seconds"] / result["images"] * 1e6
        lines.append(
            f"| {result['images']:,} | {result['seconds']:,.0f} s | "
            f"{result['images_per_second']:,.0f} | {million:,.0f} s | "
            f"{result['waiting']:.0%} | {result['in_model']:.0%} | "
            f"{result['peak_memory_mib']:,.0f} MiB |"
        )
    first, last = record["results"][0], record["results"][-1]
    settings = record["settings"]
    loads = " and ".join(f"{r['load_before']:.0f}" for r in record["results"])
    memory = last["peak_memory_mib"] / first["peak_memory_mib"] - 1
    return "\n".join(
        [
            *lines,
            "",
            f"{last['images'] / first['images']:.0f} times as many images take "
            f"{last['processor_seconds'] / first['processor_seconds']:.1f} times the "
            f"processor time, starting included, and {memory:+.1%} of memory. PNG "
            f"images of {settings['side']}x{settings['side']} in TFRecords, a "
            f"`small_cnn` of {settings['filters']} filters, without embeddings. Others "
            f"were at work on the machine, with a load of {loads} before each run, so "
            f"that the times on the clock say little. {report_pages.made_by(record)}",
        ]
    )
