"""All that is done with a data set, by several workers as by one device."""

import json
from importlib.metadata import version

import numpy as np
import pytest

from tests.workers.cluster import ALONE, run

pytestmark = [pytest.mark.tensorflow, pytest.mark.slow]


def test_two_workers_do_what_one_device_does(tmp_path):
    paths = run("life_script.py", 2, tmp_path, alone=True)
    found = {name: dict(np.load(path)) for name, path in paths.items()}
    told = {name: json.loads(str(found[name].pop("told"))) for name in found}
    expected = found[ALONE]
    for worker in (0, 1):
        own = found[worker]
        for name, value in expected.items():
            if name.startswith("read_") or (worker == 0 and name in ALONE_IN_ONE):
                continue
            if name == "verdict":
                assert str(own[name]) == str(value)
                continue
            np.testing.assert_allclose(own[name], value, atol=1e-5, err_msg=name)
        _check_logs(told[worker], told[ALONE])
    # Each unlabeled image once in the epoch, and none by both.
    reads = [found[worker]["read_unlabeled"].tolist() for worker in (0, 1)]
    assert sorted([*reads[0], *reads[1]]) == list(range(51))
    reads = [found[worker]["read_validation"].tolist() for worker in (0, 1)]
    assert set(reads[0]) | set(reads[1]) == set(range(19))
    assert not set(reads[0]) & set(reads[1])


ALONE_IN_ONE = ("proposed", "embeddings")  # the second one alone has asked for them


def _check_logs(own, expected):
    assert own.keys() == expected.keys()
    for name, value in expected.items():
        if isinstance(value, dict):
            _check_logs(own[name], value)
        else:
            np.testing.assert_allclose(
                own[name], value, rtol=1e-5, atol=1e-6, err_msg=name
            )


def test_workers_of_other_versions_are_refused(tmp_path):
    for path in run("versions_script.py", 2, tmp_path).values():
        told = path.read_text()
        assert told.startswith("All workers must have the same versions")
        assert f"worker 0: tensorflow {version('tensorflow')}, keras " in told
        assert "keras_dc3 0.0.1." in told
