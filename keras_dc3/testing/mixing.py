"""Whether a strategy mixes images, and what is said of them, in one way."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops

from keras_dc3.strategies import SSLStrategy
from keras_dc3.strategies.batch import LABELED
from keras_dc3.testing.per_image import require, views_of


def check_mixing(
    strategy: SSLStrategy,
    random: Any,
    image_shape: tuple[int, ...],
    num_classes: int,
) -> None:
    """Checks `draw_mixing`, `mix` and `guess` of a strategy with mixed views."""
    name, rows = type(strategy).__name__, views_of(strategy)
    parts = list(dict.fromkeys(strategy.mixed.values()))
    logits = {
        view: ops.convert_to_tensor(random.normal(0, 3, (n, num_classes)), "float32")
        for view, n in rows.items()
    }
    guessed = strategy.guess(logits) if set(parts) != {LABELED} else {}
    missing = [part for part in parts if part != LABELED and part not in guessed]
    require(
        not missing,
        f"`{name}.guess` must return distributions for the views {missing}, which "
        "`mixed` names.",
    )
    soft = random.dirichlet(np.ones(num_classes), rows[LABELED]).astype("float32")
    guessed = {**guessed, LABELED: ops.convert_to_tensor(soft)}
    images = {
        part: ops.convert_to_tensor(
            random.random((rows[part], *image_shape)), "float32"
        )
        for part in parts
    }
    mixing = strategy.draw_mixing({part: rows[part] for part in parts})
    for what, given in (("images", images), ("class distributions", guessed)):
        mixed = strategy.mix({part: given[part] for part in parts}, mixing)
        for view, part in strategy.mixed.items():
            require(view in mixed, f"`{name}.mix` must return the view {view!r}.")
            shape, expected = tuple(mixed[view].shape), tuple(given[part].shape)
            require(
                shape == expected,
                f"`{name}.mix` must return as many {what} as the part {part!r} has, "
                f"shape {expected}, for {view!r}. Received: shape {shape}",
            )
            values = ops.convert_to_numpy(mixed[view])
            sums = values.sum(axis=-1) if what != "images" else np.ones(1)
            require(
                np.isfinite(values).all() and np.allclose(sums, 1.0, atol=1e-4),
                f"`{name}.mix` must return finite images, and of class distributions "
                f"distributions (sum 1): it does not of the {what} for {view!r}.",
            )
