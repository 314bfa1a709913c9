"""Replicas of a model: global sums, counts and gathers, with and without TensorFlow."""

import keras

from keras_dc3.collective.collective import Collective
from keras_dc3.collective.share import Share as Share


def current() -> Collective:
    """Returns the collective of the strategy scope this is called in."""
    if keras.backend.backend() == "tensorflow":
        from keras_dc3.collective import tf_collective

        return tf_collective.current()
    return Collective()
