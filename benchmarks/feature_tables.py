"""The tables of benchmarks/features.py and benchmarks/feature_views.py."""

from __future__ import annotations

from typing import Any

_NAMES = {
    "mean_teacher": "Mean-Teacher, weak views",
    "fixmatch": "FixMatch, strong view",
}


def draw_views(record: dict[str, Any]) -> str:
    """Returns the table of benchmarks/feature_views.py."""
    lines = ["| views | shown as | accuracy | AUROC of p_a |", "|---|---|---|---|"]
    for ssl, cells in record["results"].items():
        for name, cell in cells.items():
            figures = (
                f"{100 * cell[figure]:.1f} ± {100 * cell[f'{figure}_deviation']:.1f}"
                for figure in ("accuracy", "auroc_ambiguity")
            )
            shown = {"stored": "stored views", "none": "as they are"}.get(name, name)
            lines.append(f"| {_NAMES[ssl]} | {shown} | {' | '.join(figures)} |")
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            f"Mean ± standard deviation of {settings['seeds']} seeds, in percent; "
            f"{settings['steps']:,} steps.",
        ]
    )


def draw_speed(record: dict[str, Any]) -> str:
    """Returns the tables of benchmarks/features.py."""
    whole = dict(record["results"]["whole"])
    del whole["accuracy"]
    lines = ["| 10,000 images, from features to proposals | seconds |", "|---|---|"]
    lines += [f"| {name} | {seconds:.1f} |" for name, seconds in whole.items()]
    lines += ["", "| training input, one core | images/s |", "|---|---|"]
    speeds = record["results"]["input"].items()
    lines += [f"| {name} | {speed:,.0f} |" for name, speed in speeds]
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            f"{settings['ssl']}, {settings['steps']:,} steps; medians of "
            f"{settings['turns']} turns, beside other work of the machine: the CPU "
            "time says what an idle one takes, spread over its cores.",
        ]
    )
