"""One picture that shows what augmentation does to the images."""

from __future__ import annotations

import dataclasses
import os
import re
import textwrap
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from keras_dc3._text import cut
from keras_dc3._validation import check_positive_int, check_seed
from keras_dc3.plots.pixels import drawable
from keras_dc3.plots.sheet import GRAY, Sheet, file_kind

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_BLUE = "#2166ac"
# In inches: from row to row, between views, and what is left free on both sides.
_ROW, _GAP, _MARGIN = 1.4, 0.3, 0.15
_LINE, _CHARACTER, _BOLD = 0.125, 0.06, 0.08  # sizes of small print; of a title
_MOST_LINES, _NAME = 8, 23


class _Block(NamedTuple):
    """Columns of images, id -> pixels, that belong together."""

    title: str
    about: str
    headings: list[str]
    columns: list[dict[str, np.ndarray]]

    @property
    def width(self) -> float:
        return len(self.columns) * Sheet.STRIDE - (Sheet.STRIDE - Sheet.CELL)

    @property
    def lines(self) -> list[str]:
        room = int(self.width / _CHARACTER)
        open_to_break = re.sub(r"\((?!\))", "( ", self.about)
        lines = textwrap.wrap(
            open_to_break, room, max_lines=_MOST_LINES, placeholder=" ..."
        )
        return [line.replace("( ", "(") for line in lines]


def plot_views(
    data: Any,
    views: Any = None,
    path: str | os.PathLike | None = None,
    num: int = 6,
    draws: int = 3,
    seed: int = 0,
) -> Figure:
    """Draws what augmentation does to your images, to look at before training.

    Each row is an image, picked at random: first as it is, then as a few random draws
    of each view show it. Where you could not tell its class any more, the augmentation
    is too strong for your images.

    Args:
        data: the data set that `fit` gets, of which unlabeled images are shown (labeled
            ones if there are no others); or an `ImageSet`.
        views: what to show. Names of views, such as `("weak", "strong")`, or a
            strategy: the augmentation that `data` has for the labeled images and for
            each of the views. Or a mapping from a title to an augmentation (see
            `data.get_policy`); a function gets NumPy arrays here. Default: weak and
            strong.
        path: file to write, such as .png, .pdf or .svg. It is complete or not there.
        num: images, one in a row.
        draws: random draws of each view.
        seed: of the images picked and of the draws; an integer of at least 0.

    Returns:
        A `matplotlib.figure.Figure` that pyplot does not know of.

    Raises:
        ImportError: without matplotlib.
        ValueError: if there is no image or no view, an image has a wrong shape, a name
            means no augmentation, or `path` has an unknown ending.
        TypeError: if `data` or `views` are something else.

    Example:

    >>> images = keras_dc3.data.ImageSet(np.zeros((2, 8, 8, 3), "uint8"), ["a", "b"])
    >>> views = {"strong": "strong", "mine": lambda images: images[:, ::-1]}
    >>> figure = keras_dc3.plots.plot_views(images, views)
    """
    check_positive_int("num", num)
    check_positive_int("draws", draws)
    check_seed(seed)
    kind = file_kind(path)
    images = _images(data)
    policies = _policies(data, views)
    chosen = np.random.default_rng(seed).permutation(len(images))[:num]
    blocks = _blocks(images, chosen, policies, data.value_range, draws, seed)

    top = 1.3 + _LINE * max(len(block.lines) for block in blocks)
    height = top + len(chosen) * _ROW
    width = 2 * _MARGIN - _GAP + sum(block.width + _GAP for block in blocks)
    width = max(width, 5.6)
    sheet = Sheet(width, height, "What augmentation does to the images")
    about = f"{len(chosen)} of {len(images):,} images, as they are and as training may"
    sheet.write(_MARGIN, 0.45, f"{about} show them to the network.", 9, GRAY)
    x = _MARGIN
    for number, block in enumerate(blocks):
        _draw(sheet, x, top, block, _BLUE if number else GRAY)
        x += block.width + _GAP
    for row, position in enumerate(chosen):
        below = top + row * _ROW + Sheet.CELL + 0.05
        name = " ".join(images.ids[position].split())
        if len(name) > _NAME:  # names of files differ at their end
            name = "..." + name[3 - _NAME :]
        sheet.write(_MARGIN + Sheet.CELL / 2, below, name, 6.5, center=True)
    return sheet.finish(path, kind)


def _images(data: Any) -> Any:
    """Returns the images of `data` that are shown."""
    images = data
    if hasattr(data, "policies"):
        images = data.labeled if data.unlabeled is None else data.unlabeled
    if getattr(images, "holds_features", False):
        raise ValueError(
            "Features have no pictures of their views: draw those of the images that "
            f"they were computed from. Received: {images!r}"
        )
    if not hasattr(images, "read") or not hasattr(data, "value_range"):
        raise TypeError(
            "`data` must be a data set as `fit` gets it, or a "
            "`keras_dc3.data.ImageSet(images, ids)`. Received: "
            f"{type(data).__name__}"
        )
    if not len(images):
        raise ValueError("There is nothing to draw: `data` hold no image.")
    return images


def _policies(data: Any, views: Any) -> dict[str, Any]:
    """Returns title -> augmentation."""
    from keras_dc3.data import get_policy

    knows = hasattr(data, "policies")
    if views is None:
        views = ("weak", "strong") if knows else {"weak": "weak", "strong": "strong"}
    if isinstance(views, Mapping):
        if not views:
            raise ValueError("There is nothing to draw: `views` is empty.")
        return {str(title): get_policy(policy) for title, policy in views.items()}
    names = getattr(views, "views", views)
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise TypeError(
            '`views` must be a list of names, such as ("weak", "strong"), a strategy, '
            "such as `keras_dc3.strategies.FixMatch()`, or a mapping from a title to "
            f"an augmentation. Received: {views!r}"
        )
    if not knows:
        raise ValueError(
            "Images alone do not say how a view is augmented: pass `views` as a "
            'mapping, such as {"strong": "strong"}, or the data set that `fit` gets. '
            f"Received: views={views!r}"
        )
    return data.policies([str(name) for name in names])


def _blocks(
    images: Any,
    chosen: np.ndarray,
    policies: Mapping[str, Any],
    value_range: tuple[float, float],
    draws: int,
    seed: int,
) -> list[_Block]:
    """Returns the originals, and the draws of each view."""
    from keras_dc3.data.augment_numpy import augment
    from keras_dc3.data.plan import stream_number

    ids = [images.ids[position] for position in chosen]
    pixels = images.read(chosen)
    words = np.random.SeedSequence(seed).generate_state(draws) >> 1

    def column(shown: np.ndarray) -> dict[str, np.ndarray]:
        shown = SimpleNamespace(ids=ids, images=shown, value_range=value_range)
        return drawable(shown, ids)

    blocks = [_Block("original", "", [""], [column(pixels)])]
    for title, policy in policies.items():
        columns = []
        for word in words:
            draw_seed = [int(word), stream_number(title)]
            columns.append(column(augment(policy, pixels, draw_seed, value_range)))
        headings = [f"draw {i + 1}" for i in range(draws)]
        blocks.append(_Block(title, _described(policy), headings, columns))
    return blocks


def _described(value: Any) -> str:
    """Returns the representation of an augmentation, without long defaults."""
    value = getattr(value, "function", value)
    if dataclasses.is_dataclass(value):
        parts = [
            f"{field.name}={_described(getattr(value, field.name))}"
            for field in dataclasses.fields(value)
            if not isinstance(field.default, tuple)
            or getattr(value, field.name) != field.default
        ]
        return f"{type(value).__name__}({', '.join(parts)})"
    if callable(value):  # its representation would hold an address
        return getattr(value, "__name__", type(value).__name__)
    return repr(value)


def _draw(sheet: Sheet, x: float, top: float, block: _Block, color: str) -> None:
    title = cut(block.title, int(block.width / _BOLD))
    sheet.write(x, 0.82, title, 10, color, bold=True)
    sheet.write(x, 1.03, "\n".join(block.lines), 7, GRAY)
    for heading, column in zip(block.headings, block.columns, strict=True):
        sheet.write(x + Sheet.CELL / 2, top - 0.16, heading, 7, center=True)
        for row, image in enumerate(column.values()):
            sheet.image(x, top + row * _ROW, image, color, 1.0)
        x += Sheet.STRIDE
