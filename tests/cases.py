"""Small inputs from outside the project, which stand beside it."""

from pathlib import Path

import pytest

CASES = Path(__file__).parents[2] / "shared" / "cases"


def case(name):
    """The folder of the case whose name begins so; without it the test is skipped."""
    folder = next(CASES.glob(f"{name}*"), None)
    if folder is None:
        pytest.skip(f"there is no case {name} in {CASES}")
    return folder
