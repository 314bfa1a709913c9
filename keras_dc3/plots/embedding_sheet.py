"""Where a network puts the images, in two dimensions: Figure 4 of the paper."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from keras_dc3._decision import AMBIGUOUS
from keras_dc3._text import cut, number_of
from keras_dc3._ties import equal_shares, is_tied
from keras_dc3._validation import check_choice, check_positive_int, check_seed
from keras_dc3.metrics.findings import lines_or_not_measured
from keras_dc3.plots.captions import answers_of
from keras_dc3.plots.projection import METHODS, project
from keras_dc3.plots.sheet import GRAY, Sheet, file_kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from keras_dc3.proposals import Proposals

_SIDE, _STEP, _MARGIN, _TOP = 3.3, 3.5, 0.15, 1.35
_PALE = "#d9d9d9"
_TIED = (0.0, 0.0, 0.0, 1.0)
_NAMED, _LEGEND_LINE, _LEGEND_COLUMNS = 20, 0.2, 2
_NUMBERED = 15  # clusters whose number is written


class _Panel(NamedTuple):
    title: str
    about: str
    draw: Callable[[Axes, np.ndarray], None]
    of_classes: bool = False


def plot_embedding(
    proposals: Proposals,
    soft_labels: Any = None,
    path: str | os.PathLike | None = None,
    method: str = "tsne",
    max_points: int = 5000,
    seed: int = 0,
) -> Figure:
    """Draws where the network puts the images, as in Figure 4 of the paper.

    Side by side, the same points colored by what people chose and how much they
    disagree (with `soft_labels`), by predicted class, by ambiguity, and by the clusters
    of the images judged ambiguous. Above them stands the verdict, whether the proposals
    are of use (`proposals.verdict`). Below the classes stand their colors. Clusters
    have other ones, which they share, and the largest have their number written on
    them.

    Args:
        proposals: with embeddings.
        soft_labels: what people answered: (n, k) in the order of `proposals`, or id ->
            (k,).
        path: file to write, such as .png, .pdf or .svg. It is complete or not there.
        method: "tsne" (scikit-learn), "umap" (umap-learn), or "pca".
        max_points: of more images, so many are drawn at random; the picture tells it.
        seed: of the points picked and their places; an integer of at least 0.

    Returns:
        A `matplotlib.figure.Figure` that pyplot does not know of.

    Raises:
        ImportError: without matplotlib, or the package of the method.
        ValueError: if there are no embeddings or no image, a soft label is missing or
            has a wrong shape, or `path` has an unknown ending.

    Example:

    >>> proposals = keras_dc3.proposals.Proposals(
    ...     ["a", "b"],
    ...     [0.1, 0.8],
    ...     [[1, 0], [0.5, 0.5]],
    ...     [[1, 0], [0, 1]],
    ...     ["3", "8"],
    ...     embeddings=[[0.0, 1.0], [1.0, 0.0]],
    ... )
    >>> figure = keras_dc3.plots.plot_embedding(proposals, method="pca")
    """
    check_choice("method", method, tuple(METHODS))
    check_positive_int("max_points", max_points)
    check_seed(seed)
    kind = file_kind(path)
    if not len(proposals):
        raise ValueError("There is nothing to draw: `proposals` hold no image.")
    if proposals.embeddings is None:
        raise ValueError(
            "These proposals have no embeddings; make them with `model.propose`, or "
            "`Proposals(..., embeddings=features)`. A CSV file does not keep them, a "
            "Parquet file does."
        )
    people = answers_of(proposals, soft_labels)
    n = len(proposals)
    rows = np.arange(n)
    if n > max_points:
        rows = np.sort(np.random.default_rng(seed).permutation(n)[:max_points])
    places = project(proposals.embeddings[rows], method, seed)
    # Not always the same class on top.
    rows_in_turn = np.random.default_rng(seed).permutation(len(rows))
    places, rows = places[rows_in_turn], rows[rows_in_turn]

    panels = _panels(proposals, people, rows)
    classes = _classes_shown(proposals, people, rows)
    width = 2 * _MARGIN + len(panels) * _STEP - (_STEP - _SIDE)
    legend = _LEGEND_LINE * -(-min(len(classes), _NAMED + 1) // _LEGEND_COLUMNS)
    height = _TOP + _SIDE + 0.3 + legend + 0.15
    verdict = lines_or_not_measured(proposals.verdict, Sheet.letters(width))
    sheet = Sheet(width, height, "Where the network puts the images", verdict)
    which = number_of(n, "image")
    if len(rows) < n:
        which = f"{len(rows):,} of {which}"
    drawn = "" if len(rows) == n else ", picked at random"
    sheet.write(
        _MARGIN, 0.45, f"{which}{drawn}; {METHODS[method]} of their features.", 9, GRAY
    )
    colors = _colors(len(proposals.class_names))
    named = [(colors[c], proposals.class_names[c]) for c in sorted(classes[:_NAMED])]
    if len(classes) > _NAMED:
        named.append(("white", f"and {len(classes) - _NAMED:,} more"))
    for number, panel in enumerate(panels):
        x = _MARGIN + number * _STEP
        sheet.write(x, 0.85, panel.title, 10, bold=True)
        sheet.write(x, 1.06, panel.about, 8, GRAY)
        axes = sheet.axes(x, _TOP, _SIDE, _SIDE)
        for spine in axes.spines.values():
            spine.set(color="#bbbbbb")
        panel.draw(axes, places)
        axes.margins(0.03)
        if panel.of_classes:
            _legend(sheet, x, named)
    return sheet.finish(path, kind)


def _legend(sheet: Sheet, left: float, named: Sequence[tuple[Any, str]]) -> None:
    """Writes below a panel which color is which class."""
    for place, (color, name) in enumerate(named):
        x = left + (place % _LEGEND_COLUMNS) * _SIDE / _LEGEND_COLUMNS
        y = _TOP + _SIDE + 0.2 + _LEGEND_LINE * (place // _LEGEND_COLUMNS)
        sheet.write(x, y, "\u25cf", 9, color)
        sheet.write(x + 0.15, y, cut(name, 22), 8)


def _panels(
    proposals: Proposals, people: np.ndarray | None, rows: np.ndarray
) -> list[_Panel]:
    colors = _colors(len(proposals.class_names))
    ambiguous = proposals.decision[rows] == AMBIGUOUS
    share = (proposals.decision == AMBIGUOUS).mean()
    panels = []
    if people is not None:
        people = people[rows]
        of_people = colors[people.argmax(axis=1)]
        of_people[is_tied(people)] = _TIED
        disagree = 1 - people.max(axis=1)
        panels += [
            _Panel(
                "People: class",
                "what most of them chose; black: classes that tie",
                _by(of_people),
                True,
            ),
            _Panel(
                "People: disagreement",
                f"share outvoted; dark: none, yellow: {disagree.max():.0%}",
                _by(_shades(disagree / max(disagree.max(), 1e-9))),
            ),
        ]
    predicted = proposals.class_index[rows]
    panels += [
        _Panel("Model: class", "the most probable one", _by(colors[predicted]), True),
        _Panel(
            "Model: ambiguity",
            f"dark: 0, yellow: 1; {share:.0%} judged ambiguous",
            _by(_shades(proposals.ambiguity[rows])),
        ),
        _Panel(
            "Model: clusters",
            "of ambiguous images, in colors of their own; gray: certain",
            _clusters(proposals.cluster[rows], ambiguous),
        ),
    ]
    return panels


def _size(number: int) -> float:
    return float(np.clip(12000 / number, 5, 40))


def _by(colors: Any) -> Callable[[Axes, np.ndarray], None]:
    def draw(axes: Axes, places: np.ndarray) -> None:
        size = _size(len(places))
        axes.scatter(*places.T, s=size, c=colors, linewidths=0, rasterized=True)

    return draw


def _clusters(
    cluster: np.ndarray, ambiguous: np.ndarray
) -> Callable[[Axes, np.ndarray], None]:
    def draw(axes: Axes, places: np.ndarray) -> None:
        from matplotlib.patheffects import withStroke

        size = _size(len(places))
        options = {"linewidths": 0, "rasterized": True}
        axes.scatter(*places[~ambiguous].T, s=size, c=_PALE, **options)
        found, sizes = np.unique(cluster[ambiguous], return_counts=True)
        found = found[np.argsort(-sizes, kind="stable")]
        if not len(found):
            return
        color = np.zeros((int(cluster.max()) + 1, 4))
        palette = _cluster_colors()
        color[found] = palette[np.arange(len(found)) % len(palette)]
        axes.scatter(
            *places[ambiguous].T, s=2 * size, c=color[cluster[ambiguous]], **options
        )
        for c in found[:_NUMBERED]:
            # Not the mean, which may lie among others.
            members = places[ambiguous & (cluster == c)]
            middle = np.median(members, axis=0)
            place = members[((members - middle) ** 2).sum(axis=1).argmin()]
            text = axes.text(*place, str(c), size=7, ha="center", va="center")
            text.set_path_effects([withStroke(linewidth=2, foreground="white")])

    return draw


def _classes_shown(
    proposals: Proposals, people: np.ndarray | None, rows: np.ndarray
) -> list[int]:
    """Returns the classes in the picture, the most frequent first."""
    k = len(proposals.class_names)
    counts = np.bincount(proposals.class_index[rows], minlength=k)
    if people is not None:
        counts = counts + equal_shares(people[rows]).sum(axis=0)
    return [int(c) for c in np.argsort(-counts, kind="stable") if counts[c]]


def _shades(values: np.ndarray) -> np.ndarray:
    import matplotlib

    return matplotlib.colormaps["viridis"](values)


def _cluster_colors() -> np.ndarray:
    """Returns (14, 4) colors that are none of those of few classes, nor gray."""
    import matplotlib

    maps = [matplotlib.colormaps[name].colors[:7] for name in ("Dark2", "Set2")]
    return np.array([(*color, 1.0) for table in maps for color in table])


def _colors(number: int) -> np.ndarray:
    """Returns (number, 4) colors, different ones as far as eyes can tell."""
    import matplotlib

    if number <= 10:
        table: Sequence = matplotlib.colormaps["tab10"].colors
    elif number <= 20:
        dark_first = matplotlib.colormaps["tab20"].colors
        table = [*dark_first[::2], *dark_first[1::2]]
    else:
        from matplotlib.colors import hsv_to_rgb

        turns = (np.arange(number) * 0.618034) % 1
        light = 0.95 - 0.25 * (np.arange(number) % 3) / 2
        table = hsv_to_rgb(np.stack([turns, np.full(number, 0.75), light], 1))
    return np.array([(*table[i][:3], 1.0) for i in range(number)])
