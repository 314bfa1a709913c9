"""A sheet of paper that pictures are drawn on, measured in inches."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_dc3._writing import file_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# An image, from one to the next, and the text on the left of the first.
CELL, STRIDE, MARGIN = 1.15, 1.25, 2.1
CAPTION_LINE, NOTE_LINE = 0.15, 0.125  # height of a line of text
GRAY, GREEN, ORANGE = "#555555", "#1b7837", "#b35806"


class Sheet:
    """A figure in inches from its upper left corner."""

    def __init__(self, figure: Figure, width: float, height: float):
        self.figure, self._width, self._height = figure, width, height
        self.shift = 0.0  # inches by which all that follows is moved down

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float,
        color: str = "black",
        bold: bool = False,
        center: bool = False,
    ) -> None:
        self.figure.text(
            x / self._width,
            1 - (y + self.shift) / self._height,
            text,
            fontsize=size,
            color=color,
            weight="bold" if bold else "normal",
            ha="center" if center else "left",
            va="top",
            parse_math=False,
        )

    def small_print(self, y: float, lines: Sequence[str]) -> None:
        """Writes lines, and moves what follows below them."""
        self.write(0.15, y, "\n".join(lines), 8)
        self.shift += small_print_height(lines)

    def heading(self, y: float, text: str, about: str, color: str) -> None:
        self.write(0.15, y, text, 11, color, bold=True)
        self.write(0.15, y + 0.28, about, 9, GRAY)

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Returns new axes without ticks, from their upper left corner."""
        place = (
            x / self._width,
            1 - (y + self.shift + height) / self._height,
            width / self._width,
            height / self._height,
        )
        axes = self.figure.add_axes(place)
        axes.set(xticks=[], yticks=[])
        return axes

    def images(
        self,
        y: float,
        images: Sequence[np.ndarray],
        color: str | Sequence[str],
        captions: Sequence[list[str]],
        notes: Sequence[list[str]],
        left: float = MARGIN,
    ) -> None:
        """Draws a row of images, each with lines of a caption and of a note below.

        The frames have one color, or one each.
        """
        colors = [color] * len(images) if isinstance(color, str) else color
        for column, (image, color) in enumerate(zip(images, colors, strict=True)):
            x = left + column * STRIDE
            axes = self.axes(x, y, CELL, CELL)
            axes.imshow(image, cmap="gray", vmin=0, vmax=1)
            for spine in axes.spines.values():
                spine.set(color=color, linewidth=2)
            below, middle = y + CELL + 0.05, x + CELL / 2
            text = "\n".join(captions[column])
            self.write(middle, below, text, 8, center=True, bold=True)
            below += CAPTION_LINE * len(captions[column])
            self.write(middle, below, "\n".join(notes[column]), 7, center=True)


def small_print_width(width: float) -> int:
    """Returns the characters of a line of small print on a sheet of so many inches."""
    return int((width - 0.3) / 0.066)


def small_print_height(lines: Sequence[str]) -> float:
    """Returns the inches that lines of small print take."""
    return 0.145 * len(lines) + 0.2


def new_figure(width: float, height: float) -> Figure:
    """Returns an empty figure that pyplot does not know of.

    Raises:
        ImportError: without matplotlib.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(
            "Pictures need matplotlib, which is not installed: "
            'pip install "keras_dc3[demo]"'
        ) from error
    return Figure((width, height), dpi=110, facecolor="white")


def file_kind(path: str | os.PathLike) -> str:
    """Returns the kind of picture that a path asks for, by its ending."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    kind = os.path.splitext(file_path(path))[1].lstrip(".").lower() or "png"
    if kind not in FigureCanvasAgg.get_supported_filetypes():
        raise ValueError(
            "`path` must end in a kind of picture, such as .png, .pdf or .svg. "
            f"Received: path={os.fspath(path)!r}"
        )
    return kind
