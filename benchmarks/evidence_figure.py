"""A figure of the paper's experiments, drawn from the summaries."""

from __future__ import annotations

from typing import Any

from evidence import NAMES


def draw(summaries: dict[str, dict[str, Any]], path: str) -> None:
    """Draws F1 and d of every run, by strategy and objective."""
    from matplotlib.figure import Figure

    colors = {"vanilla": "#777777", "dc3": "#1b7837", "reference": "#b35806"}
    sheet = Figure((5.2 * len(summaries), 6.4), dpi=110, facecolor="white")
    axes = sheet.subplots(2, len(summaries), squeeze=False)
    for column, (dataset, summary) in enumerate(summaries.items()):
        strategies = list(summary["rows"])
        for line, (name, title) in enumerate(
            (("f1", "F1 on certain images (%)"), ("d", "d on ambiguous images (%)"))
        ):
            ax = axes[line][column]
            for i, strategy in enumerate(strategies):
                for j, (config, color) in enumerate(colors.items()):
                    row = summary["rows"][strategy].get(config)
                    if row is None:
                        continue
                    x = [i + 0.22 * (j - 1)] * len(row["seeds"])
                    hollow = row["scores"]["degenerated"]
                    values = [100 * v for v in row["scores"][name]]
                    for at, value, empty in zip(x, values, hollow, strict=True):
                        face = "white" if empty else color
                        ax.plot(at, value, "o", mfc=face, mec=color, ms=6)
            ax.set_xticks(range(len(strategies)), strategies, rotation=20, fontsize=8)
            ax.set_title(f"{dataset}: {title}", fontsize=9)
            ax.grid(axis="y", alpha=0.3)
    for config, color in colors.items():
        axes[0][0].plot([], [], "o", color=color, label=NAMES[config])
    axes[0][0].plot([], [], "o", mfc="white", mec="black", label="degenerated")
    axes[0][0].legend(fontsize=7)
    sheet.tight_layout()
    sheet.savefig(path)
