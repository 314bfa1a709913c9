"""A process that ends while a pipeline is reading does end."""

import pytest

from tests.processes import run_script

pytestmark = pytest.mark.tensorflow

SCRIPT = """
import time

import numpy as np

from keras_dc3 import datasets
from keras_dc3.data import ImageSet

read = ImageSet.read


def slow(self, at):
    time.sleep(0.2)
    return read(self, at)


ImageSet.read = slow
images, counts = np.zeros((400, 4, 4, 1), "uint8"), np.eye(2, dtype=int)[[0, 1] * 200]
data = datasets.from_arrays(images, counts, batch_size=4)
batches = iter(data.training_batches(("weak",)))
next(batches)
raise SystemExit("told")
"""


def test_the_end_is_waited_for():
    done = run_script(SCRIPT, timeout=60)
    assert done.returncode == 1 and "told" in done.stderr
