"""Which images are labeled, unlabeled and for validation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_dc3._validation import check_positive_int, check_seed


class Split(NamedTuple):
    """Sorted positions (m,) int64 of each part."""

    labeled: np.ndarray
    unlabeled: np.ndarray
    validation: np.ndarray


def split(
    n: int,
    labeled: int | float,
    unlabeled: int | float | None,
    validation: int | float | None,
    seed: int,
) -> Split:
    """Draws disjoint parts of n images at random.

    Args:
        n: how many images there are.
        labeled: an int is a number of images, a float in (0, 1] a fraction of n
            (rounded; where three fractions add up to 1 every image is used).
        unlabeled: likewise; None for no such part.
        validation: likewise; None for no such part.
        seed: integer of at least 0; the same arguments give the same parts.

    Raises:
        ValueError: if a part would be empty, or more images are asked for than n.
    """
    check_positive_int("n", n)
    check_seed(seed)
    asked = {"labeled": labeled, "unlabeled": unlabeled, "validation": validation}
    if labeled is None:
        raise ValueError("`labeled` must be a number or a fraction of images, not None")
    sizes = _sizes(n, asked)
    order = np.random.default_rng(seed).permutation(n)
    stops = np.cumsum([sizes[name] for name in Split._fields])
    parts = np.split(order, stops)[:3]
    return Split(*(np.sort(part) for part in parts))


def check_disjoint(**parts: Sequence) -> None:
    """Raises ValueError if an id (or position) is in more than one of the named parts.

    Also where one part holds it twice.
    """
    seen: dict = {}
    shared: dict[tuple[str, str], list] = {}
    for name, members in parts.items():
        for member in members:
            if member in seen:
                shared.setdefault((seen[member], name), []).append(member)
            seen[member] = name
    for (first, second), members in shared.items():
        some = ", ".join(str(member) for member in members[:5])
        where = f"both in {first} and in {second}"
        if first == second:
            where = f"in {first} twice"
        raise ValueError(
            f"{len(members)} images are {where}: {some}"
            f"{', ...' if len(members) > 5 else ''}. Each image may be in one part "
            "only, once; remove it from the others."
        )


def _sizes(n: int, asked: dict[str, int | float | None]) -> dict[str, int]:
    sizes, exact = {}, {}
    for name, size in asked.items():
        if size is None:
            sizes[name] = 0
            continue
        if isinstance(size, bool) or not isinstance(
            size, int | float | np.integer | np.floating
        ):
            raise ValueError(
                f"`{name}` must be a number of images or a fraction of them. "
                f"Received: {name}={size!r}"
            )
        if isinstance(size, float | np.floating):
            if not 0 < size <= 1:
                raise ValueError(
                    f"`{name}` as a fraction must lie in (0, 1]. Received: "
                    f"{name}={size!r}; for a number of images pass an int."
                )
            exact[name] = float(size) * n
            sizes[name] = round(exact[name])
        else:
            sizes[name] = int(size)
    if len(exact) > 1 and abs(sum(exact.values()) - n) < 1e-6 * n:
        # Largest remainders: the fractions add up to 1, so no image is left out.
        sizes.update({name: int(value + 1e-9) for name, value in exact.items()})
        by_rest = sorted(exact, key=lambda name: sizes[name] - exact[name])
        for name in by_rest[: n - sum(sizes[name] for name in exact)]:
            sizes[name] += 1
    summary = ", ".join(f"{name}={asked[name]!r}" for name in asked)
    for name, size in sizes.items():
        if asked[name] is not None and size < 1:
            raise ValueError(
                f"The {name} part of {n} images would be empty ({summary}). Ask for "
                "more, or pass None where a part is not wanted."
            )
    total = sum(sizes.values())
    if total > n:
        raise ValueError(
            f"The split asks for {total} images but there are only {n} ({summary} make "
            f"{', '.join(f'{name}: {size}' for name, size in sizes.items())}). Ask for "
            "fewer."
        )
    return sizes
