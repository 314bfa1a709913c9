"""The tables of benchmarks/exporting.py."""

from __future__ import annotations

from typing import Any

import report_pages

_NAMES = {
    ("model", "tf_saved_model"): "SavedModel",
    ("model", "onnx"): "ONNX",
    ("model", "litert"): "LiteRT",
    ("integers", "litert"): "LiteRT, int8",
}
_KINDS = {
    "tf_saved_model": "SavedModel",
    "onnx": "ONNX",
    "litert": "LiteRT",
    "int8": "LiteRT, int8",
}
_QUANTITIES = ("class", "cluster", "ambiguity")


def draw(record: dict[str, Any]) -> str:
    """Returns the table of speeds, and how it was made."""
    lines = [
        "| file | images at once | a call | images/s | the bare network | ratio "
        "(turns) | ratio of processor time (turns) |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in sorted(record["results"]["speeds"], key=lambda row: row["batch"]):
        clock = row["clock"]
        cells = [
            _NAMES[row["file"], row["format"]],
            f"{row['batch']}",
            f"{1000 * clock['seconds']:.2f} ms",
            f"{row['batch'] / clock['seconds']:,.0f}",
            f"{1000 * clock['bare_seconds']:.2f} ms",
            _ratio(clock),
            _ratio(row["processor"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            "`small_cnn` of 24 filters on 32x32 images; medians of "
            f"{settings['turns']} turns of {settings['seconds']:g} s, in which the "
            "file and the bare network answer call by call, on a machine with other "
            "work. Beside int8 it is the bare network of float32. "
            f"{report_pages.made_by(record)}",
        ]
    )


def summary(record: dict[str, Any]) -> str:
    """Returns the table of answers, beside those of `predict`."""
    results = record["results"]
    lines = [
        "| file | size | same class | same cluster | same decision | off by, mean "
        "(most): class | cluster | p_a | accuracy |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for kind, found in results["agreement"].items():
        shares = (found[f"same_{name}"] for name in ("class", "cluster", "decision"))
        off = (
            f"{_short(found[f'mean_off_{name}'])} ({_short(found[f'most_off_{name}'])})"
            for name in _QUANTITIES
        )
        cells = [
            _KINDS[kind],
            f"{results['megabytes'][kind]:.2f} MB",
            *(f"{share:.2%}" for share in shares),
            *off,
            f"{found['accuracy']:.2%}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    settings = record["settings"]
    return "\n".join(
        [
            *lines,
            "",
            "`small_cnn` of 24 filters, trained on CIFAR-10H for "
            f"{settings['minutes']:g} minutes ({settings['labeled']:,} labeled "
            f"images); {settings['images']:,} unlabeled images. "
            "[More](../benchmarks/results/speed.md#exported-models).",
        ]
    )


def _ratio(found: dict[str, Any]) -> str:
    low, high = min(found["ratios"]), max(found["ratios"])
    return f"{found['ratio']:.3f} ({low:.2f} to {high:.2f})"


def _short(value: float) -> str:
    if value == 0:
        return "0"
    return f"{value:.0e}" if value < 1e-4 else f"{value:.4f}"
