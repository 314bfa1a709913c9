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
            _milliseconds(result[f"{name}_seconds"])
            for name in ("objective", "prototypes")
        )
        lines.append(
            f"| {batch:,} + {batch:,} | {result['classes']:,} | "
            f"{result['clusters']:,} | {terms} | {_milliseconds(network['pixels'])} | "
            f"{result['added']['pixels']:.1%} | {_milliseconds(network['features'])} |"
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
            cells += [_milliseconds(of["step"]), _milliseconds(of["fit"])]
            cells.append(f"{of['ratio']:.3f}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            f"{settings['backbone']} on {settings['size']}x{settings['size']} images, "
            f"{settings['batch_size']} labeled and as many unlabeled; medians of "
            f"{settings['turns']} turns of {settings['steps']} steps, which take turns "
            f"with those of a loop over the compiled step. Before it began, "
            f"{settings['load_before']:.1f} processes of others were at work on the "
            f"machine. {report_pages.made_by(record)}",
        ]
    )


def draw_beside_pytorch(record: dict[str, Any]) -> str:
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
            cells = [_milliseconds(seconds[way]) for way in ("ours", "torch")]
            cells += [f"{result['ratio']:.2f}", f"{min(ratios):.2f}-{max(ratios):.2f}"]
            lines.append(f"| {name} | {dtype} | {' | '.join(cells)} |")
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            f"WRN-28-2 on 32x32 images, {settings['batch_size']} labeled and as many "
            f"unlabeled, {settings['threads']} threads, PyTorch "
            f"{', '.join(sorted(versions))}; medians of {settings['turns']} turns of "
            f"{settings['steps']} steps, which take turns. Before it began, "
            f"{settings['load_before']:.1f} processes of others were at work on the "
            f"machine. {report_pages.made_by(record)}",
        ]
    )


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.1f} ms"
