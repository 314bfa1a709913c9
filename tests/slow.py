"""Which of many like inputs a test tries at once, and which under `slow`."""

from itertools import product

import pytest


def few(values, *quick):
    """Marks each value that is not in `quick` as slow; tuples are several arguments."""
    assert all(value in values for value in quick), f"{quick} must be of {list(values)}"
    return [value if value in quick else _slow(value) for value in values]


def crossed(*axes):
    """All combinations of several arguments' values.

    At once run only as many as have each value once: the first of each, the second of
    each, and so on, beginning anew where there are fewer.
    """
    longest = max(map(len, axes))
    quick = [tuple(axis[i % len(axis)] for axis in axes) for i in range(longest)]
    return few(list(product(*axes)), *quick)


def _slow(value):
    arguments = value if isinstance(value, tuple) else (value,)
    return pytest.param(*arguments, marks=pytest.mark.slow)
