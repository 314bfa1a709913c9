"""A figure with its interval, as text."""

import math

import numpy as np
import pytest

from keras_dc3.agreement.estimate import Estimate, estimate


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (Estimate(0.5194, 0.401, 0.6404, 200), "0.519 (0.401 to 0.640)"),
        (Estimate(0.5194), "0.519"),
        (Estimate(math.nan, images=3, note="why"), "-"),
        # Ten images that agree, however drawn, agree: that is no interval.
        (estimate(1.0, np.ones(100), 10), "1.000 (from 10 images)"),
        (estimate(0.0, np.zeros(100), 1), "0.000"),
        (Estimate(1.0, 0.9996, 1.0, 10), "1.000 (from 10 images)"),
        (Estimate(1.0, 0.999, 1.0, 10), "1.000 (0.999 to 1.000)"),
        (Estimate(0.5, 0.5, 0.5), "0.500 (0.500 to 0.500)"),  # of nobody knows how many
    ],
)
def test_as_text(found, told):
    assert str(found) == told
