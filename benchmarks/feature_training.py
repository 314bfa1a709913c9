"""The training that benchmarks on stored features share."""

from __future__ import annotations

from typing import Any


def trained(data: Any, ssl: Any, steps: int, seed: int) -> Any:
    """Returns a model with `feature_mlp`, trained for so many steps.

    Args:
        data: the data set.
        ssl: the strategy.
        steps: of the training, in one epoch that ends with a validation.
        seed: of the weights and the training.
    """
    import keras

    import keras_dc3

    keras.utils.set_random_seed(seed)
    backbone = keras_dc3.backbones.feature_mlp(data.image_shape)
    model = keras_dc3.DC3Model(backbone, ssl=ssl, training_steps=steps, ema_decay=0.99)
    model.fit(
        data,
        steps_per_epoch=steps,
        validation_data=data.validation_batches(),
        verbose=0,
    )
    return model
