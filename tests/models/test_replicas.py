"""Three replicas equal one device, also where some of them have no image."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.processes import run_script

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize(
    "settings",
    [
        ("joint", 13, 30, 30),  # shares of 5 + 5 + 3 and of 2 + 2 + 0
        ("per_view", 13, 27, 14),  # 1 + 0 + 0
    ],
    ids=lambda settings: settings[0],
)
def test_replicas_without_images(settings):
    script = ROOT / "tests" / "models" / "replica_script.py"
    done = run_script(script, *settings, check=True)
    result = json.loads(done.stdout.strip().splitlines()[-1])
    assert result["weights"] < 1e-5
    assert result["three"].keys() == result["one"].keys()
    for name, expected in result["one"].items():
        np.testing.assert_allclose(
            result["three"][name], expected, rtol=1e-5, atol=1e-6, err_msg=name
        )
