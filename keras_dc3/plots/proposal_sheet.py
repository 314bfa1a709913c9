"""One picture that shows what a model proposes."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_dc3._decision import AMBIGUOUS, CERTAIN
from keras_dc3._text import cut, number_of
from keras_dc3._validation import check_positive_int
from keras_dc3.metrics.findings import lines_or_not_measured, of_certain_images
from keras_dc3.plots.captions import answers_of, caption, said
from keras_dc3.plots.pixels import drawable
from keras_dc3.plots.sheet import GRAY, GREEN, ORANGE, Sheet, file_kind
from keras_dc3.proposals.summary import mixture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from keras_dc3.proposals import Proposals

_CERTAIN_ROWS, _CLUSTERS = 2, 4


def plot_proposals(
    proposals: Proposals,
    images: Any,
    path: str | os.PathLike | None = None,
    num: int = 8,
    soft_labels: Any = None,
) -> Figure:
    """Draws what a model proposes, for people who see it for the first time.

    It begins with the verdict, whether it is of use (`proposals.verdict`). Above:
    images judged certain, with class and probability; of each predicted class in turn
    the one with the smallest ambiguity. Below: images judged ambiguous, the largest
    clusters in a row each, the most typical images first.

    Args:
        proposals: what to draw.
        images: id -> image; or an object with `ids` and `images` or `read(positions)`,
            such as `data.unlabeled`; or an array, one for each proposal in order; or
            the path of a folder to which the ids are relative. An image is (h, w),
            (h, w, 1) or (h, w, 3), uint8 or float in 0..1, -1..1 or 0..255. Only those
            drawn are read.
        path: file to write, such as .png, .pdf or .svg. It is complete or not there.
        num: images in a row.
        soft_labels: what people answered, shown below each image: (n, k) in the order
            of `proposals`, or id -> (k,).

    Returns:
        A `matplotlib.figure.Figure` that pyplot does not know of.

    Raises:
        ImportError: without matplotlib, or Pillow for a folder.
        ValueError: if there is no proposal, an image or soft label is missing or has a
            wrong shape, or `path` has an unknown ending.
        TypeError: if `images` do not say which image is which.

    Example:

    >>> figure = keras_dc3.plots.plot_proposals(proposals, data.unlabeled)
    """
    check_positive_int("num", num)
    kind = file_kind(path)
    if not len(proposals):
        raise ValueError("There is nothing to draw: `proposals` hold no image.")
    people = answers_of(proposals, soft_labels)
    certain = _certain_rows(proposals, num)
    clusters, used = _largest_clusters(proposals)
    rows = [row for members in certain for row in members]
    rows += [row for _, members in clusters for row in members[:num]]
    pixels = drawable(images, [proposals.ids[row] for row in rows], proposals.ids)

    captions = [[caption(proposals, i) for i in members] for members in certain]
    answers = [said(proposals, people, members) for members in certain]
    of_clusters = [said(proposals, people, rows[:num]) for _, rows in clusters]
    certain_step, step = _step(captions, answers), _step([], of_clusters)
    width = max(Sheet.MARGIN + num * Sheet.STRIDE, 8.6)
    verdict = lines_or_not_measured(proposals.verdict, Sheet.letters(width))
    advice = []
    if certain:
        text = f"{of_certain_images(proposals.verdict)}."
        advice = textwrap.wrap(text, int((width - 0.3) / 0.074))
        advice.append("Shown are the surest images of each proposed class.")
    first = 1.1 + 0.17 * len(advice)  # where certain images begin, and ambiguous ones
    second = first + 0.1 + max(1, len(certain)) * certain_step
    height = second + 0.7 + max(1, len(clusters)) * step
    n, ambiguous = len(proposals), int((proposals.decision == AMBIGUOUS).sum())
    title = f"What the model proposes for {number_of(n, 'image')}"
    sheet = Sheet(width, height, title, verdict)
    sheet.heading(
        0.6,
        f"Certain: {number_of(n - ambiguous, 'image')} ({1 - ambiguous / n:.0%})",
        "\n".join(advice),
        GREEN,
    )
    for row, members in enumerate(certain):
        shown = [pixels[proposals.ids[i]] for i in members]
        top = first + row * certain_step
        sheet.images(top, shown, GREEN, captions[row], answers[row])
    if certain:
        about = ["Below each image: the class proposed, and its probability."]
        if people is not None:
            about.append('"people": what the annotators answered.')
        text = "\n".join(textwrap.fill(line, 25) for line in about)
        sheet.write(0.15, first, text, 8, GRAY)
    else:
        sheet.write(Sheet.MARGIN, first, "No image was judged certain.", 10, GRAY)
    sheet.heading(
        second,
        f"Ambiguous: {number_of(ambiguous, 'image')} ({ambiguous / n:.0%}). "
        "Each gets a cluster of look-alikes: label them side by side.",
        f"Each row is a cluster. Shown are the {len(clusters)} largest of {used}, "
        "their most typical images first."
        if clusters
        else "",
        ORANGE,
    )
    for row, (cluster, members) in enumerate(clusters):
        top = second + 0.7 + row * step
        guesses = mixture(proposals.class_index[members], proposals.class_names)
        text = "\n".join(cut(guess, 25) for guess in guesses)
        number = number_of(len(members), "image")
        text = f"{number}\nThe model's guesses\n(numbers of images):\n{text}"
        sheet.write(0.15, top, f"Cluster {cluster}", 10, ORANGE, bold=True)
        sheet.write(0.15, top + 0.22, text, 8)
        shown = [pixels[proposals.ids[i]] for i in members[:num]]
        sheet.images(top, shown, ORANGE, [[]] * len(shown), of_clusters[row])
    if not clusters:
        sheet.write(
            Sheet.MARGIN, second + 0.7, "No image was judged ambiguous.", 10, GRAY
        )
    return sheet.finish(path, kind)


def _certain_rows(proposals: Proposals, num: int) -> list[list[int]]:
    """Returns rows of at most `num` images, each class's surest first, in turn."""
    certain = np.flatnonzero(proposals.decision == CERTAIN)
    certain = certain[np.argsort(proposals.ambiguity[certain], kind="stable")]
    turns: dict[int, int] = {}
    keys = []
    for row in certain:
        of_class = int(proposals.class_index[row])
        turns[of_class] = turns.get(of_class, 0) + 1
        keys.append((turns[of_class], of_class))
    order = sorted(range(len(certain)), key=keys.__getitem__)[: _CERTAIN_ROWS * num]
    chosen = [int(certain[i]) for i in order]
    return [chosen[i : i + num] for i in range(0, len(chosen), num)]


def _largest_clusters(proposals: Proposals) -> tuple[list[tuple[int, Any]], int]:
    """Returns (cluster, its rows, most typical first), and how many clusters exist."""
    ambiguous = np.flatnonzero(proposals.decision == AMBIGUOUS)
    found, sizes = np.unique(proposals.cluster[ambiguous], return_counts=True)
    clusters = []
    for cluster in found[np.argsort(-sizes, kind="stable")[:_CLUSTERS]]:
        rows = ambiguous[proposals.cluster[ambiguous] == cluster]
        typical = np.argsort(-proposals.cluster_probability[rows], kind="stable")
        clusters.append((int(cluster), rows[typical]))
    return clusters, len(found)


def _step(
    captions: Sequence[Sequence[list[str]]], notes: Sequence[Sequence[list[str]]]
) -> float:
    """Returns the inches from one row of images to the next."""
    name = max((len(lines) for row in captions for lines in row), default=0)
    note = max((len(lines) for row in notes for lines in row), default=0)
    return Sheet.CELL + 0.2 + Sheet.CAPTION_LINE * name + Sheet.NOTE_LINE * note
