"""The table of benchmarks/beside_pytorch.py."""

from __future__ import annotations

from typing import Any

from costs_table import by_turns, milliseconds


def draw(record: dict[str, Any]) -> str:
    """Returns the table of our step beside one in PyTorch, and how it was made."""
    lines = [
        "| strategy | dtype | ours, with DC3 | PyTorch, the strategy alone "
        "| ours / PyTorch | turn by turn |",
        "|---|---|---|---|---|---|",
    ]
    versions = set()
    for dtype, of_dtype in record["results"].items():
        for name, result in of_dtype.items():
            versions.add(result["torch"])
            seconds, turns = result["seconds_per_step"], result["all_seconds"]
            ratios = [a / b for a, b in zip(*turns.values(), strict=True)]
            cells = [milliseconds(seconds[way]) for way in ("ours", "torch")]
            cells += [f"{result['ratio']:.2f}", f"{min(ratios):.2f}-{max(ratios):.2f}"]
            lines.append(f"| {name} | {dtype} | {' | '.join(cells)} |")
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            f"WRN-28-2 on 32x32 images, {settings['batch_size']} labeled and as many "
            f"unlabeled, {settings['threads']} threads, PyTorch "
            f"{', '.join(sorted(versions))}; {by_turns(record, 'those of the other')}",
        ]
    )
