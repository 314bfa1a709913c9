"""The network of DC3: a backbone and three heads."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
from keras import ops

from keras_dc3._registration import register
from keras_dc3.layers import AmbiguityHead, OverclusterHead

_RESCALING = (keras.layers.Rescaling, keras.layers.Normalization)


def has_rescaling(layer: keras.layers.Layer) -> bool:
    """Whether a Rescaling or Normalization layer stands anywhere in `layer`."""
    return any(
        isinstance(part, _RESCALING)
        for part in layer._flatten_layers(include_self=True, recursive=True)
    )


@contextmanager
def quiet_heads() -> Iterator[None]:
    """Lets plain images train the classes alone without a warning.

    Keras takes heads that have no gradient for a loss that was forgotten. A layer of
    the user's that has none is told still.
    """
    head = r"'[^']*/(cluster|ambiguity)_head/[^']*'"
    message = rf"Gradients do not exist for variables \[{head}(, {head})*\] when"
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=message)
        yield


@register
class DC3Network(keras.layers.Layer):
    """From images to the logits of classes, clusters and ambiguity.

    Integer images hold 0..255 and are scaled to [-1, 1]; floating-point images reach
    the backbone as they are.

    Args:
        backbone: a Keras model or layer from images to features (n, d) or
            (n, h, w, d); the latter are averaged over h and w.
        num_classes: k.
        num_clusters: k'.
        cluster_head: `"linear"`, or `"prototypes"` for a second `OverclusterHead` of
            that form beside the linear one.
        use_uncertainty: see `AmbiguityHead`.
        stop_ambiguity_features: see `AmbiguityHead`.
        rescale: whether integer images are scaled. None: unless the backbone holds a
            Rescaling or Normalization layer of its own.

    Call arguments:
        images: (n, h, w, c), integer or float.

    Returns:
        `{"features": (n, d), "class_logits": (n, k), "cluster_logits": (n, k'),
        "ambiguity_logits": (n,)}`, float32; and `"prototype_logits": (n, k')` where
        there are prototypes.
    """

    def __init__(
        self,
        backbone: keras.layers.Layer,
        num_classes: int,
        num_clusters: int,
        cluster_head: str = "linear",
        use_uncertainty: bool = True,
        stop_ambiguity_features: bool = True,
        rescale: bool | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.backbone = backbone
        self.num_classes = num_classes
        self.num_clusters = num_clusters
        self.rescale = not has_rescaling(backbone) if rescale is None else rescale
        self.class_head = keras.layers.Dense(
            num_classes,
            kernel_initializer="glorot_normal",
            dtype="float32",
            name="class_head",
        )
        self.cluster_head = OverclusterHead(
            num_clusters, activation=None, name="cluster_head"
        )
        self.prototype_head = None
        if cluster_head == "prototypes":
            self.prototype_head = OverclusterHead(
                num_clusters, "prototypes", activation=None, name="prototype_head"
            )
        self.ambiguity_head = AmbiguityHead(
            use_uncertainty=use_uncertainty,
            stop_features=stop_ambiguity_features,
            activation=None,
            name="ambiguity_head",
        )

    def build(self, image_shape: tuple[int | None, ...]) -> None:
        # The backbone is called, not built: a subclassed one may build itself only
        # when it sees its first images.
        expected = getattr(self.backbone, "input_shape", None)
        if isinstance(expected, tuple) and len(expected) == len(image_shape):
            pairs = zip(image_shape[1:], expected[1:], strict=True)
            if any(None not in (a, b) and a != b for a, b in pairs):
                raise ValueError(
                    f"The backbone {self.backbone.name!r} cannot take images of shape "
                    f"{tuple(image_shape[1:])}: it takes {tuple(expected[1:])}."
                )
        images = keras.Input(tuple(image_shape[1:]), dtype=self.compute_dtype)
        try:
            features = self._pool(self.backbone(images))
        except Exception as error:
            raise ValueError(
                f"The backbone {self.backbone.name!r} cannot take images of shape "
                f"{tuple(image_shape[1:])}: {str(error).strip().splitlines()[0]}"
            ) from error
        classes = (None, self.num_classes)
        self.num_features = features.shape[-1]
        self.class_head.build(features.shape)
        self.cluster_head.build(features.shape)
        if self.prototype_head is not None:
            self.prototype_head.build(features.shape, classes)
        self.ambiguity_head.build(features.shape, classes)

    def prepare(self, images: Any) -> Any:
        """Returns images as the backbone takes them, in the compute dtype."""
        images = ops.convert_to_tensor(images)
        integer = not keras.backend.is_float_dtype(images.dtype)
        images = ops.cast(images, self.compute_dtype)
        return images / 127.5 - 1.0 if integer and self.rescale else images

    def _pool(self, features: Any) -> Any:
        rank = len(getattr(features, "shape", ()))
        if rank == 4:
            return ops.mean(features, axis=(1, 2))
        if rank == 2:
            return features
        raise ValueError(
            "it must return features of shape (n, d) or (n, h, w, d), but returned "
            f"{getattr(features, 'shape', type(features).__name__)}"
        )

    def call(self, images: Any, training: bool = False) -> dict[str, Any]:
        # Keras hands `training` on to the backbone by itself.
        features = self._pool(self.backbone(self.prepare(images)))
        features = ops.cast(features, "float32")
        class_logits = self.class_head(features)
        probabilities = ops.softmax(class_logits, axis=-1)
        outputs = {
            "features": features,
            "class_logits": class_logits,
            "cluster_logits": self.cluster_head(features),
            "ambiguity_logits": self.ambiguity_head(features, probabilities),
        }
        if self.prototype_head is not None:
            outputs["prototype_logits"] = self.prototype_head(features, probabilities)
        return outputs

    def compute_output_shape(self, image_shape: tuple) -> dict[str, tuple]:
        n = image_shape[0]
        shapes = {
            "features": (n, self.num_features),
            "class_logits": (n, self.num_classes),
            "cluster_logits": (n, self.num_clusters),
            "ambiguity_logits": (n,),
        }
        if self.prototype_head is not None:
            shapes["prototype_logits"] = (n, self.num_clusters)
        return shapes
