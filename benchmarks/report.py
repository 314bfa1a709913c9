"""Redraws every table and figure of the documentation from benchmarks/results.

    python benchmarks/report.py

Writes benchmarks/results/*.md, and rewrites the part between `<!-- name -->` and
`<!-- /name -->` in README.md, benchmarks/README.md and docs/.
"""

from __future__ import annotations

import json
import re
import statistics
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ambiguity_table
import beside_pytorch_table
import costs_table
import defaults_table
import evidence
import evidence_figure
import exporting_table
import feature_tables
import findings
import label_tables
import millions_table
import page_table
import pixel_tables
import projects_table
import report_pages
import scoring_table
import serving_table
import several_looks_table
import simulated_table
import stopping_table
import strategies_table
from absl import app

from keras_dc3 import metrics

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"


def _made_by(record: dict[str, Any]) -> str:
    versions = ", ".join(f"{k} {v}" for k, v in record["versions"].items())
    return (
        f"Made by `{record['command']}` on {record['date']} (seed {record['seed']}, "
        f"{record['cores']} CPU cores; {versions})."
    )


def _told(draw: Callable[[dict[str, Any]], str], record: dict[str, Any]) -> str:
    """Returns a table, and how it was made."""
    return f"{draw(record)} {_made_by(record)}"


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
    """Returns the verdict and the score table of an example.

    Records of earlier releases have neither a verdict nor intervals.
    """
    table = metrics.format_scores(
        record["scores"], legend=False, intervals=record.get("intervals")
    )
    if "verdict" in record:
        verdict = metrics.Verdict.from_json(json.dumps(record["verdict"]))
        name = list(record["scores"])[-1]
        table = "\n".join([*verdict.lines(subject=name), "", table])
    times = ", ".join(f"{s:.0f} s for {name}" for name, s in record["seconds"].items())
    return f"```\n{table}\n```\n\n{_made_by(record)} Training took {times}."


def throughput_table(record: dict[str, Any]) -> str:
    """Returns the table of benchmarks/throughput.py."""
    lines = ["| variant | seconds per step of a run |", "|---|---|"]
    lines += [
        f"| {name} | {result['seconds_per_step']:.3f} |"
        for name, result in record["results"].items()
    ]
    return "\n".join([*lines, "", _made_by(record)])


def annotations_table(record: dict[str, Any]) -> str:
    """Returns the table of benchmarks/annotations.py."""
    lines = ["| table | answers | keras_dc3 | pandas |", "|---|---|---|---|"]
    for name, result in record["results"].items():
        times = " | ".join(f"{s:.2f} s" for s in result["seconds"].values())
        lines.append(f"| {name} | {result['answers']:,} | {times} |")
    turns = record["settings"]["turns"]
    return "\n".join([*lines, "", f"Medians of {turns} turns. {_made_by(record)}"])


def pipeline_table(record: dict[str, Any]) -> str:
    """Returns the tables of benchmarks/pipeline.py."""
    lines = [
        "| files | from_directory | first batch | first step of `fit` | memory after "
        "it | memory after 200 steps |",
        "|---|---|---|---|---|---|",
    ]
    for files, start in record["results"]["start"].items():
        steps = list(start["memory_mib"].values())
        lines.append(
            f"| {int(files):,} | {start['from_directory_seconds']:.1f} s | "
            f"{start['first_batch_seconds']:.1f} s | "
            f"{start['first_step_of_fit_seconds']:.1f} s | {steps[0]:.0f} MiB | "
            f"{steps[-1]:.0f} MiB |"
        )
    kinds = ("decode", "weak", "strong", "strong_single", "pipeline")
    lines += [
        "",
        f"One more image takes {record['results']['bytes_per_image']:.0f} bytes of "
        "memory.",
        "",
        "| pixels | decode (JPEG) | weak view | strong view | of one thread | whole "
        "pipeline |",
        "|---|---|---|---|---|---|",
    ]
    for size, speed in record["results"]["speed"].items():
        cells = [
            f"{speed[kind]['images_per_second']:,.0f} images/s, "
            f"{1000 * speed[kind]['processor_seconds_per_image']:.2f} ms"
            for kind in kinds
        ]
        lines.append(f"| {size}x{size} | {' | '.join(cells)} |")
    turns = record["settings"]["turns"]
    told = (
        f"Medians of {turns} turns, and the processor time of an image, the inverse of "
        "what a core makes that does nothing else. Before it began, "
        f"{record['settings']['load_before']:.1f} processes of others were at work on "
        "the machine, so that the images per second say little."
    )
    return "\n".join([*lines, "", f"{told} {_made_by(record)}"])


def average_table(record: dict[str, Any]) -> str:
    """Returns the table of benchmarks/average.py."""
    lines = [
        "| strategy | steps | raw | constant decay | decay by the step |",
        "|---|---|---|---|---|",
    ]
    for result in record["results"]:
        name = result["strategy"]
        if name == "mean_teacher":
            rule = {"step": "by the step", "constant": "constant"}[result["teacher"]]
            name += f", its teacher: {rule}"
        cells = [
            f"{100 * result[kind]['mean']:.1f} ± {100 * result[kind]['std']:.1f}"
            for kind in ("raw", "constant", "step")
        ]
        lines.append(f"| {name} | {result['steps']:,} | {' | '.join(cells)} |")
    settings = record["settings"]
    lines += [
        "",
        f"Accuracy in percent, mean ± standard deviation of {settings['seeds']} seeds; "
        f"`ema_decay` {settings['ema_decay']:g}. {_made_by(record)}",
    ]
    return "\n".join(lines)


def disagreement_table(record: dict[str, Any]) -> str:
    """Returns the table of benchmarks/disagreement.py."""
    lines = [
        "| set | labeled | answers each | accuracy | AUROC of what is expected | "
        "against the best of entropy, softmax, margin | F1 of the 40% of least "
        "expected disagreement | of the 40% surest |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for cell in record["results"]:
        runs = cell["runs"]
        best = [max(run[n] for n in ("entropy", "softmax", "margin")) for run in runs]
        gain = [r["disagreement"] - b for r, b in zip(runs, best, strict=True)]
        mean = {name: statistics.mean(run[name] for run in runs) for name in runs[0]}
        name = report_pages.NAMES[cell["set"]]
        lines.append(
            f"| {name} | {cell['labeled']:,} | {cell['answers']} | "
            f"{100 * mean['accuracy']:.1f} | {100 * mean['disagreement']:.1f} | "
            f"{100 * statistics.mean(gain):+.1f} ± {100 * statistics.stdev(gain):.1f}, "
            f"better in {sum(g > 0 for g in gain)} of {len(gain)} | "
            f"{100 * mean['f1']:.1f} | {100 * mean['f1_confident']:.1f} |"
        )
    return "\n".join([*lines, "", f"In percent. {_made_by(record)}"])


def unfinished_table(record: dict[str, Any]) -> str:
    """Returns what runs had reached that were stopped, at the last epoch of all."""
    reached = [cell["history"]["epoch"][-1] for cell in record["cells"].values()]
    common = int(min(reached))
    names = ("val_f1", "val_d", "val_d_minus_f1", "val_ambiguous", "val_accuracy")
    lines = [
        "| strategy | objective | seed | F1 | d | d - F1 | ambiguous | accuracy | per "
        "step |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, cell in record["cells"].items():
        strategy, config, seed = name.split("-")
        at = cell["history"]["epoch"].index(common)
        scores = " | ".join(f"{100 * cell['history'][n][at]:.1f}" for n in names)
        cells = [strategy, evidence.NAMES[config], seed, scores]
        lines.append(f"| {' | '.join(cells)} | {cell['median_ms_per_step']:.0f} ms |")
    versions = ", ".join(f"{k} {v}" for k, v in record["versions"].items())
    per_epoch = record["steps_per_epoch"]
    lines += [
        "",
        f"After {common} of {record['planned_epochs']} epochs ({common * per_epoch:,} "
        f"of {record['planned_epochs'] * per_epoch:,} steps); {record['device']}; "
        f"{versions}; {record['date']}.",
    ]
    return "\n".join(lines)


TABLES: dict[str, Callable[[dict[str, Any]], str]] = {
    "average": average_table,
    "average_teacher": average_table,
    "disagreement": disagreement_table,
    "step": step_table,
    "costs": costs_table.draw,
    "fit": costs_table.draw_fit,
    "beside_pytorch": beside_pytorch_table.draw,
    "throughput": throughput_table,
    "quickstart": score_table,
    "cifar10h": score_table,
    "unfinished": unfinished_table,
    "table3_simulated": simulated_table.draw,
    "annotations": annotations_table,
    "pipeline": pipeline_table,
    "feature_views": lambda record: _told(feature_tables.draw_views, record),
    "features": lambda record: _told(feature_tables.draw_speed, record),
    "labels": lambda record: _told(label_tables.draw_labels, record),
    "prior": lambda record: _told(label_tables.draw_prior, record),
    "networks": lambda record: _told(pixel_tables.draw_networks, record),
    "recipe": lambda record: _told(pixel_tables.draw_recipe, record),
    "defaults": defaults_table.draw,
    "scoring": scoring_table.draw,
    "millions": millions_table.draw,
    "serving": serving_table.draw,
    "exporting": exporting_table.draw,
    "page_work": page_table.draw,
    "several_looks": several_looks_table.draw,
}


def made_of_cells(folder: Path) -> str:
    """Returns how the cells of a study were made."""
    records = [
        json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((folder / "cells").glob("*.json"))
    ]
    records = [record for record in records if "scores" in record]
    seconds = statistics.median(record["seconds"]["total"] for record in records)
    memory = max(record["peak_memory_mib"] for record in records)
    first = records[0]
    versions = ", ".join(f"{k} {v}" for k, v in first["versions"].items())
    seeds = ", ".join(sorted({str(record["cell"]["seed"]) for record in records}))
    dates = sorted({record["date"] for record in records})
    return (
        f"{len(records)} runs, seeds {seeds}; {first['settings']['backbone']}, "
        f"{first['settings']['steps']:,} steps, {first['threads'] or 'all'} thread(s) "
        f"each; median {seconds:.0f} s and at most {memory:,.0f} MiB per run; "
        f"{versions}; {dates[0]} to {dates[-1]}."
    )


def redraw(text: str, name: str, content: str) -> str:
    """Returns a page with the part between the markers of `name` replaced."""
    return re.sub(
        f"(<!-- {name} -->\n).*?(<!-- /{name} -->)",
        lambda match: f"{match[1]}{content}\n{match[2]}",
        text,
        flags=re.DOTALL,
    )


def read(path: Path) -> Any:
    """Returns what a JSON file holds."""
    return json.loads(path.read_text(encoding="utf-8"))


def sections() -> dict[str, str]:
    """Returns name -> content of all results."""
    found = {
        name: draw(read(RESULTS / f"{name}.json"))
        for name, draw in TABLES.items()
        if (RESULTS / f"{name}.json").exists()
    }
    found["prior cells"] = _told(
        label_tables.draw_prior_cells, read(RESULTS / "prior.json")
    )
    trained = [read(path) for path in sorted(RESULTS.glob("ambiguity-*.json"))]
    if trained:
        found["ambiguity"] = ambiguity_table.draw(report_pages.NAMES, trained)
    for title in ("strategies", "strategies_pixels"):
        trained = [read(path) for path in sorted(RESULTS.glob(f"{title}-*.json"))]
        found |= strategies_table.sections(report_pages.NAMES, trained, title)
    for study, summary in summaries().items():
        found[f"{study} cells"] = made_of_cells(RESULTS / study)
        for name, draw in evidence.sections(study.partition("-")[2]).items():
            found[f"{study} {name}"] = draw(summary)
    retrained = [read(path) for path in sorted(RESULTS.glob("table3_retrained-*.json"))]
    if retrained:
        found["table3_retrained"] = simulated_table.draw_retrained(*retrained)
    projects = [read(path) for path in sorted(RESULTS.glob("projects-*.json"))]
    if projects:
        found["projects"] = projects_table.draw(*projects)
        found["projects summary"] = projects_table.summary(*projects)
    for name, table in {
        "defaults": defaults_table,
        "several_looks": several_looks_table,
        "page_work": page_table,
        "exporting": exporting_table,
    }.items():
        if (RESULTS / f"{name}.json").exists():
            found[f"{name} summary"] = table.summary(read(RESULTS / f"{name}.json"))
    stopping = [read(path) for path in sorted(RESULTS.glob("stopping-*.json"))]
    if stopping:
        found["stopping"] = stopping_table.draw(*stopping)
        found["stopping summary"] = stopping_table.summary(*stopping)
    reduced = summaries("reduced-")
    found["findings"] = findings.draw(
        {study.partition("-")[2]: summary for study, summary in reduced.items()},
        read(RESULTS / "table3_simulated.json"),
    )
    return found


def summaries(prefix: str = "") -> dict[str, dict[str, Any]]:
    """Returns study -> its summary, of all or those whose names begin with `prefix`."""
    paths = sorted(RESULTS.glob(f"{prefix}*/summary.json"))
    return {path.parent.name: read(path) for path in paths}


def pages(found: dict[str, str]) -> dict[Path, str]:
    """Returns the pages of benchmarks/results that are drawn as a whole."""
    drawn = {}
    for page, (title, parts) in report_pages.layout(summaries()).items():
        text = (
            f"# {title}\n\nDrawn by `python benchmarks/report.py`. What it says: [what "
            "we found](../../docs/findings.md).\n"
        )
        for heading, name in parts.items():
            text += f"\n## {heading}\n\n{found[name]}\n"
        drawn[RESULTS / f"{page}.md"] = text
    return drawn


def redrawn(found: dict[str, str]) -> dict[Path, str]:
    """Returns the pages of which parts are drawn: those with markers."""
    paths = [ROOT / "README.md", ROOT / "benchmarks" / "README.md"]
    drawn = {}
    for path in paths + sorted((ROOT / "docs").glob("*.md")):
        text = path.read_text(encoding="utf-8")
        for name, content in found.items():
            text = redraw(text, name, content)
        drawn[path] = text
    return drawn


def figures() -> None:
    """Draws the figures anew."""
    reduced = summaries("reduced-")
    evidence_figure.draw(reduced, str(RESULTS / "reduced.png"))
    record = read(RESULTS / "table3_simulated.json")
    simulated_table.figure(record, str(RESULTS / "table3_simulated.png"))


def main(argv: list[str]) -> None:
    """Writes all pages and figures."""
    del argv
    found = sections()
    for path, text in {**pages(found), **redrawn(found)}.items():
        path.write_text(text, encoding="utf-8")
        print(f"Drawn: {path.relative_to(ROOT)}")
    figures()


if __name__ == "__main__":
    app.run(main)
