"""Checks for parts of your own: put a strategy through its contract.

    from keras_dc3.testing import check_strategy

    check_strategy(MyStrategy(temperature=0.4))

Needs no test framework, and runs on every Keras backend.
"""

from keras_dc3.testing.gradients import gradients
from keras_dc3.testing.strategy import check_strategy

__all__ = ["check_strategy", "gradients"]
