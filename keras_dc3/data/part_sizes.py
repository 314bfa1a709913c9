"""How many images a part gets. NumPy only."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def part_sizes(n: int, asked: Mapping[str, int | float | None]) -> dict[str, int]:
    """Returns how many of n images each part gets.

    Args:
        n: how many images there are.
        asked: part -> an int, a number of images; a float in (0, 1], a fraction of n
            (rounded; where all fractions add up to 1 every image is used); or None.

    Raises:
        ValueError: if a part would be empty, or more images are asked for than n.
    """
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
                f"The {name} part of {counted(n)} would be empty ({summary}). Ask for "
                f"at least {least(1, n)}, or pass None where a part is not wanted."
            )
    total = sum(sizes.values())
    if total > n:
        raise ValueError(
            f"The split asks for {total} images but there "
            f"{'is' if n == 1 else 'are'} only {n} ({summary} make "
            f"{', '.join(f'{name}: {size}' for name, size in sizes.items())}). Ask for "
            "fewer."
        )
    return sizes


def least(number: int, n: int) -> str:
    """Returns the words "2 images or the fraction 0.2" for 2 of 10 images."""
    digits = len(str(n))
    fraction = -(-number * 10**digits // n) / 10**digits  # rounded up
    return f"{counted(number)} or the fraction {fraction:g}"


def counted(number: int) -> str:
    """Returns "1 image" or "2 images"."""
    return f"{number} image{'' if number == 1 else 's'}"
