"""A run that was stopped and continued in a new process equals one that was not."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.processes import run_script

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
SCRIPT = Path(__file__).with_name("resume_script.py")


CASE = ROOT.parent / "shared" / "cases" / "17-killed-and-continued" / "toy.npz"


def _make_toy(npz):
    """Writes images of three classes with counts; or takes a case from the outside."""
    if CASE.is_file():
        shutil.copy(CASE, npz)
        return
    rng = np.random.default_rng(17)
    labels = np.arange(36) % 3
    images = rng.integers(0, 100, (36, 16, 16, 3)) + 70 * labels[:, None, None, None]
    counts = 4 * np.eye(3, dtype=int)[labels] + np.eye(3, dtype=int)[labels[::-1]]
    np.savez(npz, images=images.astype("uint8"), labels=labels, counts=counts)


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Runs the script in all its modes; returns the folder and their messages."""
    folder = tmp_path_factory.mktemp("resume")
    npz = folder / "toy.npz"
    _make_toy(npz)
    messages = {}
    for mode in ("whole", "killed", "restarted", "half", "loaded"):
        result = run_script(SCRIPT, mode, folder, npz)
        expected = 1 if mode == "killed" else 0
        assert result.returncode == expected, f"{mode}:\n{result.stderr[-3000:]}"
        messages[mode] = result.stderr
    return folder, messages


def history(folder, mode):
    return json.loads((folder / f"{mode}.json").read_text())


@pytest.mark.parametrize("mode", ["restarted", "loaded"])
def test_continued_is_bit_equal(runs, mode):
    """Student, average, optimizer, seeds and step; and the last three epochs' logs."""
    folder, _ = runs
    whole, continued = np.load(folder / "whole.npz"), np.load(folder / f"{mode}.npz")
    assert set(whole) == set(continued)
    for name in whole:
        np.testing.assert_array_equal(whole[name], continued[name], err_msg=name)
    expected, logs = history(folder, "whole"), history(folder, mode)
    assert len(logs["loss"]) == 3
    for name, values in logs.items():
        np.testing.assert_allclose(values, expected[name][3:], rtol=1e-6, err_msg=name)


def test_nothing_is_dropped_on_the_way(runs):
    _, messages = runs
    for mode in ("restarted", "loaded"):
        assert "Skipping variable loading" not in messages[mode]
        assert "`compile()` was not called" not in messages[mode]


def test_the_run_learns_and_its_ramp_moves(runs):
    """Otherwise equality of the runs would say little."""
    folder, _ = runs
    logs = history(folder, "whole")
    assert logs["supervised_loss"][-1] < logs["supervised_loss"][0]
    assert logs["ssl_loss"][-1] > logs["ssl_loss"][0]
