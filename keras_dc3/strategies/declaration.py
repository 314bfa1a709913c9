"""Whether a strategy's declaration fits together, and what it says of a step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from keras import ops

from keras_dc3._validation import check_positive_int
from keras_dc3.strategies.batch import LABELED, MIXING, Batch
from keras_dc3.strategies.strategy import SSLStrategy

ROLES = ("student", "detached", "teacher")


def check_declaration(strategy: SSLStrategy) -> None:
    """Raises ValueError unless the strategy's class attributes fit together."""
    name, views = type(strategy).__name__, strategy.views
    if not isinstance(views, Mapping):
        raise ValueError(
            f"`{name}.views` must be a dict, view name -> role. Received: {views!r}"
        )
    if not views:
        raise ValueError(
            f"`{name}.views` is empty; declare at least one view, such as "
            '{"only": "student"}.'
        )
    if LABELED in views:
        raise ValueError(
            f"`{name}.views` must not use the reserved name {LABELED!r}; rename it."
        )
    for view, role in views.items():
        if role not in ROLES:
            raise ValueError(
                f"`{name}.views[{view!r}]` must be one of {list(ROLES)}. "
                f"Received: {role!r}"
            )
    if strategy.anchor not in views:
        raise ValueError(
            f"`{name}.anchor` must name one of its views {list(views)}. "
            f"Received: {strategy.anchor!r}"
        )
    if views[strategy.anchor] != "student":
        raise ValueError(
            f"`{name}.anchor` must be a view with the role 'student', because DC3 "
            f"trains on its outputs. Received: {strategy.anchor!r} with the role "
            f"{views[strategy.anchor]!r}"
        )
    if strategy.partner is not None and strategy.partner not in views:
        raise ValueError(
            f"`{name}.partner` must be None or one of its views {list(views)}. "
            f"Received: {strategy.partner!r}"
        )
    for view, part in strategy.mixed.items():
        if view in (LABELED, MIXING, *views) or part not in (LABELED, *views):
            raise ValueError(
                f"`{name}.mixed` must map a new name to 'labeled' or one of the views "
                f"{list(views)}. Received: {view!r}: {part!r}"
            )
    check_positive_int(f"{name}.unlabeled_ratio", strategy.unlabeled_ratio)


def losses_per_image(strategy: SSLStrategy, batch: Batch) -> tuple[Any, Any, Any]:
    """Returns what a strategy says of a batch, each float32 with one value per image.

    Args:
        strategy: the strategy.
        batch: as for its `losses`.

    Returns:
        The labeled loss (m,); the unlabeled loss, masked and weighted, and the mask,
        both (n,).

    Raises:
        ValueError: where the strategy returns another shape.
    """
    labeled, anchor = batch.logits[LABELED], batch.logits[strategy.anchor]
    labeled_loss, unlabeled_loss, mask = strategy.losses(batch)
    mask = _per_image(strategy, "mask", mask, anchor)
    labeled_loss = _per_image(strategy, "labeled_loss", labeled_loss, labeled)
    unlabeled_loss = _per_image(strategy, "unlabeled_loss", unlabeled_loss, anchor)
    weight = strategy.loss_weight(batch.step)
    return labeled_loss, weight * (mask * unlabeled_loss), mask


def _per_image(strategy: SSLStrategy, name: str, values: Any, logits: Any) -> Any:
    values = ops.convert_to_tensor(values)
    # A known number for an unknown number of images would be spread over them.
    if len(values.shape) != 1 or (
        values.shape[0] is not None and values.shape[0] != logits.shape[0]
    ):
        raise ValueError(
            f"`{type(strategy).__name__}.{name}` must return one value per "
            f"image, shape ({logits.shape[0]},). Received: shape "
            f"{tuple(values.shape)}"
        )
    # Where both numbers are unknown while tracing, this compares them.
    return ops.reshape(ops.cast(values, "float32"), (ops.shape(logits)[0],))
