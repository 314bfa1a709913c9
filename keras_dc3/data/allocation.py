"""How many images a part gets, and which, with classes or groups in mind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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


def by_class(
    sizes: Mapping[str, int], classes: np.ndarray, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """Draws parts in which each class has its share of the images.

    Every class is in every part that is not empty.

    Args:
        sizes: part -> number of images; together at most n.
        classes: (n,) names or numbers.
        rng: draws which images of a class.

    Returns:
        Part -> positions.

    Raises:
        ValueError: if a class has fewer images than there are parts, or a part fewer
            images than there are classes.
    """
    names, members = np.unique(classes, return_inverse=True)
    found = np.bincount(members, minlength=len(names))
    asked = [part for part, size in sizes.items() if size]
    rare = int(np.argmin(found))
    if found[rare] < len(asked):
        raise ValueError(
            f"The class {_text(names[rare])} has {found[rare]} of the {len(classes)} "
            f"images, but stratifying needs one of each class in each of the "
            f"{len(asked)} parts {_listed(asked)}. Add images of it, join it with "
            "another class, ask for fewer parts, or do not stratify."
        )
    for part in asked:
        if sizes[part] < len(names):
            raise ValueError(
                f"The {part} part, of size {sizes[part]}, cannot hold one of each of "
                f"the {len(names)} classes. Ask for at least "
                f"{least(len(names), len(classes))}, or do not stratify."
            )
    table = _shares(found, np.array([sizes[part] for part in asked]))
    order = rng.permutation(len(classes))
    # Stable: within a class the images keep the random order.
    order = order[np.argsort(members[order], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(found)])[:-1, None]
    stops = starts + np.cumsum(table, axis=1)
    chosen = {}
    for column, part in enumerate(asked):
        runs = zip(stops[:, column] - table[:, column], stops[:, column], strict=True)
        chosen[part] = np.concatenate([order[start:stop] for start, stop in runs])
    return {part: chosen.get(part, np.empty(0, "int64")) for part in sizes}


def by_group(
    sizes: Mapping[str, int],
    groups: np.ndarray,
    classes: np.ndarray | None,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Draws parts of about the sizes asked for, no group of images in two of them.

    Large groups are dealt out first, each to the part with most room for it.

    Args:
        sizes: part -> number of images; together at most n.
        groups: (n,) names or numbers.
        classes: (n,), of which each part is to have its share; None for no matter.
        rng: draws the order of groups of similar size.

    Returns:
        Part -> positions.

    Raises:
        ValueError: if a part would be empty, or a class be missing in a part.
    """
    n = len(groups)
    names, members = np.unique(groups, return_inverse=True)
    asked = [part for part, size in sizes.items() if size]
    if len(names) < len(asked):
        raise ValueError(
            f"The {n} images are of {len(names)} groups, but each of the {len(asked)} "
            f"parts {_listed(asked)} needs one, as groups stay together. Ask for fewer "
            "parts, or make smaller groups."
        )
    classes = np.zeros(n, "int64") if classes is None else classes
    kinds, kind = np.unique(classes, return_inverse=True)
    table = np.zeros((len(names), len(kinds)), "int64")
    np.add.at(table, (members, kind), 1)
    owner = _dealt(sizes, table, rng)
    _fill_empty(asked, sizes, owner, table.sum(axis=1), n)
    part_of = owner[members]
    chosen = {part: np.flatnonzero(part_of == i) for i, part in enumerate(sizes)}
    for part in asked:
        missing = np.setdiff1d(np.arange(len(kinds)), kind[chosen[part]])
        if missing.size:
            raise ValueError(
                f"The {part} part of {counted(len(chosen[part]))} would hold none of "
                f"the class {_text(kinds[missing[0]])}, as groups stay together and "
                f"{np.count_nonzero(table[:, missing[0]])} of {len(names)} have it. "
                "Ask for a larger part, make smaller groups, or do not stratify."
            )
    return chosen


def _shares(found: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Returns how many images (classes, parts) of each class each part gets.

    Rows and columns keep their sums; each number is the exact share, rounded up or down
    as these allow, but never 0.
    """
    n, parts = found.sum(), len(sizes)
    sizes = np.append(sizes, n - sizes.sum())  # the last is what no part uses
    exact = np.outer(found, sizes) / n
    table = np.floor(exact + 1e-9).astype("int64")
    rest = exact - table
    rows, columns = found - table.sum(axis=1), sizes - table.sum(axis=0)
    for cell in np.argsort(-rest, axis=None, kind="stable"):
        row, column = divmod(int(cell), parts + 1)
        if rows[row] and columns[column]:
            table[row, column] += 1
            rows[row] -= 1
            columns[column] -= 1
    # Whatever the order above could not place.
    for row in np.flatnonzero(rows):
        for column in np.flatnonzero(columns):
            number = min(rows[row], columns[column])
            table[row, column] += number
            rows[row] -= number
            columns[column] -= number
    spare = np.array([1] * parts + [0])
    for row, column in np.argwhere(table[:, :parts] == 0):
        other_column = int(np.argmax(table[row] - spare))
        other_row = int(np.argmax(table[:, column]))
        table[row, column] += 1
        table[row, other_column] -= 1
        table[other_row, column] -= 1
        table[other_row, other_column] += 1
    return table[:, :parts]


def _dealt(
    sizes: Mapping[str, int], table: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Returns the part (groups,) of each group; `len(sizes)` where no part uses it."""
    found, totals = table.sum(axis=0), table.sum(axis=1)
    wanted = np.array([*sizes.values(), totals.sum() - sum(sizes.values())], "float64")
    room = np.outer(wanted, found / totals.sum())
    order = rng.permutation(len(table))
    # Within a power of two the order is random, so that it depends on the seed.
    order = order[np.argsort(-np.floor(np.log2(totals[order])), kind="stable")]
    owner = np.empty(len(table), "int64")
    for group in order:
        part = int(np.argmax(room @ table[group]))
        owner[group] = part
        room[part] -= table[group]
    return owner


def _fill_empty(
    asked: list[str],
    sizes: Mapping[str, int],
    owner: np.ndarray,
    totals: np.ndarray,
    n: int,
) -> None:
    """Gives a part without any group the smallest of another part's."""
    position = {part: i for i, part in enumerate(sizes)}
    for part in asked:
        if (owner == position[part]).any():
            continue
        numbers = np.bincount(owner, minlength=len(sizes) + 1)
        free = np.flatnonzero((numbers[owner] > 1) | (owner == len(sizes)))
        group = free[np.argmin(totals[free])] if free.size else None
        if group is None or totals[group] > 2 * sizes[part]:
            smallest = int(totals.min())
            raise ValueError(
                f"The {part} part of {counted(n)} would be empty: it asks for "
                f"{sizes[part]}, groups stay together, and the smallest of "
                f"{len(totals)} holds {smallest}. Ask for at least "
                f"{least(smallest, n)}, or make smaller groups."
            )
        owner[group] = position[part]


def _text(name: Any) -> str:
    return repr(name.item() if isinstance(name, np.generic) else name)


def _listed(names: list[str]) -> str:
    return "(" + ", ".join(names) + ")"
