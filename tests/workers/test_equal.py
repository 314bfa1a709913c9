"""Several processes under `tf.distribute` train what one device does."""

import json

import numpy as np
import pytest

from tests.models.helpers import STRATEGIES
from tests.workers.cluster import ALONE, run

pytestmark = pytest.mark.tensorflow
EVEN = {"images": 120, "batch": 12, "validated": 24}  # ten steps
UNEVEN = {"images": 129, "batch": 13, "validated": 30}  # the last one of 12
EMPTY = {"images": 27, "batch": 13, "validated": 14, "epochs": 2}  # 13, 13 and 1


def check(cases, workers, folder):
    paths = run("train_script.py", workers, folder, alone=True, cases=cases)
    found = {name: dict(np.load(path)) for name, path in paths.items()}
    logs = {name: json.loads(str(arrays.pop("logs"))) for name, arrays in found.items()}
    for worker in range(workers):
        assert found[worker].keys() == found[ALONE].keys()
        for name, value in found[ALONE].items():
            told = f"{cases[int(name.split('_')[0])]}, weight {name}"
            np.testing.assert_allclose(
                found[worker][name], value, rtol=0, atol=1e-5, err_msg=told
            )
        for case, own, expected in zip(cases, logs[worker], logs[ALONE], strict=True):
            assert own.keys() == expected.keys(), case
            for name, values in expected.items():
                np.testing.assert_allclose(
                    own[name], values, rtol=1e-5, atol=1e-6, err_msg=f"{case}, {name}"
                )


@pytest.mark.slow
def test_two_workers_equal_one_device(tmp_path):
    case = {"images": 40, "batch": 13, "validated": 14}  # and a last batch of 1 + 0
    check([{"ssl": "supervised", "optimizer": "clipped", **case}], 2, tmp_path)


OF_THREE = pytest.param(3, UNEVEN, marks=pytest.mark.slow, id="3-uneven")
ALL_SHARES = [
    pytest.param(workers, shares, marks=pytest.mark.long, id=f"{workers}-{name}")
    for workers in (2, 3)
    for name, shares in (("even", EVEN), ("uneven", UNEVEN), ("none", EMPTY))
    if (workers, name) != (3, "uneven")
]


@pytest.mark.parametrize(("workers", "shares"), [OF_THREE, *ALL_SHARES])
def test_shares(workers, shares, tmp_path):
    """Both heads and both kinds of normalization; with clipping and without."""
    cases = [
        {"ssl": "mean_teacher", "optimizer": "clipped", "head": "prototypes"},
        {"ssl": "fixmatch", "policy": "per_view"},
        {"ssl": "mean_teacher", "policy": "per_view", "head": "prototypes"},
        {"ssl": "supervised", "optimizer": "scaled"},
    ]
    check([{**shares, **case} for case in cases], workers, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize("policy", ["joint", "per_view"])
def test_all_strategies(policy, tmp_path):
    cases = [{"ssl": ssl, "policy": policy, **UNEVEN} for ssl in STRATEGIES]
    check(cases, 2, tmp_path)
