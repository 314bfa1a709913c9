"""Shared fixtures. The suite runs on every Keras backend (`KERAS_BACKEND`)."""

import gc
import os
import zlib
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# Most networks here take a few steps: XLA takes longer to make them fast.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from keras_dc3 import strategies

# How many inputs a property test tries; `--hypothesis-profile=thorough` for more. They
# are the same ones in each run, and a busy machine is no failure.
for profile, examples in (("quick", 15), ("thorough", 200)):
    settings.register_profile(
        profile,
        max_examples=examples,
        derandomize=True,
        deadline=None,
        suppress_health_check=[
            HealthCheck.function_scoped_fixture,
            HealthCheck.too_slow,
        ],
    )
settings.load_profile("quick")

# Two logical CPU devices for tests of `tf.distribute`; only possible before
# TensorFlow has started its devices.
if keras.backend.backend() == "tensorflow":
    import tensorflow as tf

    tf.config.set_logical_device_configuration(
        tf.config.list_physical_devices("CPU")[0],
        [tf.config.LogicalDeviceConfiguration() for _ in range(2)],
    )


def pytest_collection_modifyitems(config, items):
    """Takes the share of the tests that is asked for; skips what needs TensorFlow.

    `KERAS_DC3_SHARE=0/2` and `1/2` are two halves, whatever the order of the tests.
    """
    share, shares = map(int, os.environ.get("KERAS_DC3_SHARE", "0/1").split("/"))
    parts = [[] for _ in range(shares)]
    for item in items:
        parts[zlib.crc32(item.nodeid.encode()) % shares].append(item)
    items[:] = parts.pop(share)
    config.hook.pytest_deselected(items=[i for part in parts for i in part])
    backend = keras.backend.backend()
    if backend != "tensorflow":
        skip = pytest.mark.skip(reason=f"needs the TensorFlow backend, not {backend}")
        for item in items:
            if "tensorflow" in item.keywords:
                item.add_marker(skip)


@pytest.fixture(autouse=True, scope="module")
def _few_objects_to_look_at():
    """Keeps the garbage collector from what lives on: else it stops for a minute."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="module")
def _no_strategies_of_others():
    """Forgets the strategies that the examples of a page have registered."""
    known = dict(strategies._NAMED)
    yield
    strategies._NAMED.clear()
    strategies._NAMED.update(known)


@pytest.fixture(autouse=True)
def _seeded():
    keras.utils.set_random_seed(1234)


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


@pytest.fixture
def rng():
    """A NumPy generator with a fixed seed."""
    return np.random.default_rng(1234)


@pytest.fixture(scope="session")
def data_dir():
    """The folder of real data; tests that need it are skipped where it is absent."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("KERAS_DC3_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} does not exist; set KERAS_DC3_DATA")
    return folder


@pytest.fixture
def make_backbone():
    """Makes a small seeded CNN with BatchNormalization, for 3-channel images."""

    def make(dropout: float = 0.0, batch_norm: bool = True, width: int = 8):
        layers = keras.layers
        parts = [layers.Conv2D(width, 3, strides=2, padding="same")]
        if batch_norm:
            parts.append(layers.BatchNormalization())
        parts.append(layers.Activation("relu"))
        if dropout:
            parts.append(layers.Dropout(dropout, seed=11))
        parts.append(layers.Conv2D(width, 3, padding="same", activation="relu"))
        return keras.Sequential([*parts, layers.GlobalAveragePooling2D()])

    return make


@pytest.fixture(scope="session")
def mirrored():
    """Two replicas. One object for all tests: a second one in a process breaks TF."""
    return tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
