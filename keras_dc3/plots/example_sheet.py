"""One picture of certain and ambiguous images, as the paper's Figure 3."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from keras_dc3._text import cut, number_of
from keras_dc3._validation import check_positive_int, check_seed
from keras_dc3.plots.pixels import drawable
from keras_dc3.plots.sheet import GRAY, Sheet, file_kind
from keras_dc3.proposals.summary import shares

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RED, _BLUE = "#b2182b", "#2166ac"
_CHUNK = 8192  # images whose counts are looked at together
_GAP, _STEP, _TOP = (
    0.25,
    Sheet.CELL + 0.75,
    1.0,
)  # inches between blocks, rows; of the head


class _Answers(NamedTuple):
    """What people said about each of n images: (n,) arrays.

    part, position: where the image is. first, second: the classes chosen most often.
    most, next: their shares; 0 where there is none. number: of annotations.
    """

    part: np.ndarray
    position: np.ndarray
    first: np.ndarray
    second: np.ndarray
    most: np.ndarray
    next: np.ndarray
    number: np.ndarray


def plot_examples(
    data: Any,
    path: str | os.PathLike | None = None,
    num: int = 3,
    pairs: int = 3,
    seed: int = 0,
) -> Figure:
    """Draws certain and ambiguous images of the classes that people confuse most.

    Each row is a pair of classes: on the left and on the right images of either that
    people are surest about, in the middle those about which they are divided.

    Args:
        data: a data set, or a set of images with counts, such as `data.validation`.
        path: file to write, such as .png, .pdf or .svg. It is complete or not there.
        num: images of each kind in a row.
        pairs: pairs of classes, those with the largest share of divided answers first.
        seed: of the choice among images that people are equally sure about.

    Returns:
        A `matplotlib.figure.Figure` that pyplot does not know of.

    Raises:
        ImportError: without matplotlib.
        ValueError: if no two classes were chosen, an image has a wrong shape, or
            `path` has an unknown ending.
        TypeError: if `data` is something else.

    Example:

    >>> images = np.zeros((3, 8, 8, 1), "uint8")
    >>> counts = [[3, 0], [1, 2], [0, 3]]
    >>> part = keras_dc3.data.ImageSet(images, list("abc"), counts, ["cod", "ling"])
    >>> figure = keras_dc3.plots.plot_examples(part)
    """
    check_positive_int("num", num)
    check_positive_int("pairs", pairs)
    check_seed(seed)
    kind = file_kind(path)
    parts, names, name = _parts(data)
    answers = _answers(parts)
    divided = answers.next > 0
    chosen = _pairs(answers, len(names))[:pairs]
    if not chosen:
        raise ValueError(
            "There is nothing to draw: examples need annotated images of at least two "
            "classes. Received: "
            f"{number_of(int((answers.most > 0).sum()), 'annotated image')}."
        )
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(answers.most))
    # The surest first; of equals those that most people saw; then at random.
    order = order[np.lexsort((-answers.number[order], -answers.most[order]))]
    width = Sheet.MARGIN + 3 * num * Sheet.STRIDE + 2 * _GAP
    height = _TOP + len(chosen) * _STEP
    title = f"What people agree on, and what not: {name}"
    sheet = Sheet(width, height, title)
    annotated = int((answers.most > 0).sum())
    about = (
        f"{int(divided.sum()):,} of {annotated:,} annotated images got different "
        "answers. Below each image: what the annotators answered."
    )
    sheet.write(0.15, 0.45, about, 9, GRAY)
    shown: set[int] = set()
    for row, (a, b) in enumerate(chosen):
        top = _TOP + row * _STEP
        between = divided & np.isin(answers.first, [a, b])
        between &= np.isin(answers.second, [a, b])
        text = f"{cut(names[a], 25)}\n{cut(names[b], 25)}"
        sheet.write(0.15, top, text, 9, bold=True)
        text = f"{number_of(int(between.sum()), 'image')} in between"
        sheet.write(0.15, top + 0.35, text, 8)
        middle = np.flatnonzero(between)
        middle = middle[np.argsort(-answers.next[middle], kind="stable")]
        blocks = [
            (cut(names[a], 12 * num), _RED, order[answers.first[order] == a]),
            ("in between", GRAY, middle),
            (cut(names[b], 12 * num), _BLUE, order[answers.first[order] == b]),
        ]
        for column, (heading, color, rows) in enumerate(blocks):
            x = Sheet.MARGIN + column * (num * Sheet.STRIDE + _GAP)
            rows = [i for i in rows if answers.most[i] > 0 and i not in shown][:num]
            shown.update(rows)
            sheet.write(x, top - 0.18, heading, 8, color, bold=True)
            pixels, notes = _read(parts, answers, rows, names)
            sheet.images(top, pixels, color, [[]] * len(rows), notes, x)
    return sheet.finish(path, kind)


def _parts(data: Any) -> tuple[list[Any], tuple[str, ...], str]:
    """Returns the sets of images that have counts, class names, and a name."""
    known = [data]
    if hasattr(data, "policies"):
        known = [data.labeled, data.unlabeled, data.validation]
        known = [part for part in known if part is not None]
    if not all(hasattr(part, "has_counts") for part in known):
        raise TypeError(
            "`data` must be a data set of `keras_dc3.datasets`, or a set of images "
            f"such as `data.validation`. Received: {type(data).__name__}"
        )
    parts = [part for part in known if part.has_counts]
    if not parts:
        raise ValueError(
            "There is nothing to draw: the images carry no annotation counts. Pass "
            "`counts` where they are made."
        )
    name = getattr(data, "name", None) or number_of(sum(map(len, known)), "image")
    return parts, parts[0].class_names, name


def _answers(parts: list[Any]) -> _Answers:
    columns: list[tuple[np.ndarray, ...]] = []
    for number, part in enumerate(parts):
        for start in range(0, len(part), _CHUNK):
            positions = np.arange(start, min(start + _CHUNK, len(part)))
            counts = part.subset(positions).counts.astype("float64")
            total = counts.sum(axis=1)
            soft = counts / np.where(total > 0, total, 1)[:, None]
            ranked = np.argsort(-soft, axis=1, kind="stable")
            first, second = ranked[:, 0], ranked[:, min(1, ranked.shape[1] - 1)]
            rows = np.arange(len(soft))
            columns.append(
                (
                    np.full(len(rows), number),
                    positions,
                    first,
                    second,
                    soft[rows, first],
                    np.where(first == second, 0.0, soft[rows, second]),
                    total,
                )
            )
    return _Answers(*(np.concatenate(column) for column in zip(*columns, strict=True)))


def _pairs(answers: _Answers, k: int) -> list[tuple[int, int]]:
    """Returns pairs of classes, those between which most answers are divided first.

    Where people never disagree: the most frequent classes, two by two.
    """
    confused = np.zeros((k, k))
    low = np.minimum(answers.first, answers.second)
    high = np.maximum(answers.first, answers.second)
    np.add.at(confused, (low, high), answers.next)
    order = np.argsort(-confused, axis=None, kind="stable")
    pairs = [divmod(int(cell), k) for cell in order if confused.flat[cell] > 0]
    if pairs:
        return pairs
    frequent = np.bincount(answers.first[answers.most > 0], minlength=k)
    found = [int(c) for c in np.argsort(-frequent, kind="stable") if frequent[c]]
    return list(zip(found[::2], found[1::2], strict=False))


def _read(
    parts: list[Any], answers: _Answers, rows: list[int], names: tuple[str, ...]
) -> tuple[list[np.ndarray], list[list[str]]]:
    """Returns images ready to draw, and lines that tell what people answered."""
    pixels, notes = [], []
    for row in rows:
        part = parts[answers.part[row]].subset([answers.position[row]])
        (image,) = drawable(part, part.ids).values()
        pixels.append(image)
        soft = part.soft_labels[0].astype("float64")
        notes.append([cut(share, 21) for share in shares(soft, names, 2)])
    return pixels, notes
