"""What a semi-supervised method adds to supervised training: the contract."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from keras_dc3._validation import check_not_negative, check_positive_int
from keras_dc3.strategies._defaults import REFERENCE_STEPS

ROLES = ("student", "detached", "teacher")
LABELED = "labeled"


class SSLStrategy(keras.layers.Layer):
    """Base class of the semi-supervised learning (SSL) strategies.

    A strategy declares the augmented views of an unlabeled image that it wants and
    who looks at each, and turns the class logits of those views into one loss per
    unlabeled image. It knows nothing of DC3, and DC3 nothing of it. A subclass sets the
    class attributes and writes `unlabeled_loss`; the rest is optional. Register it with
    `keras.saving.register_keras_serializable` so that models holding it can be saved.

    It is a Keras layer only so that state it may keep is tracked and saved.

    Class attributes:
        views: view name -> who looks at it: `"student"` (the network, with gradient),
            `"detached"` (the network, without gradient) or `"teacher"` (the moving
            average of the weights, without gradient). A view named `"strong"` is
            augmented strongly by our data pipelines, every other one weakly.
            `"labeled"` is reserved.
        anchor: the view whose outputs DC3 takes ambiguity and pseudo-label from.
        partner: the view it is compared with for cluster consistency, or None.
        needs_unlabeled: False allows training on plain `(images, labels)`.
        unlabeled_ratio: unlabeled images per labeled one in a batch.
        ramp_fraction: the part of training over which the loss weight ramps up where
            the strategy is named by a string; see `for_training`.

    Args:
        weight: of the unlabeled loss, at least 0.
        ramp_steps: number of training steps over which the weight grows linearly from
            0; 0 for none.

    Example:

    >>> class Agreeing(keras_dc3.SSLStrategy):
    ...     views = {"first": "detached", "second": "student"}
    ...     anchor, partner = "second", "first"
    ...
    ...     def unlabeled_loss(self, logits):
    ...         difference = logits["second"] - logits["first"]
    ...         return keras.ops.mean(difference**2, axis=-1)
    """

    views: dict[str, str] = {}
    anchor: str | None = None
    partner: str | None = None
    needs_unlabeled: bool = True
    unlabeled_ratio: int = 1
    ramp_fraction: float = 0.0

    def __init__(self, weight: float = 1.0, ramp_steps: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        check_not_negative("weight", weight)
        check_positive_int("ramp_steps", ramp_steps, least=0)
        self.weight = float(weight)
        self.ramp_steps = int(ramp_steps)
        self.built = True

    @classmethod
    def for_training(cls, training_steps: int = REFERENCE_STEPS) -> SSLStrategy:
        """Returns the strategy with its defaults for a training of that length."""
        if cls.ramp_fraction:
            return cls(ramp_steps=round(cls.ramp_fraction * training_steps))
        return cls()

    def unlabeled_loss(self, logits: dict[str, Any]) -> Any:
        """Computes the loss of each unlabeled image.

        Args:
            logits: view name -> class logits, float32 (n, k), without gradient where
                the view's role says so; and `"labeled"` -> those of the labeled
                images, (m, k).

        Returns:
            Float (n,), before `mask`: the model multiplies both.
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` must implement `unlabeled_loss(logits)`."
        )

    def labeled_loss(self, targets: Any, logits: Any) -> Any:
        """Computes the loss of each labeled image, (m,); default: cross-entropy.

        Args:
            targets: class distributions, float32 (m, k).
            logits: class logits, float32 (m, k).
        """
        return ops.categorical_crossentropy(targets, logits, from_logits=True)

    def mask(self, logits: dict[str, Any]) -> Any:
        """Returns which unlabeled images take part, 0 or 1, float (n,); default: all.

        The model multiplies it into `unlabeled_loss`, and logs its mean as `mask_rate`.

        Args:
            logits: as for `unlabeled_loss`.
        """
        return ops.ones_like(logits[self.anchor][:, 0])

    def loss_weight(self, step: Any) -> Any:
        """Returns the weight of the unlabeled loss, a scalar; default: a linear ramp.

        Args:
            step: number of training steps taken so far, integer scalar.
        """
        weight = ops.convert_to_tensor(self.weight, "float32")
        if not self.ramp_steps:
            return weight
        return weight * ops.minimum(ops.cast(step, "float32") / self.ramp_steps, 1.0)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "weight": self.weight,
            "ramp_steps": self.ramp_steps,
        }


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
    check_positive_int(f"{name}.unlabeled_ratio", strategy.unlabeled_ratio)


def losses_per_image(
    strategy: SSLStrategy, targets: Any, logits: dict[str, Any], step: Any
) -> tuple[Any, Any, Any]:
    """Returns what a strategy says of a batch, each float32 with one value per image.

    Args:
        strategy: the strategy.
        targets, logits: as for its `labeled_loss` and `unlabeled_loss`.
        step: as for its `loss_weight`.

    Returns:
        The labeled loss (m,); the unlabeled loss, masked and weighted, and the mask,
        both (n,).

    Raises:
        ValueError: where the strategy returns another shape.
    """
    labeled, anchor = logits[LABELED], logits[strategy.anchor]
    labeled_loss = strategy.labeled_loss(targets, labeled)
    unlabeled_loss = strategy.unlabeled_loss(logits)
    mask = _per_image(strategy, "mask", strategy.mask(logits), anchor)
    labeled_loss = _per_image(strategy, "labeled_loss", labeled_loss, labeled)
    unlabeled_loss = _per_image(strategy, "unlabeled_loss", unlabeled_loss, anchor)
    return labeled_loss, strategy.loss_weight(step) * (mask * unlabeled_loss), mask


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
