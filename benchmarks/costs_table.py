"""The tables of benchmarks/costs.py and benchmarks/fit.py."""

from __future__ import annotations

from typing import Any

import report_pages


def draw(record: dict[str, Any]) -> str:
    """Returns the table of costs by shape, and how it was made."""
    lines = [
        "| labeled + unlabeled | classes | clusters | objective | prototypes | network "
        "from pixels | both to it | network of features |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for result in record["results"]["shapes"]:
        batch, network = result["batch"], result["network_seconds"]
        terms = " | ".join(
            milliseconds(result[f"{name}_seconds"])
            for name in ("objective", "prototypes")
        )
        lines.append(
            f"| {batch:,} + {batch:,} | {result['classes']:,} | "
            f"{result['clusters']:,} | {terms} | {milliseconds(network['pixels'])} | "
            f"{result['added']['pixels']:.1%} | {milliseconds(network['features'])} |"
        )
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            "Processor time: of the objective with its gradients, of one move of the "
            "prototypes, and of labeled and unlabeled images once through a network "
            "and back, `wide_resnet` of 32x32 pixels or `feature_mlp` of "
            f"{settings['features']:,} numbers, measured for 64 images and multiplied; "
            "strategies look at more views. From a "
            "batch of 1,024 to one of 4,096 the objective's time grows by the power "
            f"{record['results']['growth']:.1f} of the batch. Least of "
            f"{settings['turns']} runs. {report_pages.made_by(record)}",
        ]
    )


def draw_fit(record: dict[str, Any]) -> str:
    """Returns the table of `fit` beside its step, and how it was made."""
    lines = [
        "| batches | compiled step | step within `fit` | `fit` / step | processor time "
        "| within `fit` | `fit` / step |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, result in record["results"].items():
        cells = []
        for kind in ("seconds", "processor_seconds"):
            of = result[kind]
            cells += [milliseconds(of["step"]), milliseconds(of["fit"])]
            cells.append(f"{of['ratio']:.3f}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            f"{settings['backbone']} on {settings['size']}x{settings['size']} images, "
            f"{settings['batch_size']} labeled and as many unlabeled; "
            + by_turns(record, "those of a loop over the compiled step"),
        ]
    )


def by_turns(record: dict[str, Any], other: str) -> str:
    """Returns how two ways were measured beside each other, and by which command."""
    settings = record["settings"]
    return (
        f"medians of {settings['turns']} turns of {settings['steps']} steps, which "
        f"take turns with {other}. Before it began, {settings['load_before']:.1f} "
        "processes of others were at work on the machine. "
        f"{report_pages.made_by(record)}"
    )


def milliseconds(seconds: float) -> str:
    """Returns a time in words."""
    return f"{1000 * seconds:,.1f} ms"
