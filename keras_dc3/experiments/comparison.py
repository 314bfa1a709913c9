"""Which runs of a study compare, and whether the unlabeled images helped."""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dc3.experiments.records import Cell

# What all runs must share, and the runs of one strategy and config besides.
_OF_ALL = ("image_shape", "class_names", "batch_size", "backbone", "dtype")
_OF_A_ROW = (
    "strategy",
    "config",
    "steps",
    "parameters",
    "optimizer",
    "ema_decay",
    "batch_norm",
)


def check_comparable(records: dict[Cell, dict[str, Any]]) -> None:
    """Raises ValueError if runs were trained with other settings."""
    first: dict[tuple[tuple[str, ...], str], Cell] = {}
    for cell, record in records.items():
        for group, names in (((), _OF_ALL), (cell[:2], _OF_A_ROW)):
            for name in names:
                if name not in record["settings"]:
                    continue  # recorded by a version that did not tell
                other = first.setdefault((group, name), cell)
                before, now = (
                    _without_name(records[one]["settings"][name])
                    for one in (other, cell)
                )
                if before != now:
                    raise ValueError(
                        f"The runs {other.name} and {cell.name} differ in {name}: "
                        f"{before!r} and {now!r}. `make_data` or `make_model` was "
                        "changed between them; remove the record of one, and run "
                        "again, or use another folder."
                    )


def _without_name(value: Any) -> Any:
    """Returns settings without the name, which Keras counts up."""
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in value.items() if key != "name"}


def is_vanilla(record: dict[str, Any]) -> bool:
    """Whether a run trained nothing of DC3, but the strategy alone."""
    config = record["settings"]["config"]
    return not (config["inverse_weight"] or config["ambiguity_weight"])


def helped(rows: dict[str, Any]) -> list[str]:
    """Returns a sentence per row on accuracy against the supervised baseline."""
    baseline = None
    for config, row in rows.get("supervised", {}).items():
        if row["vanilla"]:
            baseline = (f"supervised {config}", row)
    if baseline is None:
        return [
            "Whether the unlabeled images helped cannot be told: the study has no "
            'finished cell of the strategy "supervised" with `DC3Config.vanilla()`.'
        ]
    sentences = []
    for strategy, of_strategy in rows.items():
        for config, row in of_strategy.items():
            if row is not baseline[1]:
                sentences.append(_verdict(f"{strategy} {config}", row, *baseline))
    return sentences


def _verdict(name: str, row: dict, baseline_name: str, baseline: dict) -> str:
    seeds = [seed for seed in row["seeds"] if seed in baseline["seeds"]]
    if not seeds:
        return f"{name}: no seed in common with {baseline_name}, nothing to compare."
    ours, theirs = (
        100 * np.array([r["scores"]["accuracy"][r["seeds"].index(s)] for s in seeds])
        for r in (row, baseline)
    )
    gain = float(np.mean(ours - theirs))
    facts = (
        f"accuracy {ours.mean():.1f} against {theirs.mean():.1f} of {baseline_name} "
        f"({gain:+.1f} points"
    )
    if len(seeds) < 2:
        return (
            f"{name}: {facts}, one seed): whether the unlabeled images helped cannot "
            "be told from one seed; train three or more."
        )
    spread = max(float(ours.std(ddof=1)), float(theirs.std(ddof=1)))
    beyond = abs(gain) - spread
    if beyond < 0.05:  # less than is shown
        verdict = "made no difference beyond the spread of the seeds"
        facts += f"; the seeds spread by {spread:.1f}"
    else:
        verdict = "helped" if gain > 0 else "did harm"
        facts += f", {beyond:.1f} beyond the spread of the seeds, {spread:.1f}"
    return f"{name}: the unlabeled images {verdict}: {facts}; {len(seeds)} seeds)."
