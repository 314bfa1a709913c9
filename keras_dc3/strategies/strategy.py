"""What a method adds to supervised training: the contract, the ramp of its weight."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from keras_dc3._registration import settings
from keras_dc3._validation import check_not_negative, check_positive_int
from keras_dc3.strategies._defaults import REFERENCE_STEPS
from keras_dc3.strategies.batch import LABELED, Batch


class SSLStrategy(keras.layers.Layer):
    """Base class of the semi-supervised learning (SSL) strategies.

    A strategy declares the augmented views of an unlabeled image that it wants and
    who looks at each, and turns the class logits of those views into one loss per
    unlabeled image. It knows nothing of DC3, and DC3 nothing of it. A subclass sets the
    class attributes and writes `unlabeled_loss`; the rest is optional. Register it with
    `keras.saving.register_keras_serializable` so that models holding it can be saved.

    In a training step the model calls, in this order: `draw_mixing`, and `mix` on the
    images, where `mixed` names views; and after the forward passes `guess`, and `mix`
    on what is said of the images; `update`; and `losses`, which by default are
    `labeled_loss`, `unlabeled_loss` and `mask`.

    It is a Keras layer only so that state it may keep is tracked and saved. State is
    made by `__init__` or, where its size depends on the data, by `create_state`; and
    changed by `update`, which is called with the images of all replicas, so that it is
    the same on each.

    Class attributes:
        views: view name -> who looks at it: `"student"` (the network, with gradient),
            `"detached"` (the network, without gradient) or `"teacher"` (the moving
            average of the weights, without gradient). A view named `"strong"` is
            augmented strongly by our data pipelines, every other one weakly.
            `"labeled"` is reserved.
        anchor: the view whose outputs DC3 takes ambiguity and pseudo-label from.
        partner: the view it is compared with for cluster consistency, or None.
        mixed: name of a view that `mix` makes -> the view, or `"labeled"`, that it has
            an image for each image of. The network looks at it with gradient.
        needs_positions: whether `update` is to know which unlabeled images it sees.
        num_unlabeled: how many unlabeled images there are, for a strategy that needs
            positions, where the data do not tell.
        adapts_mask: whether `mask` follows the training, so that nothing is wrong where
            all images pass it.
        needs_unlabeled: False allows training on plain `(images, labels)`.
        unlabeled_ratio: unlabeled images per labeled one in a batch.
        ramp_fraction: the part of training over which the loss weight ramps up where
            the strategy is named by a string; see `for_training`.
        feature_weight: the loss weight where the strategy is named by a string and the
            model is of features that were computed before; None: as for images.

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
    mixed: dict[str, str] = {}
    needs_positions: bool = False
    num_unlabeled: int | None = None
    adapts_mask: bool = False
    needs_unlabeled: bool = True
    unlabeled_ratio: int = 1
    ramp_fraction: float = 0.0
    feature_weight: float | None = None

    def __init__(self, weight: float = 1.0, ramp_steps: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        check_not_negative("weight", weight)
        check_positive_int("ramp_steps", ramp_steps, least=0)
        self.weight = float(weight)
        self.ramp_steps = int(ramp_steps)
        self.built = True
        self._sizes: tuple[int, int | None] | None = None
        self._made: tuple[str, ...] = ()

    @classmethod
    def for_training(cls, training_steps: int = REFERENCE_STEPS) -> SSLStrategy:
        """Returns the strategy with its defaults for a training of that length."""
        if cls.ramp_fraction:
            return cls(ramp_steps=round(cls.ramp_fraction * training_steps))
        return cls()

    def replan(self, before: int, training_steps: int) -> None:
        """Takes another planned length, where the settings are those of the one before.

        Args:
            before: steps for which `for_training` has made it, or might have.
            training_steps: steps that are planned now.
        """
        if self.ramp_fraction and self.ramp_steps == round(self.ramp_fraction * before):
            self.ramp_steps = round(self.ramp_fraction * training_steps)

    def weigh_for_features(self) -> None:
        """Takes the loss weight for a model of features that were computed before."""
        if self.feature_weight is not None:
            self.weight = self.feature_weight

    # State ----------------------------------------------------------------------------

    def create_state(self, num_classes: int, num_unlabeled: int | None) -> None:
        """Makes the state whose size the data tell, by `add_state`; default: none.

        Args:
            num_classes: k.
            num_unlabeled: how many unlabeled images there are, for a strategy that
                needs positions; None where that is not known.
        """

    def prepare(self, num_classes: int, num_unlabeled: int | None = None) -> bool:
        """Calls `create_state` unless the state is there in that size.

        Returns:
            Whether state of another size was there, and is forgotten.
        """
        sizes = (num_classes, num_unlabeled)
        if self._sizes == sizes:
            return False
        for name in self._made:
            delattr(self, name)
        known, before = bool(self._made), set(vars(self))
        self.create_state(*sizes)
        made = (name for name in vars(self) if name not in before)
        self._made = tuple(n for n in made if isinstance(vars(self)[n], keras.Variable))
        self._sizes = sizes
        return known

    def add_state(
        self, name: str, shape: tuple, value: float = 0.0, dtype: str = "float32"
    ) -> keras.Variable:
        """Returns a new variable that no gradient changes, and that is saved.

        Args:
            name: of the variable.
            shape, dtype: likewise.
            value: what it holds before the first step.
        """
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=keras.initializers.Constant(value),
            dtype=dtype,
            trainable=False,
            autocast=False,
            aggregation="only_first_replica",  # it is the same on all
        )

    def update(self, batch: Batch) -> None:
        """Changes the state, once in a step and before its losses; default: nothing.

        Args:
            batch: the images of all replicas, without gradient.
        """

    # Mixing ---------------------------------------------------------------------------

    def draw_mixing(self, rows: dict[str, Any]) -> Any:
        """Draws how the images of a step are mixed.

        Args:
            rows: for each part that `mixed` names, the number of its images, those of
                all replicas: an int, or an integer scalar.

        Returns:
            What `mix` takes, a structure of tensors. For MixUp, the `mix` of this
            class: `{"partner": (rows,) int, "share": (rows,) float}`, over all parts.
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` must implement `draw_mixing(rows)`, as it has "
            "`mixed` views."
        )

    def mix(self, parts: dict[str, Any], mixing: Any) -> dict[str, Any]:
        """Mixes images, and what is said of them; default: MixUp (Zhang et al., 2018).

            share[i] x[i] + (1 - share[i]) x[partner[i]]

        where x are all rows of the parts, one part after the other.

        Args:
            parts: for each part that `mixed` names, its images (n, ...) as the backbone
                takes them; or their class distributions, (n, k): the labels, or what
                `guess` returns.
            mixing: what `draw_mixing` has returned.

        Returns:
            Name of a mixed view -> what it holds, as many rows as its part.
        """
        pool = ops.concatenate(list(parts.values()), axis=0)
        share = ops.reshape(mixing["share"], (-1, *[1] * (len(pool.shape) - 1)))
        share = ops.cast(share, pool.dtype)
        partners = ops.take(pool, mixing["partner"], axis=0)
        pool = share * pool + (1.0 - share) * partners
        mixed, start = {}, 0
        for name, part in parts.items():
            rows = slice(start, start + ops.shape(part)[0])
            mixed[name], start = pool[rows], rows.stop
        return {view: mixed[part] for view, part in self.mixed.items()}

    def guess(self, logits: dict[str, Any]) -> dict[str, Any]:
        """Returns what the unlabeled images are taken for, to be mixed with labels.

        Args:
            logits: as for `unlabeled_loss`.

        Returns:
            For each view that `mixed` names, class distributions (n, k).
        """
        raise NotImplementedError(
            f"`{type(self).__name__}` must implement `guess(logits)`, as it mixes "
            "unlabeled images."
        )

    # Losses ---------------------------------------------------------------------------

    def losses(self, batch: Batch) -> tuple[Any, Any, Any]:
        """Returns `labeled_loss`, `unlabeled_loss` and `mask` of a step.

        A strategy that needs more for them than they are given overrides this.

        Args:
            batch: this replica's images.

        Returns:
            One value per labeled image, (m,); and two per unlabeled image, (n,) each.
        """
        labeled = self.labeled_loss(batch.targets[LABELED], batch.logits[LABELED])
        return labeled, self.unlabeled_loss(batch.logits), self.mask(batch.logits)

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
        return {**super().get_config(), **settings(self, "weight", "ramp_steps")}
