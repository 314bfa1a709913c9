"""A sheet of paper that pictures are drawn on, measured in inches."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_dc3._extras import optional
from keras_dc3._writing import file_path, whole_file

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

GRAY, GREEN, ORANGE = "#555555", "#1b7837", "#b35806"


class Sheet:
    """A figure in inches from its upper left corner, which pyplot does not know of.

    Args:
        width: of what is drawn.
        height: likewise.
        title: in the first line.
        about: small print in the next lines, which moves what follows down.

    Raises:
        ImportError: without matplotlib.
    """

    # An image, from one to the next, and the text on the left of the first.
    CELL, STRIDE, MARGIN = 1.15, 1.25, 2.1
    CAPTION_LINE, NOTE_LINE = 0.15, 0.125  # height of a line of text

    def __init__(
        self, width: float, height: float, title: str, about: Sequence[str] = ()
    ):
        self._width, self._height = width, height + _small_print_height(about)
        size = self._width, self._height
        self.figure = _figure()(size, dpi=110, facecolor="white")
        self._shift = 0.0  # inches by which all that follows is moved down
        self.write(0.15, 0.12, title, 14, bold=True)
        if about:
            self.write(0.15, 0.5, "\n".join(about), 8)
            self._shift = _small_print_height(about)

    @staticmethod
    def letters(width: float) -> int:
        """Returns the letters in a line of small print on a sheet of so many inches."""
        return int((width - 0.3) / 0.066)

    def finish(self, path: str | os.PathLike | None, kind: str | None) -> Figure:
        """Returns the figure, written to a file of the kind if there is a path."""
        if path is not None:
            with whole_file(path, "wb") as file:
                self.figure.savefig(file, format=kind)
        return self.figure

    def write(
        self,
        x: float,
        y: float,
        text: str,
        size: float = 8,
        color: str = "black",
        *,
        bold: bool = False,
        center: bool = False,
    ) -> None:
        self.figure.text(
            x / self._width,
            1 - (y + self._shift) / self._height,
            text,
            fontsize=size,
            color=color,
            weight="bold" if bold else "normal",
            ha="center" if center else "left",
            va="top",
            parse_math=False,
        )

    def heading(self, y: float, text: str, about: str, color: str) -> None:
        self.write(0.15, y, text, 11, color, bold=True)
        self.write(0.15, y + 0.28, about, 9, GRAY)

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Returns new axes without ticks, from their upper left corner."""
        place = (
            x / self._width,
            1 - (y + self._shift + height) / self._height,
            width / self._width,
            height / self._height,
        )
        axes = self.figure.add_axes(place)
        axes.set(xticks=[], yticks=[])
        return axes

    def image(
        self, x: float, y: float, image: np.ndarray, color: str, frame: float = 2.0
    ) -> None:
        """Draws an image in a frame of a color and thickness."""
        axes = self.axes(x, y, self.CELL, self.CELL)
        axes.imshow(image, cmap="gray", vmin=0, vmax=1)
        for spine in axes.spines.values():
            spine.set(color=color, linewidth=frame)

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
            x = left + column * self.STRIDE
            self.image(x, y, image, color)
            below, middle = y + self.CELL + 0.05, x + self.CELL / 2
            text = "\n".join(captions[column])
            self.write(middle, below, text, 8, center=True, bold=True)
            below += self.CAPTION_LINE * len(captions[column])
            self.write(middle, below, "\n".join(notes[column]), 7, center=True)


def file_kind(path: str | os.PathLike | None) -> str | None:
    """Returns the kind of picture that a path asks for by its ending; None without.

    Raises:
        ImportError: without matplotlib.
        ValueError: for an unknown ending.
    """
    _figure()  # before any work
    if path is None:
        return None
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    kind = os.path.splitext(file_path(path))[1].lstrip(".").lower() or "png"
    if kind not in FigureCanvasAgg.get_supported_filetypes():
        raise ValueError(
            "`path` must end in a kind of picture, such as .png, .pdf or .svg. "
            f"Received: path={os.fspath(path)!r}"
        )
    return kind


def _figure() -> type[Figure]:
    return optional("matplotlib.figure", "Pictures need matplotlib", "demo").Figure


def _small_print_height(lines: Sequence[str]) -> float:
    """Returns the inches that lines of small print take."""
    return 0.145 * len(lines) + 0.2 if lines else 0.0
