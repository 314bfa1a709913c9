"""Redraws every table that the documentation quotes from benchmarks/results.

    python benchmarks/report.py

Rewrites the part between `<!-- name -->` and `<!-- /name -->` in README.md and
benchmarks/README.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from absl import app

from keras_dc3 import metrics

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
PAGES = (ROOT / "README.md", ROOT / "benchmarks" / "README.md")


def _made_by(record: dict[str, Any]) -> str:
    versions = ", ".join(f"{k} {v}" for k, v in record["versions"].items())
    return (
        f"Made by `{record['command']}` on {record['date']} (seed {record['seed']}, "
        f"{record['cores']} CPU cores; {versions})."
    )


def step_table(record: dict[str, Any]) -> str:
    """Returns the table of benchmarks/step.py."""
    lines = [
        "| strategy | bare | vanilla | DC3 | DC3 / bare | DC3 / vanilla | "
        "memory DC3 / bare | memory DC3 / vanilla |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for ssl, result in record["results"].items():
        cells = [f"{result[v]['seconds_per_step']:.3f} s" for v in _VARIANTS]
        for quantity in ("time", "memory"):
            cells += [
                f"{result[f'dc3_to_{other}'][quantity]:.3f}"
                for other in ("bare", "vanilla")
            ]
        lines.append(f"| {ssl} | {' | '.join(cells)} |")
    settings = record["settings"]
    lines += [
        "",
        f"{settings['backbone']} on {settings['size']}x{settings['size']} images, "
        f"{settings['labeled']} labeled + {settings['unlabeled']} unlabeled, "
        f"{settings['dtype']}; medians of {settings['turns']} turns of "
        f"{settings['steps']} steps. {_made_by(record)}",
    ]
    return "\n".join(lines)


_VARIANTS = ("bare", "vanilla", "dc3")


def score_table(record: dict[str, Any]) -> str:
    """Returns the score table of an example."""
    table = metrics.format_scores(record["scores"], legend=False)
    times = ", ".join(f"{s:.0f} s for {name}" for name, s in record["seconds"].items())
    return f"```\n{table}\n```\n\n{_made_by(record)} Training took {times}."


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "step": step_table,
    "quickstart": score_table,
    "cifar10h": score_table,
}


def main(argv: list[str]) -> None:
    """Rewrites the tables in all pages."""
    del argv
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for name, draw in TABLES.items():
            path = RESULTS / f"{name}.json"
            if not path.exists():
                continue
            table = draw(json.loads(path.read_text(encoding="utf-8")))
            text = re.sub(
                f"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
                lambda match, table=table: f"{match[1]}{table}\n{match[2]}",
                text,
                flags=re.DOTALL,
            )
        page.write_text(text, encoding="utf-8")
        print(f"Redrawn: {page.relative_to(ROOT)}")


if __name__ == "__main__":
    app.run(main)
