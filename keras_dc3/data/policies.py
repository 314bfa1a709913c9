"""What an augmentation is, and which one each view of the images gets. NumPy only."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from keras_dc3._registration import suggest
from keras_dc3._validation import (
    check_choice,
    check_not_negative,
    check_positive_int,
    check_probability,
)
from keras_dc3.data.draws import NAMES, OPERATIONS, Draw, drawn, hidden_boxes


@dataclass(frozen=True)
class NoAugmentation:
    """Leaves the images as they are.

    Example:

    >>> plain = keras_dc3.data.NoAugmentation()
    """


@dataclass(frozen=True)
class Weak:
    """Random horizontal flip and reflect-padded random shift.

    Args:
        flip: whether half of the images are mirrored; False where a mirrored image
            means something else, as for digits.
        max_shift: largest shift in either direction, as a fraction of each side in
            [0, 1), rounded to pixels. The default is 4 pixels at 32; the paper's
            authors shift by up to 12 pixels (0.375) there.

    Example:

    >>> weak = keras_dc3.data.Weak(flip=False, max_shift=0.1)
    """

    flip: bool = True
    max_shift: float = 0.125

    def __post_init__(self) -> None:
        check_choice("flip", self.flip, (True, False))
        check_not_negative("max_shift", self.max_shift)
        if self.max_shift >= 1:
            raise ValueError(
                "`max_shift` is a fraction of the image's side in [0, 1), not a number "
                f"of pixels. Received: max_shift={self.max_shift}"
            )

    num_ops = 0
    cutout = 0.0
    fill = 0.5

    def draw(self, seed: Any, n: int, height: int, width: int) -> Draw:
        """Draws for n images of this size; `seed` is a list of integers from 0."""
        rng = np.random.default_rng(seed)
        return drawn(rng, n, height, width, self.flip, self.max_shift)


@dataclass(frozen=True)
class Strong:
    """A weak augmentation, then RandAugment for each image by itself, then cutout.

    RandAugment applies `num_ops` operations in turn, each drawn from `operations`
    with a magnitude from its range in `draws.OPERATIONS`. Cutout hides a square.

    Args:
        weak: the flip and shift that come first.
        num_ops: operations per image, 0 for none.
        cutout: the largest size of the hidden part, as a fraction of the image's
            sides in [0, 1], a square for square images; drawn uniformly from 0 on. 0
            for no cutout.
        fill: what fills hidden and uncovered pixels, from 0 (lowest value of the
            images' range) to 1 (highest).
        operations: the names to draw from. Colors mean nothing for one channel, where
            "color" changes nothing.

    Example:

    >>> strong = keras_dc3.data.Strong(num_ops=1, operations=("brightness", "rotate"))
    """

    weak: Weak = field(default_factory=Weak)
    num_ops: int = 2
    cutout: float = 0.5
    fill: float = 0.5
    operations: tuple[str, ...] = tuple(NAMES)

    def __post_init__(self) -> None:
        check_positive_int("num_ops", self.num_ops, least=0)
        check_probability("cutout", self.cutout)
        check_probability("fill", self.fill)
        if not isinstance(self.weak, Weak):
            raise TypeError(f"`weak` must be a `Weak`. Received: {self.weak!r}")
        object.__setattr__(self, "operations", tuple(self.operations))
        for name in self.operations:
            if name not in OPERATIONS:
                raise ValueError(
                    f"Unknown operation {name!r}.{suggest(name, NAMES)} Known "
                    f"operations: {', '.join(NAMES)}."
                )
        if self.num_ops and not self.operations:
            raise ValueError("`operations` is empty; pass `num_ops=0` for none.")

    def draw(self, seed: Any, n: int, height: int, width: int) -> Draw:
        """Draws for n images of this size; `seed` is a list of integers from 0."""
        rng = np.random.default_rng(seed)
        moves = self.weak.flip, self.weak.max_shift
        draw = drawn(rng, n, height, width, *moves, self.operations, self.num_ops)
        return draw._replace(boxes=hidden_boxes(rng, n, height, width, self.cutout))


@dataclass(frozen=True)
class Custom:
    """A user's own function of images (n, h, w, c), of the same shape and type.

    Args:
        function: `f(images)`, or `f(images, seed)` with a seed of two integers if it
            takes an argument of that name, or a Keras layer. It gets tensors in a
            TensorFlow pipeline and NumPy arrays elsewhere, and keeps their shape and
            range of values. Only what follows from `seed` is repeatable; Keras layers
            draw anew, whatever their seed.

    Example:

    >>> flipped = keras_dc3.data.Custom(lambda images: images[:, ::-1])
    >>> data = keras_dc3.datasets.from_arrays(
    ...     np.zeros((20, 8, 8, 3), "uint8"), np.eye(2)[[0, 1] * 10], augment=flipped
    ... )
    """

    function: Callable[..., Any]

    def __call__(self, images: Any, seed: Any) -> Any:
        """Returns the function's images, unchecked."""
        import keras

        if isinstance(self.function, keras.layers.Layer):
            return self.function(images, training=True)
        return self.function(images, **({"seed": seed} if self._takes_seed else {}))

    def shape_message(self, given: Sequence[int], returned: Sequence[int]) -> str:
        """Why images must come back in the shape that they had."""
        return (
            f"The augmentation {self.function!r} must keep the shape {tuple(given)} of "
            f"the images. It returned {tuple(returned)}."
        )

    @property
    def dark_message(self) -> str:
        """Why images of 0 to 255 must not come back as values of at most 1."""
        return (
            f"The augmentation {self.function!r} made values of 0 to 1 of images of 0 "
            "to 255; it must keep their range. Multiply by 255."
        )

    @property
    def _takes_seed(self) -> bool:
        try:
            return "seed" in inspect.signature(self.function).parameters
        except (TypeError, ValueError):
            return False  # built-in functions show no signature


Policy = NoAugmentation | Weak | Strong | Custom
POLICIES: dict[str, type] = {"none": NoAugmentation, "weak": Weak, "strong": Strong}


def get_policy(identifier: Any) -> Policy:
    """Returns the augmentation that a name, policy, function or Keras layer means.

    Args:
        identifier: "none", "weak", "strong", a policy, None (no augmentation), a
            function of images or a Keras layer (see `Custom`).

    Raises:
        ValueError: for an unknown name. TypeError: for anything else.

    Example:

    >>> keras_dc3.data.get_policy("weak")
    Weak(flip=True, max_shift=0.125)
    """
    if identifier is None:
        return NoAugmentation()
    if isinstance(identifier, Policy):
        return identifier
    if isinstance(identifier, str):
        if identifier in POLICIES:
            return POLICIES[identifier]()
        raise ValueError(
            f"Unknown augmentation {identifier!r}."
            f"{suggest(identifier, list(POLICIES))} Known names: "
            f"{', '.join(POLICIES)}; or pass a function of images."
        )
    if inspect.isclass(identifier) and issubclass(identifier, Policy):
        return identifier()
    if callable(identifier):
        return Custom(identifier)
    raise TypeError(
        f"An augmentation must be one of the names {list(POLICIES)}, a policy such as "
        f"`Weak(flip=False)`, or a function of images. Received: {identifier!r}"
    )


def policies_of(augment: Any, get: Callable[[Any], Any] = get_policy) -> dict[str, Any]:
    """Returns view -> augmentation, as far as `SemiSupervisedData` is given any.

    Args:
        augment: as for `SemiSupervisedData`.
        get: from what is given to an augmentation.
    """
    if augment is None:
        return {}
    if isinstance(augment, Mapping):
        return {str(view): get(policy) for view, policy in augment.items()}
    return dict.fromkeys(("labeled", "weak", "strong"), get(augment))


def policies_of_views(
    given: Mapping[str, Any],
    views: Iterable[str],
    unlabeled: bool,
    get: Callable[[Any], Any] = get_policy,
) -> dict[str, Any]:
    """Returns the augmentation of "labeled", the labeled images, and of each view.

    Args:
        given: view -> augmentation, as far as it was given.
        views: names of the views.
        unlabeled: whether there are unlabeled images, so that there are views.
        get: as for `policies_of`.

    Raises:
        ValueError: if a name occurs twice or is reserved, or `given` names something
            else.
    """
    names = list(views)
    if len(set(names)) != len(names) or "labeled" in names:
        raise ValueError(
            "`views` must be different names other than the reserved 'labeled'. "
            f"Received: {names}"
        )
    if not unlabeled:
        names = []
    known = {"labeled", "weak", "strong", *names}
    for name in given:
        if name not in known:
            raise ValueError(
                f"`augment` names {name!r}, which is no view."
                f"{suggest(name, sorted(known))} Views: {names}; besides, 'weak' "
                "stands for all views not named and 'labeled' for the labeled "
                "images."
            )
    rest = given.get("weak", get("weak"))
    named = {"strong": get("strong"), **given}
    return {name: named.get(name, rest) for name in ["labeled", *names]}
