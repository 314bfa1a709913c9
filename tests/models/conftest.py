"""How the tests of the model run on TensorFlow."""

import os

import keras
import pytest


@pytest.fixture
def without_graphs(request):
    """Runs each operation by itself on TensorFlow, as a graph takes long to make.

    Tests marked `graph` or `slow` make graphs, and all with `KERAS_DC3_GRAPHS=1`, as on
    the oldest TensorFlow before every merge.
    """
    marked = any(map(request.node.get_closest_marker, ("graph", "slow")))
    graphs = marked or os.environ.get("KERAS_DC3_GRAPHS")
    if graphs or keras.backend.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
