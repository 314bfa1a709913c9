"""Several devices of JAX, by `keras.distribution`, train and answer as one does."""

import json
from pathlib import Path

import keras
import pytest

from tests.models.helpers import STRATEGIES
from tests.processes import run_script
from tests.slow import few

pytestmark = pytest.mark.skipif(keras.backend.backend() != "jax", reason="of JAX")


@pytest.mark.parametrize(
    ("devices", "batch_norm", "images", "names"),
    few(
        [
            (4, "joint", 30, ("mean_teacher",)),
            (2, "joint", 32, STRATEGIES),
            (3, "per_view", 30, STRATEGIES),
            (4, "joint", 30, STRATEGIES),
        ],
        (4, "joint", 30, ("mean_teacher",)),
    ),
)
def test_several_devices_equal_one(devices, batch_norm, images, names):
    """Also where no number of devices divides the last batch, of images or of parts.

    Weights, averages, what is logged, scores of validation images, and answers.
    """
    script = Path(__file__).with_name("sharded_script.py")
    result = run_script(script, devices, batch_norm, images, *names, check=True)
    differences = json.loads(result.stdout.strip().splitlines()[-1])
    assert list(differences) == list(names)
    assert max(max(found) for found in differences.values()) < 1e-5, differences
