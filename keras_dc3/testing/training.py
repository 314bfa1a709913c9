"""Whether a model trains with a strategy, and comes back from a file."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3.config import DC3Config
from keras_dc3.models import DC3Model
from keras_dc3.strategies import SSLStrategy
from keras_dc3.strategies.batch import LABELED, POSITIONS
from keras_dc3.testing.per_image import (
    LABELED_IMAGES,
    UNLABELED_IMAGES,
    require,
    views_of,
)


class _OneBatch(keras.utils.PyDataset):
    """A data set of one batch."""

    def __init__(self, batch: Any):
        super().__init__()
        self._batch = batch

    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> Any:
        return self._batch


def check_training(
    strategy: SSLStrategy,
    config: DC3Config,
    random: Any,
    image_shape: tuple[int, int, int],
    num_classes: int,
) -> None:
    """Checks one step of training, and saving and loading after it."""
    kind = "DC3" if config.predicts_ambiguity else "`DC3Config.vanilla()`"
    name = type(strategy).__name__
    backbone = keras.Sequential(
        [
            keras.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    # A copy, as models must not share the state that a strategy may keep.
    copy = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(strategy)
    )
    model = DC3Model(backbone, ssl=copy, num_classes=num_classes, config=config)
    # As a graph and once eagerly. Only JAX has its graph compiled: it takes seconds.
    model.compile(
        keras.optimizers.SGD(0.1),
        run_eagerly=not config.predicts_ambiguity,
        jit_compile=config.predicts_ambiguity and keras.backend.backend() == "jax",
    )
    images = {
        view: random.random((rows, *image_shape), "float32")
        for view, rows in views_of(strategy).items()
    }
    labeled = images.pop(LABELED)
    labels = np.arange(LABELED_IMAGES) % num_classes
    batch = ({"labeled": labeled, "unlabeled": images}, labels)
    # One epoch of one step, without the callbacks and warnings of `DC3Model.fit`.
    model.build((None, *image_shape))
    if strategy.needs_positions:
        model.ssl.prepare(num_classes, UNLABELED_IMAGES)
        batch[0][POSITIONS] = np.arange(UNLABELED_IMAGES, dtype="int32")
    history = keras.Model.fit(model, _OneBatch(batch), epochs=1, verbose=0).history
    for term, values in history.items():
        require(
            np.isfinite(values).all(),
            f"`{name}` with {kind}: after one training step {term!r} is {values[-1]}.",
        )
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.keras")
        model.save(path)
        loaded = keras.saving.load_model(path)
    pairs = zip(model.ssl.variables, loaded.ssl.variables, strict=True)
    require(
        all(np.array_equal(*map(ops.convert_to_numpy, pair)) for pair in pairs),
        f"`{name}` with {kind}: after saving and loading, the state is another one.",
    )
    for output, values in model(labeled).items():
        require(
            np.allclose(
                ops.convert_to_numpy(values),
                ops.convert_to_numpy(loaded(labeled)[output]),
                atol=1e-6,
            ),
            f"`{name}` with {kind}: after saving and loading, the model predicts other "
            f"{output!r}.",
        )
