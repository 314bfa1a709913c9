"""Which augmentation each view of the images gets. NumPy only."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from keras_dc3._registration import suggest
from keras_dc3.data.policies import Policy, get_policy


def policies_of(augment: Any) -> dict[str, Policy]:
    """Returns view -> augmentation, as far as `SemiSupervisedData` is given any."""
    if augment is None:
        return {}
    if isinstance(augment, Mapping):
        return {str(view): get_policy(policy) for view, policy in augment.items()}
    return dict.fromkeys(("labeled", "weak", "strong"), get_policy(augment))


def policies_of_views(
    given: Mapping[str, Policy], views: Iterable[str], unlabeled: bool
) -> dict[str, Policy]:
    """Returns the augmentation of "labeled", the labeled images, and of each view.

    Args:
        given: view -> augmentation, as far as it was given.
        views: names of the views.
        unlabeled: whether there are unlabeled images, so that there are views.

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
    rest = given.get("weak", get_policy("weak"))
    named = {"strong": get_policy("strong"), **given}
    return {name: named.get(name, rest) for name in ["labeled", *names]}
