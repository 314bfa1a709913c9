"""A frozen backbone joined with what was trained on its features."""

from __future__ import annotations

from typing import Any

import keras

from keras_dc3._registration import deserialized, model_config, register


@register
class JoinedBackbone(keras.Model):
    """From images to features, by way of the features of a frozen backbone.

        head((frozen(images) - mean) / deviation)

    It is made by `DC3Model.with_image_backbone`.

    Args:
        frozen: a `FrozenBackbone`.
        standardization: a layer that standardizes its features.
        head: a Keras model or layer from these to features (n, d).
        **kwargs: `name` and `dtype`, as for every Keras model.

    Call arguments:
        images: (n, h, w, c), as `frozen` takes them.

    Example:

    >>> layers = [keras.Input((8, 8, 3)), keras.layers.GlobalAveragePooling2D()]
    >>> joined = keras_dc3.backbones.JoinedBackbone(
    ...     keras_dc3.backbones.FrozenBackbone(keras.Sequential(layers), (8, 8, 3)),
    ...     keras.layers.Rescaling(0.1),
    ...     keras_dc3.backbones.feature_mlp(3, 5),
    ... )
    >>> tuple(joined(np.zeros((2, 8, 8, 3), "uint8")).shape)
    (2, 8)
    """

    def __init__(
        self,
        frozen: keras.Model,
        standardization: keras.layers.Layer,
        head: keras.layers.Layer,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.frozen = frozen
        self.standardization = standardization
        self.head = head

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """(None, h, w, c)."""
        return (None, *self.frozen.image_shape)

    def frozen_features(self, images: Any) -> Any:
        """Returns what the head sees in images, float (n, d)."""
        return self.standardization(self.frozen(images))

    def call(self, images: Any) -> Any:
        return self.head(self.frozen_features(images))

    def get_config(self) -> dict[str, Any]:
        return model_config(
            self,
            frozen=self.frozen,
            standardization=self.standardization,
            head=self.head,
        )

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None):
        names = ("dtype", "frozen", "standardization", "head")
        return cls(**deserialized(config, names, custom_objects))

    def get_build_config(self) -> dict[str, Any]:
        return {"input_shape": self.input_shape}

    def build_from_config(self, config: dict[str, Any]) -> None:
        self(keras.KerasTensor(tuple(config["input_shape"]), "float32"))
