"""What the images of each class weigh in a loss. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_dc3._names import composed
from keras_dc3._ties import equal_shares
from keras_dc3._validation import check_choice

# What a number of float32, in which losses are computed, can be at most.
_LARGEST = float(np.finfo("float32").max)


def balanced_weights(amounts: ArrayLike) -> dict[int, float]:
    """Returns weights that make every class count the same.

        weight(c) = sum_j a_j / (k a_c)

    over the k classes of which there is any; the others weigh 1.

    Args:
        amounts: (classes,), at least 0: how much there is of each class.
    """
    amounts = np.asarray(amounts)
    total, present = amounts.sum(), np.count_nonzero(amounts)
    return {
        c: float(total / (present * amount)) if amount else 1.0
        for c, amount in enumerate(amounts.tolist())
    }


def balanced_class_weights(labels: ArrayLike, num_classes: int) -> dict[int, float]:
    """Returns weights that make every class count the same in a loss.

        weight(c) = n / (k n_c)

    for n labels of k classes that occur, n_c of them of class c. Classes that do not
    occur have weight 1.

    Args:
        labels: (n,) classes in 0..num_classes - 1.
        num_classes: how many classes there are.

    Example:

    >>> keras_dc3.annotations.balanced_class_weights([0, 0, 0, 1], num_classes=2)
    {0: 0.6666666666666666, 1: 2.0}
    """
    return balanced_weights(
        np.bincount(np.asarray(labels, "int64"), minlength=num_classes)
    )


def class_weights(
    given: Any,
    labels: ArrayLike,
    num_classes: int,
    class_names: Sequence[str] | None = None,
) -> dict[int, float]:
    """Returns the weight of every class; see `DC3Model.fit`.

    Args:
        given: `"balanced"`, or as for `check_class_weights`.
        labels: those of the labeled images, for `"balanced"`: (n,) or (n, 1) classes,
            or (n, k) distributions, of which the largest counts; m that tie count
            1 / m each.
        num_classes: k.
        class_names: their names, if they have any.

    Raises:
        ValueError, TypeError: as for `check_class_weights`; if there are no labels to
            balance by.
    """
    if not isinstance(given, str):
        return check_class_weights(given, num_classes, class_names)
    check_choice("class_weight", given, ("balanced", None))
    if not isinstance(labels, np.ndarray):
        raise ValueError(
            '`class_weight="balanced"` needs the labels as an array or a data set '
            "with `labels`; for other data pass a dict {class: weight}, such as "
            "`keras_dc3.annotations.balanced_class_weights` makes."
        )
    if labels.ndim == 2 and labels.shape[1] > 1:
        return balanced_weights(equal_shares(labels).sum(axis=0))
    return balanced_class_weights(labels.ravel(), num_classes)


def check_class_weights(
    weights: Any, num_classes: int, class_names: Sequence[str] | None = None
) -> dict[int, float]:
    """Returns the weight of every class, from weights as a user gives them.

    Args:
        weights: class -> weight, by the numbers of the classes or by their names, a
            class that is left out weighs 1; or one weight per class, in their order.
        num_classes: how many classes there are.
        class_names: their names, if they have any.

    Raises:
        TypeError: if it is neither a dict nor a list or array of numbers.
        ValueError: for a key that is no class, keys of both kinds, a wrong number of
            weights, or a weight that is not a finite number of at least 0; if all
            are 0.
    """
    if isinstance(weights, Mapping) or hasattr(weights, "items"):  # or a pandas Series
        given = _by_number(dict(weights.items()), num_classes, class_names)
    elif isinstance(weights, list | tuple | np.ndarray):
        given = _in_order(weights, num_classes)
    else:
        raise TypeError(
            "`class_weight` must be a dict {class: weight}, a list of one weight per "
            f'class, "balanced" or None. Received: class_weight={weights!r}'
        )
    checked = dict.fromkeys(range(num_classes), 1.0)
    for number, weight in given.items():
        checked[number] = _check_weight(weight, number, class_names)
    if not any(checked.values()):
        raise ValueError(
            "`class_weight` is 0 for every class, so nothing would be learned from the "
            f"labels. Received: class_weight={weights!r}"
        )
    return checked


def _in_order(weights: Any, num_classes: int) -> dict[int, Any]:
    shape = np.shape(weights) if isinstance(weights, np.ndarray) else (len(weights),)
    if shape != (num_classes,):
        raise ValueError(
            "`class_weight` must hold one weight for each of the "
            f"{num_classes} classes where it is a list, or be {{class: weight}}, "
            "in which a class that is left out weighs 1. Received: "
            f"class_weight={weights!r}"
        )
    return dict(enumerate(weights))


def _by_number(
    weights: dict[Any, Any], num_classes: int, class_names: Sequence[str] | None
) -> dict[int, Any]:
    """Returns weights by the number of the class."""
    are_names = {isinstance(key, str) for key in weights}
    if len(are_names) > 1:
        raise ValueError(
            "The keys of `class_weight` must be all names of classes or all their "
            f"numbers. Received: {list(weights)}"
        )
    known = _describe(num_classes, class_names)
    if True in are_names:
        if class_names is None:
            raise ValueError(
                "`class_weight` has names as its keys, but the model knows no names of "
                f"its classes: use their numbers, 0..{num_classes - 1}, or pass "
                f"`class_names` to `DC3Model`. Received: {list(weights)}"
            )
        places = {composed(name): number for number, name in enumerate(class_names)}
        _refuse_unknown([key for key in weights if composed(key) not in places], known)
        if len(set(map(composed, weights))) < len(weights):
            raise ValueError(
                "Keys of `class_weight` differ only in Unicode form: give one weight "
                f"per class. Received: {list(map(ascii, weights))}"
            )
        return {places[composed(key)]: weight for key, weight in weights.items()}
    _refuse_unknown(
        [
            key
            for key in weights
            if isinstance(key, bool | np.bool_)
            or not isinstance(key, int | np.integer)
            or not 0 <= key < num_classes
        ],
        known,
    )
    for key in weights if class_names is not None else ():
        if str(int(key)) in class_names and class_names[key] != str(int(key)):
            raise ValueError(
                f"The key {int(key)} of `class_weight` can be the class named "
                f"{str(int(key))!r} or class number {int(key)}, {class_names[key]!r}: "
                "write the names of the classes as strings, "
                f"{{{class_names[key]!r}: {weights[key]!r}}}."
            )
    return {int(key): weight for key, weight in weights.items()}


def _describe(num_classes: int, class_names: Sequence[str] | None) -> str:
    numbers = f"numbers 0..{num_classes - 1}"
    if class_names is None:
        return numbers
    shown = [repr(name) for name in class_names[:10]]
    more = [f"... ({num_classes} in all)"] if num_classes > 10 else []
    return f"{numbers}, or names {', '.join([*shown, *more])}"


def _refuse_unknown(keys: list[Any], known: str) -> None:
    if keys:
        raise ValueError(
            f"{', '.join(map(repr, keys[:5]))} in `class_weight` is no class of the "
            f"model. Its classes: {known}."
        )


def _check_weight(weight: Any, number: int, class_names: Sequence[str] | None) -> float:
    if (
        isinstance(weight, bool | np.bool_)
        or not isinstance(weight, int | float | np.integer | np.floating)
        or not 0 <= weight <= _LARGEST
    ):
        name = number if class_names is None else class_names[number]
        raise ValueError(
            "The weights of `class_weight` must be finite numbers of at least 0. "
            f"Received: {weight!r} for class {name!r}"
        )
    return float(weight)
