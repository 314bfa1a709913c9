"""Scores of several models as a plain-text table that explains itself."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from keras_dc3._validation import check_positive_int


class _Column(NamedTuple):
    heading: str
    meaning: str


# In the order of the table. The keys are those of `proposal_scores` and
# `honest_context`.
COLUMNS: dict[str, _Column] = {
    "f1": _Column(
        "F1",
        "Where the model is sure: how often its class is the one most people chose "
        "(weighted F1). Where several classes tie for the most answers, each of them "
        "is right in part: one of two is half right. Higher is better.",
    ),
    "d": _Column(
        "d",
        "Where the model is not sure: how much people's answers differ within a "
        "cluster of look-alikes. 0 is best: all images of a cluster got the same "
        "answers. Lower is better.",
    ),
    "d_minus_f1": _Column(
        "d - F1", "Both in one number, to choose among runs. Lower is better."
    ),
    "ambiguous": _Column(
        "ambiguous",
        "Share of the images that the model is not sure about. Neither high nor low "
        "is better.",
    ),
    "degenerated": _Column(
        "degenerated",
        "yes: the model calls nearly all or nearly no images ambiguous (10% or less "
        "on one side), so its F1 and d say nothing. no is better.",
    ),
    "d_size_weighted": _Column(
        "d by size",
        "d, but a large cluster counts more than a small one. d alone can look good "
        "because of many tiny clusters. Lower is better.",
    ),
    "d_class": _Column(
        "d of class",
        "d of the same images if they are grouped by the model's class instead. "
        "Clusters help only if d is below it.",
    ),
    "d_class_size_weighted": _Column(
        "d of class by size",
        "d of class, but a large class counts more than a small one. Compare it with d "
        "by size.",
    ),
    "d_k_means": _Column(
        "d of k-means",
        "d of the same images if an everyday method (k-means) groups them, by what the "
        "model sees in them and its class probabilities. The model's own clusters are "
        "worth it only if d is below it.",
    ),
    "d_k_means_size_weighted": _Column(
        "d of k-means by size",
        "d of k-means, but a large cluster counts more than a small one. Compare it "
        "with d by size.",
    ),
    "d_shuffled": _Column(
        "d by chance",
        "d of the same images if they are dealt to the clusters at random. Clusters "
        "mean something only if d is well below it.",
    ),
    "f1_constant_majority": _Column(
        "F1 one class",
        "F1 of always answering the most frequent class, on the images F1 is about. "
        "F1 should be well above it.",
    ),
    "f1_confident": _Column(
        "F1 confident",
        "F1 on equally many images, chosen by the model's plain confidence in its "
        "class. By default the certain images are just these, and F1 is the same; "
        "where F1 is below it, go by confidence.",
    ),
    "f1_confident_reference": _Column(
        "F1 conf. ref.",
        "F1 on equally many images, those that a model trained without ambiguity and "
        "clusters is most confident of. If F1 is not above it, that model would do.",
    ),
    "accuracy": _Column(
        "accuracy",
        "All images: how often the model's class is the one most people chose; of "
        "classes that tie, each is right in part. Higher is better.",
    ),
    "auroc_ambiguity": _Column(
        "AUROC amb.",
        "How well the predicted ambiguity finds the images people disagree on: 100 is "
        "perfect, 50 is chance (area under the ROC curve). Higher is better.",
    ),
    "auroc_softmax": _Column(
        "AUROC conf.",
        "How well a low confidence (1 - largest class probability) finds them. The "
        "predicted ambiguity is of use only if AUROC amb. is above it.",
    ),
    "auroc_margin": _Column(
        "AUROC margin",
        "How well a small lead of the model's class over its second choice finds them. "
        "The predicted ambiguity is of use only if AUROC amb. is above it.",
    ),
    "auroc_entropy": _Column(
        "AUROC entr.",
        "How well the entropy of the class probabilities finds them. The predicted "
        "ambiguity is of use only if AUROC amb. is above it.",
    ),
    "auroc_label_quality": _Column(
        "AUROC label",
        "How well a low probability of one person's answer finds them (cleanlab's "
        "label quality). It sees an answer on each image; the predicted ambiguity "
        "does not.",
    ),
}
_GAP = "  "
_INTERVALS_NOTE = (
    "Below each: its 95% interval, over images only. With other images of the same "
    "kind the score would lie there; with another training it may differ by more."
)
_VANILLA_NOTE = (
    "A model with 0.0 ambiguous is sure about everything: its F1 and d are over all "
    "images, with its classes taken as clusters. Its d is thus over other images than "
    "that of a model that calls some ambiguous; compare the two with care."
)


def format_scores(
    rows: Mapping[str, Mapping[str, float | bool]],
    columns: Sequence[str] | None = None,
    legend: bool = True,
    width: int = 88,
    intervals: Mapping[str, Mapping[str, Sequence[float]]] | None = None,
) -> str:
    """Writes scores as an aligned table, with a legend in plain words.

    All numbers are percentages with one decimal; "-" stands for NaN and for scores
    that a row lacks. Below each score stands its interval, where there is one. A table
    wider than `width` goes on below, with the names of the models repeated.

    Args:
        rows: name of the model -> scores, as returned by `proposal_scores` and
            `honest_context`; `{**proposal_scores(...), **honest_context(...)}` shows
            both.
        columns: keys of the scores to show, in this order. Default: all that occur.
        legend: whether to explain the columns below the table.
        width: characters per line, at least 40.
        intervals: name of the model -> (low, high) of its scores, as returned by
            `score_intervals`; None for a table without.

    Returns:
        Lines without trailing spaces, joined by newlines.

    Raises:
        ValueError: without any row, for a key that is no score, or if there is nothing
            to show.
        TypeError: for a score that is no number.

    Example:

    >>> rows = {"vanilla": {"f1": 0.7153, "d": 0.4913}, "DC3": {"f1": 0.8305}}
    >>> print(keras_dc3.metrics.format_scores(rows, legend=False))
    model      F1     d
    -------------------
    vanilla  71.5  49.1
    DC3      83.0     -
    >>> intervals = {"vanilla": {"f1": (0.6912, 0.7394)}}
    >>> print(
    ...     keras_dc3.metrics.format_scores(rows, legend=False, intervals=intervals)
    ... )
    model           F1     d
    ------------------------
    vanilla       71.5  49.1
             69.1-73.9
    DC3           83.0     -
    """
    check_positive_int("width", width, least=40)
    if not rows:
        raise ValueError(
            "`rows` must hold the scores of at least one model, such as "
            '{"my model": proposal_scores(...)}. Received: none'
        )
    given = dict.fromkeys(key for scores in rows.values() for key in scores)
    for key in [*given, *(columns or ())]:
        if key not in COLUMNS:
            raise ValueError(
                f"Unknown score {key!r}. Known scores: {', '.join(COLUMNS)}."
            )
    if columns is None:
        columns = [key for key in COLUMNS if key in given]
    if not columns:
        raise ValueError("There is no score to show: each row of `rows` is empty.")
    intervals = intervals or {}
    names, told = ["model"], []
    for name in rows:
        names.append(" ".join(str(name).split()))
        ends = intervals.get(name, {})
        told.append({key: _ends(name, key, ends.get(key)) for key in columns})
        if any(told[-1].values()):
            names.append("")
    first = _aligned(names, "<")
    shown = []
    for key in columns:
        cells = [COLUMNS[key].heading]
        for (name, scores), below in zip(rows.items(), told, strict=True):
            cells.append(_cell(name, key, scores.get(key)))
            if any(below.values()):
                cells.append(below[key])
        shown.append(_aligned(cells, ">"))
    lines: list[str] = []
    for block in _blocks(shown, width - len(first[0])):
        table = [_GAP.join(cells).rstrip() for cells in zip(first, *block, strict=True)]
        table.insert(1, "-" * max(map(len, table)))
        lines += [*([""] if lines else []), *table]
    if legend:
        with_intervals = any(any(below.values()) for below in told)
        lines += ["", *_legend(columns, width, with_intervals)]
        if _mixes_kinds(rows.values(), columns):
            lines += ["", *textwrap.wrap(_VANILLA_NOTE, width)]
    return "\n".join(lines)


def _cell(name: str, key: str, value: Any) -> str:
    if value is None:
        return "-"
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(
            f"Scores must be numbers. Received: {key}={value!r} for the model {name!r}"
        ) from None
    if math.isnan(number):
        return "-"
    if key == "degenerated":
        return "yes" if number else "no"
    text = f"{100 * number:.1f}"
    return "0.0" if text == "-0.0" else text


def _ends(name: str, key: str, interval: Sequence[float] | None) -> str:
    """Returns an interval, such as "80.1-84.7"; "" without one."""
    if interval is None or any(math.isnan(end) for end in interval):
        return ""
    low, high = (_cell(name, key, end) for end in interval)
    return f"{low} to {high}" if low.startswith("-") else f"{low}-{high}"


def _mixes_kinds(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> bool:
    """Returns whether `d` of all images stands beside `d` of some."""
    ambiguous = [float(scores.get("ambiguous", math.nan)) for scores in rows]
    return (
        any(column.startswith("d") and column != "degenerated" for column in columns)
        and 0.0 in ambiguous
        and any(share > 0 for share in ambiguous)
    )


def _aligned(cells: list[str], side: str) -> list[str]:
    width = max(map(len, cells))
    return [f"{cell:{side}{width}}" for cell in cells]


def _blocks(shown: list[list[str]], width: int) -> list[list[list[str]]]:
    """Divides columns into blocks that fit into `width`, each of one at least."""
    blocks: list[list[list[str]]] = []
    room = 0
    for column in shown:
        needed = len(_GAP) + len(column[0])
        if not blocks or needed > room:
            blocks.append([])
            room = width
        blocks[-1].append(column)
        room -= needed
    return blocks


def _legend(columns: Sequence[str], width: int, intervals: bool) -> list[str]:
    note = "All numbers are percentages; - means there is nothing to compute it from."
    if tuple(columns) == ("degenerated",):
        note = "- means there is nothing to compute it from."
    if intervals:
        note += f" {_INTERVALS_NOTE}"
    lines = textwrap.wrap(note, width)
    indent = max(len(COLUMNS[key].heading) for key in columns) + len(_GAP)
    for key in columns:
        heading, meaning = COLUMNS[key]
        lines += textwrap.wrap(
            meaning,
            width,
            initial_indent=f"{heading:<{indent}}",
            subsequent_indent=" " * indent,
        )
    return lines
