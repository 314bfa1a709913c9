"""Contact sheets of clusters: from their most typical images to the least."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING, Any

from keras_dc3._text import cut, number_of
from keras_dc3._validation import check_positive_int
from keras_dc3.metrics.findings import lines_or_not_measured
from keras_dc3.plots.captions import caption
from keras_dc3.plots.pixels import drawable
from keras_dc3.plots.sheet import GRAY, ORANGE, Sheet, file_kind
from keras_dc3.proposals.summary import shares

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_dc3.proposals import ProposalGroup, Proposals

_COLUMNS, _TITLE, _GAP = 8, 0.34, 0.25
_BETWEEN, _LEAST = "#e0b98f", "#8073ac"  # frames
_LETTERS = 29  # of the small print on the left


def plot_clusters(
    proposals: Proposals,
    images: Any,
    path: str | os.PathLike | None = None,
    num: int = 16,
    num_clusters: int = 8,
) -> Figure:
    """Draws clusters of ambiguous images, to see what is in them.

    It begins with the verdict, whether they are of use (`proposals.verdict`). Each
    cluster is a block of rows, the largest cluster first: its medoids, images evenly
    spaced from typical to less typical, and its least typical ones last. The title
    tells what the cluster is about; on the left stand the model's class probabilities,
    the nearest groups, and a suggestion if there is one (see `Proposals.groups`).

    Args:
        proposals: what to draw.
        images: as for `plot_proposals`. Only those drawn are read.
        path: file to write, such as .png, .pdf or .svg. It is complete or not there.
        num: images of a cluster, in rows of eight.
        num_clusters: how many of the largest clusters.

    Returns:
        A `matplotlib.figure.Figure` that pyplot does not know of.

    Raises:
        ImportError: without matplotlib, or Pillow for a folder.
        ValueError: if no image is ambiguous, one is missing or has a wrong shape, or
            `path` has an unknown ending.
        TypeError: if `images` do not say which image is which.

    Example:

    >>> figure = keras_dc3.plots.plot_clusters(proposals, data.unlabeled)
    """
    check_positive_int("num", num)
    check_positive_int("num_clusters", num_clusters)
    kind = file_kind(path)
    clusters = [group for group in proposals.groups() if group.kind == "cluster"]
    if not clusters:
        raise ValueError("There is nothing to draw: no image was judged ambiguous.")
    drawn = clusters[:num_clusters]
    chosen = [_chosen(group, num) for group in drawn]
    drawn_ids = [name for names in chosen for name in names]
    pixels = drawable(images, drawn_ids, proposals.ids)
    row_of = proposals.row_of
    captions = [[caption(proposals, row_of[n]) for n in names] for names in chosen]
    lines = max(len(text) for texts in captions for text in texts)
    step = Sheet.CELL + 0.12 + Sheet.CAPTION_LINE * lines + Sheet.NOTE_LINE
    heights = [_TITLE + _GAP + step * -(-len(names) // _COLUMNS) for names in chosen]
    columns = min(_COLUMNS, max(map(len, chosen)))
    width = max(Sheet.MARGIN + columns * Sheet.STRIDE, 8.6)
    verdict = lines_or_not_measured(proposals.verdict, Sheet.letters(width))
    height = 1.05 + sum(max(h, _TITLE + _GAP + 1.9) for h in heights)
    number = sum(map(len, clusters))
    title = f"Clusters of {number_of(number, 'image')} judged ambiguous"
    sheet = Sheet(width, height, title, verdict)
    about = f"The {len(drawn)} largest of {len(clusters)}. Medoids first, then from "
    about += "typical to less typical, the least typical ones last."
    sheet.write(0.15, 0.45, about, 9, GRAY)
    about = "Below each image: the model's class for it."
    sheet.write(0.15, 0.64, about, 9, GRAY)
    top = 1.05
    for group, names, texts, needed in zip(
        drawn, chosen, captions, heights, strict=True
    ):
        number = number_of(len(group), "image")
        title = f"Cluster {group.index}: {group.description}, {number}"
        room = int((width - 0.3) / 0.092)
        sheet.write(0.15, top, cut(title, room), 11, ORANGE, bold=True)
        sheet.write(0.15, top + _TITLE, _small_print(group), 8)
        notes = [_note(group, name) for name in names]
        colors = [_COLOR[note] for note in notes]
        for start in range(0, len(names), _COLUMNS):
            part = slice(start, start + _COLUMNS)
            sheet.images(
                top + _TITLE + step * (start // _COLUMNS),
                [pixels[name] for name in names[part]],
                colors[part],
                texts[part],
                [[note] for note in notes[part]],
            )
        top += max(needed, _TITLE + _GAP + 1.9)
    return sheet.finish(path, kind)


_COLOR = {"medoid": ORANGE, "": _BETWEEN, "least typical": _LEAST}


def _chosen(group: ProposalGroup, num: int) -> list[str]:
    """Returns the ids to draw: medoids, some between, the least typical ones."""
    if len(group) <= num:
        first = list(group.medoids)
        return first + [name for name in group.ids if name not in first]
    first = list(group.medoids[: max(1, num // 2)])
    last = list(group.least_typical[: max(0, min(3, num - len(first)))])[::-1]
    others = [n for n in group.ids if n not in first and n not in last]
    wanted = num - len(first) - len(last)
    step = len(others) / wanted if wanted else 1
    between = [others[int((i + 0.5) * step)] for i in range(wanted)]
    return first + between + last


def _note(group: ProposalGroup, name: str) -> str:
    if name in group.medoids:
        return "medoid"
    return "least typical" if name in group.least_typical else ""


def _small_print(group: ProposalGroup) -> str:
    parts = [
        cut(part, _LETTERS - 2) for part in shares(group.shares, group.class_names)
    ]
    lines = ["The model says", "(mean probabilities):", *(f"  {p}" for p in parts)]
    near = [
        f"class {group.class_names[index]}" if kind == "class" else f"cluster {index}"
        for kind, index, _ in group.nearest[:2]
    ]
    if near:
        lines += ["Nearest:", *(f"  {cut(name, _LETTERS - 2)}" for name in near)]
    if group.suggestion:
        lines += textwrap.wrap(f"Suggestion: {group.suggestion}", _LETTERS)
    return "\n".join(lines)
