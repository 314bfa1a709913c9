"""Whether a strategy's losses and mask are one sound number per image."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3.strategies import Batch, SSLStrategy
from keras_dc3.strategies.batch import LABELED
from keras_dc3.testing.gradients import gradients

# Different numbers of labeled and unlabeled images, so that nothing can broadcast.
LABELED_IMAGES, UNLABELED_IMAGES = 5, 7


def require(holds: Any, message: str) -> None:
    """Raises AssertionError with `message` unless it holds."""
    if not holds:
        raise AssertionError(message)


def views_of(strategy: SSLStrategy) -> dict[str, int]:
    """Returns how many images each view has, the labeled ones among them."""
    return {LABELED: LABELED_IMAGES, **dict.fromkeys(strategy.views, UNLABELED_IMAGES)}


def seen_views_of(strategy: SSLStrategy) -> dict[str, int]:
    """Returns the same, with the views that are mixed."""
    rows = views_of(strategy)
    return {**rows, **{view: rows[part] for view, part in strategy.mixed.items()}}


def batch_of(strategy: SSLStrategy, logits: dict[str, Any]) -> Batch:
    """Returns a batch with these logits, and targets of all kinds."""
    targets = {}
    for view in (LABELED, *strategy.mixed):
        rows, classes = logits[view].shape
        one_hot = np.eye(classes, dtype="float32")[np.arange(rows) % classes]
        soft = 0.7 * one_hot + 0.3 / classes if view in strategy.mixed else one_hot
        targets[view] = ops.convert_to_tensor(soft)
    positions = None
    if strategy.needs_positions:
        positions = ops.arange(UNLABELED_IMAGES, dtype="int32")
    return Batch(logits, targets, ops.convert_to_tensor(3, "int32"), positions)


def _one_hot_logits(rows: int, classes: int, shift: int) -> np.ndarray:
    logits = np.full((rows, classes), -50.0, "float32")
    logits[np.arange(rows), (np.arange(rows) + shift) % classes] = 50.0
    return logits


def cases(strategy: SSLStrategy, random: Any, num_classes: int) -> Any:
    """Yields kinds of logits, by name."""
    views = seen_views_of(strategy)
    yield (
        "random logits",
        {
            view: random.normal(0.0, 3.0, (rows, num_classes)).astype("float32")
            for view, rows in views.items()
        },
    )
    yield (
        "logits of +-50 on which the views agree",
        {view: _one_hot_logits(rows, num_classes, 0) for view, rows in views.items()},
    )
    yield (
        "logits of +-50 on which the views disagree",
        {
            view: _one_hot_logits(rows, num_classes, shift)
            for shift, (view, rows) in enumerate(views.items())
        },
    )
    yield (
        "logits that are all equal",
        {
            view: np.zeros((rows, num_classes), "float32")
            for view, rows in views.items()
        },
    )


def _per_image(name: str, values: Any, rows: int, kind: str) -> np.ndarray:
    """Returns values as NumPy, checked to be one finite number per image."""
    shape = tuple(getattr(values, "shape", ()))
    require(
        shape == (rows,),
        f"`{name}` must return one value per image, shape ({rows},). Received: shape "
        f"{shape}",
    )
    require(
        keras.backend.is_float_dtype(keras.backend.standardize_dtype(values.dtype)),
        f"`{name}` must return floating-point numbers. Received: {values.dtype}",
    )
    values = ops.convert_to_numpy(values)
    require(
        np.isfinite(values).all(),
        f"`{name}` must be finite, but on {kind} it is {values.tolist()}.",
    )
    return values


def check_labeled_loss(strategy: SSLStrategy, random: Any, num_classes: int) -> None:
    """Checks `labeled_loss` on soft, right and wrong labels."""
    name = f"{type(strategy).__name__}.labeled_loss"
    targets = np.eye(num_classes, dtype="float32")[
        np.arange(LABELED_IMAGES) % num_classes
    ]
    soft = random.dirichlet(np.ones(num_classes), LABELED_IMAGES).astype("float32")
    logits = random.normal(0.0, 3.0, (LABELED_IMAGES, num_classes)).astype("float32")
    for kind, target, value in (
        ("random logits", soft, logits),
        (
            "correct logits of +-50",
            targets,
            _one_hot_logits(LABELED_IMAGES, num_classes, 0),
        ),
        (
            "wrong logits of +-50",
            targets,
            _one_hot_logits(LABELED_IMAGES, num_classes, 1),
        ),
    ):
        losses = strategy.labeled_loss(
            ops.convert_to_tensor(target), ops.convert_to_tensor(value)
        )
        _per_image(name, losses, LABELED_IMAGES, kind)


def check_losses(
    strategy: SSLStrategy, kind: str, logits: dict[str, np.ndarray]
) -> None:
    """Checks `losses`, after an `update`, and that they change no logits."""
    name = type(strategy).__name__
    given = {view: ops.convert_to_tensor(value) for view, value in logits.items()}
    before = dict(given)
    batch = batch_of(strategy, given)
    try:
        strategy.update(batch)
        labeled, losses, mask = strategy.losses(batch)
    except KeyError as error:
        if error.args and error.args[0] in given:
            raise
        raise AssertionError(
            f"`{name}.unlabeled_loss` asks for the view {error}, but gets the logits "
            f"of {list(before)} only; declare it in `views`."
        ) from error
    _per_image(f"{name}.labeled_loss", labeled, LABELED_IMAGES, kind)
    _per_image(f"{name}.unlabeled_loss", losses, UNLABELED_IMAGES, kind)
    mask = _per_image(f"{name}.mask", mask, UNLABELED_IMAGES, kind)
    require(
        list(given) == list(before)
        and all(given[view] is before[view] for view in before)
        and all(
            np.array_equal(ops.convert_to_numpy(given[view]), logits[view])
            for view in before
        ),
        f"`{name}` must not change the logits it is given.",
    )
    require(
        np.isin(mask, (0.0, 1.0)).all(),
        f"`{name}.mask` must be 0 or 1 for each image, but on {kind} it is "
        f"{mask.tolist()}.",
    )


def check_gradients(
    strategy: SSLStrategy, kind: str, logits: dict[str, np.ndarray]
) -> None:
    """Checks that no gradient of `unlabeled_loss` is NaN or infinite."""
    found = gradients(
        lambda tensors: ops.sum(
            ops.cast(_unlabeled_loss(strategy, dict(tensors)), "float32")
        ),
        logits,
    )
    for view, gradient in found.items():
        require(
            np.isfinite(gradient).all(),
            f"The gradient of `{type(strategy).__name__}.unlabeled_loss` for the view "
            f"{view!r} is NaN or infinite on {kind}.",
        )


def check_independence(strategy: SSLStrategy, random: Any, num_classes: int) -> None:
    """Checks that an image changes no loss but its own."""
    # Larger than usual logits: where there is a threshold, some images pass it.
    logits = {
        view: random.normal(0.0, 6.0, (rows, num_classes)).astype("float32")
        for view, rows in seen_views_of(strategy).items()
    }
    losses = ops.convert_to_numpy(_unlabeled_loss(strategy, logits))
    for image in range(UNLABELED_IMAGES):
        changed = {view: value.copy() for view, value in logits.items()}
        unlabeled = [v for v, n in seen_views_of(strategy).items() if n == len(losses)]
        for view in unlabeled:
            changed[view][image] = random.normal(0.0, 6.0, num_classes)
        others = np.arange(UNLABELED_IMAGES) != image
        after = ops.convert_to_numpy(_unlabeled_loss(strategy, changed))
        require(
            np.allclose(losses[others], after[others], rtol=1e-4, atol=1e-6),
            f"`{type(strategy).__name__}.unlabeled_loss`: the loss of an image must "
            f"depend on its own views alone, but the logits of image {image} changed "
            f"the losses of others from {losses.tolist()} to {after.tolist()}. If "
            "this is meant, pass `independent_images=False`.",
        )


def _unlabeled_loss(strategy: SSLStrategy, logits: dict[str, Any]) -> Any:
    given = {view: ops.convert_to_tensor(value) for view, value in logits.items()}
    return strategy.losses(batch_of(strategy, given))[1]
