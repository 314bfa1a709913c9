"""Which of many like inputs a test tries at once, and which under `slow`."""

import pytest


def few(values, *quick):
    """Marks each value that is not in `quick` as slow; tuples are several arguments."""
    assert set(quick) <= set(values), f"{quick} must be of {list(values)}"
    return [value if value in quick else _slow(value) for value in values]


def _slow(value):
    arguments = value if isinstance(value, tuple) else (value,)
    return pytest.param(*arguments, marks=pytest.mark.slow)
