"""What would have been proposed for images that people answered blind. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_dc3._names import KnownNames, composed
from keras_dc3.agreement.answers import Answers


def would_be(answers: Answers, proposals: Any, mode: str | None) -> np.ndarray:
    """Returns (n,), the class proposed for each image, or that it would have been.

    -1 where nobody knows.

    Args:
        answers: of a review.
        proposals: `Proposals`, or image -> class (name or number), or None.
        mode: of the review.
    """
    guess = np.full(len(answers.ids), -1)
    shown = np.flatnonzero(answers.proposed >= 0)[::-1]
    guess[answers.image[shown]] = answers.proposed[shown]
    chosen = set(answers.alone.tolist())  # no random share of their classes
    blind = [i for i in np.flatnonzero(guess < 0).tolist() if i not in chosen]
    if proposals is None or not blind:
        return guess
    proposed = _proposed(proposals, mode)
    known = KnownNames(proposed)
    number = {name: c for c, name in enumerate(answers.class_names)}
    for position in blind:
        image = answers.ids[position]
        found, _ = known.find(image)
        if len(found) > 1:
            raise ValueError(
                f"The image {image!r} can be any of the proposals {sorted(found)[:5]}. "
                "Write its name the same way everywhere."
            )
        given = proposed[found[0]] if found else None
        given = composed(given) if isinstance(given, str) else given
        if isinstance(given, int | np.integer) and 0 <= given < len(number):
            guess[position] = given
        elif given is not None:
            if given not in number:
                raise ValueError(
                    f"`proposals` proposes {given!r} for {image!r}, which is none of "
                    f"the classes {list(number)}."
                )
            guess[position] = number[given]
    return guess


def _proposed(proposals: Any, mode: str | None) -> Mapping[str, Any]:
    """Returns image -> the class that is proposed for it."""
    if isinstance(proposals, Mapping):
        return proposals
    if not all(hasattr(proposals, part) for part in ("steps", "class_names")):
        raise TypeError(
            "`proposals` must be `Proposals` or a dict of image to class. Received: "
            f"{type(proposals).__name__}"
        )
    steps = proposals.steps("classes" if mode == "classes" else "dc3")
    names = proposals.class_names
    return {name: names[step.label] for step in steps for name in step.ids}
