"""Several processes by `jax.distributed` train what one device does."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.processes import run_script
from tests.workers.cluster import ALONE, addresses

SCRIPT = Path(__file__).with_name("jax_script.py")


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "jax", reason="of JAX")
def test_two_processes_equal_one(tmp_path):
    (address,) = addresses(1)
    paths = {name: tmp_path / f"{name}.npz" for name in (ALONE, "0", "1")}

    def start(name):
        return run_script(SCRIPT, name, address, paths[name], timeout=900)

    with ThreadPoolExecutor(3) as pool:
        for done in pool.map(start, paths):
            assert done.returncode == 0, done.stderr[-3000:]
    found = {name: dict(np.load(path)) for name, path in paths.items()}
    logs = {name: json.loads(str(arrays.pop("logs"))) for name, arrays in found.items()}
    for worker in ("0", "1"):
        for name, value in found[ALONE].items():
            np.testing.assert_allclose(
                found[worker][name], value, atol=1e-5, err_msg=name
            )
        assert logs[worker].keys() == logs[ALONE].keys()
        for name, values in logs[ALONE].items():
            np.testing.assert_allclose(
                logs[worker][name], values, rtol=1e-5, atol=1e-6, err_msg=name
            )
