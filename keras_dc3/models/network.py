"""The network of DC3: a backbone and three heads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_dc3._registration import register
from keras_dc3.backbones import JoinedBackbone
from keras_dc3.layers import (
    AmbiguityHead,
    DisagreementHead,
    FeatureStandardization,
    MergedClassHead,
    OverclusterHead,
    PrototypeHead,
)
from keras_dc3.models.given_features import (
    check_float,
    check_kind,
    in_scale,
    is_feature_shape,
)
from keras_dc3.models.image_scaling import ImageScaling
from keras_dc3.models.image_values import ImageValues


@register
class DC3Network(keras.layers.Layer):
    """From images to the logits of classes, clusters and ambiguity.

    Integer images hold 0..255 and are scaled to [-1, 1], and so are floating-point
    images of a model trained on integers: the same numbers give the same answer.
    Floating-point images that a model was trained on reach the backbone as they are,
    and integers are then mapped to their range (see `image_values`). A
    `keras_dc3.backbones.Backbone` gets 0..255 from all of them.

    Args:
        backbone: a Keras model or layer from images to features (n, d) or
            (n, h, w, d); the latter are averaged over h and w.
        num_classes: k.
        num_clusters: k'.
        cluster_head: `"linear"`, or `"prototypes"` for a `PrototypeHead` beside the
            `OverclusterHead`.
        ambiguity_inputs: `inputs` of the `AmbiguityHead`.
        stop_ambiguity_features: see `AmbiguityHead`.
        rescale: whether integer images are scaled to [-1, 1]. None: unless the backbone
            scales them itself, which is told by what it does to numbers.
        class_of_row: of each row of the class head its class, where classes were
            merged (see `MergedClassHead`); None: a row per class.

    Attributes:
        scaling: the `ImageScaling` before the backbone.
        standardization: of a network of features, what these go through first.

    Call arguments:
        images: (n, h, w, c), integer or float.
            Or features (n, d) in floating point, which are standardized first.
        prepared: whether they come from `prepare`.

    Returns:
        `{"features": (n, d), "class_logits": (n, k), "cluster_logits": (n, k'),
        "ambiguity_logits": (n,)}`, float32; and `"prototype_logits": (n, k')` where
        there are prototypes. Where ambiguity is by confidence, also
        `"order_logits": (n,)`, by which images on each side of the threshold are
        ordered, and but for training `"disagreement": (n,)` of the `DisagreementHead`
        and what it sees, `"frozen_features"`: the features of a network that nothing
        trains where there is one, else `"features"`.

    Example:

    >>> network = keras_dc3.models.DC3Network(
    ...     keras_dc3.backbones.small_cnn((8, 8, 3)), num_classes=3, num_clusters=15
    ... )
    >>> outputs = network(np.zeros((2, 8, 8, 3), "uint8"))
    >>> tuple(outputs["class_logits"].shape), tuple(outputs["ambiguity_logits"].shape)
    ((2, 3), (2,))
    """

    def __init__(
        self,
        backbone: keras.layers.Layer,
        num_classes: int,
        num_clusters: int,
        cluster_head: str = "linear",
        ambiguity_inputs: str = "confidence",
        stop_ambiguity_features: bool = True,
        rescale: bool | None = None,
        class_of_row: Sequence[int] | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.backbone = backbone
        self.num_classes = num_classes
        self.num_clusters = num_clusters
        self.scaling = ImageScaling(backbone, rescale)
        self.standardization: FeatureStandardization | None = None
        options = {
            "kernel_initializer": "glorot_normal",
            "dtype": "float32",
            "name": "class_head",
        }
        if class_of_row is None:
            self.class_head = keras.layers.Dense(num_classes, **options)
        else:
            self.class_head = MergedClassHead(class_of_row, **options)
        self.cluster_head = OverclusterHead(
            num_clusters, activation=None, name="cluster_head"
        )
        self.prototype_head = None
        if cluster_head == "prototypes":
            self.prototype_head = PrototypeHead(
                num_clusters, activation=None, name="prototype_head"
            )
        self.ambiguity_head = AmbiguityHead(
            inputs=ambiguity_inputs,
            stop_features=stop_ambiguity_features,
            activation=None,
            name="ambiguity_head",
        )
        self.order_head = self.disagreement_head = None
        if ambiguity_inputs == "confidence":
            self.order_head = AmbiguityHead(
                inputs="features+uncertainty",
                stop_features=stop_ambiguity_features,
                activation=None,
                name="order_head",
            )
            self.disagreement_head = DisagreementHead(
                num_classes, name="disagreement_head"
            )

    def build(self, image_shape: tuple[int | None, ...]) -> None:
        shape = tuple(image_shape[1:])
        expected = getattr(self.backbone, "input_shape", None)
        if isinstance(expected, tuple) and len(expected) == len(image_shape):
            pairs = zip(image_shape[1:], expected[1:], strict=True)
            if any(None not in (a, b) and a != b for a, b in pairs):
                raise ValueError(
                    f"The backbone {self.backbone.name!r} cannot take images of shape "
                    f"{shape}: it takes {tuple(expected[1:])}."
                )
        elif isinstance(expected, tuple):
            check_kind(self.backbone.name, tuple(expected[1:]), shape)
        if is_feature_shape(shape):
            self.standardization = FeatureStandardization(name="standardization")
            self.standardization.build(image_shape)
        images = keras.Input(shape, dtype=self.compute_dtype)
        # The backbone is called, not built: a subclassed one may build itself only
        # when it sees its first images.
        try:
            features, frozen = self._features(self.lower(images))
        except Exception as error:
            raise ValueError(
                f"The backbone {self.backbone.name!r} cannot take images of shape "
                f"{shape}: {str(error).strip().splitlines()[0]}"
            ) from error
        classes = (None, self.num_classes)
        self.num_features = features.shape[-1]
        self.class_head.build(features.shape)
        self.cluster_head.build(features.shape)
        if self.prototype_head is not None:
            self.prototype_head.build(features.shape, classes)
        self.ambiguity_head.build(features.shape, classes)
        self._num_frozen = (features if frozen is None else frozen).shape[-1]
        if self.disagreement_head is not None:
            self.order_head.build(features.shape, classes)
            self.disagreement_head.build((None, self._num_frozen))
        self.scaling.build(shape, self.compute_dtype)

    @property
    def image_values(self) -> ImageValues | None:
        """The images that the model was trained on; None where they are not known."""
        return self.scaling.values

    @image_values.setter
    def image_values(self, values: ImageValues | None) -> None:
        self.scaling.values = values

    @property
    def rescale(self) -> bool:
        """Whether images of 0..255 are scaled to [-1, 1] before the backbone."""
        return self.standardization is None and self.scaling.rescale

    def decide_rescale(self) -> None:
        """Finds out what is not decided yet, once numbers can be read."""
        if self.standardization is None:
            self.scaling.decide()

    def set_rescale(self, rescale: bool) -> None:
        """Sets what is not to be found out any more, unless a user has said it."""
        self.scaling.set_rescale(rescale)

    @property
    def takes_bytes(self) -> bool:
        """Whether it is known what integer images of 0..255 are to the backbone."""
        return self.standardization is None and self.scaling.takes_bytes

    def prepare(self, images: Any) -> Any:
        """Returns images as the backbone takes them, in the compute dtype.

        Raises:
            ValueError: for images of a dtype that the model cannot take.
        """
        images = ops.convert_to_tensor(images)
        if self.standardization is None:
            return self.scaling(images, self.compute_dtype)
        check_float(images.dtype)
        return ops.cast(self.standardization(images), self.compute_dtype)

    def can_answer(self, images: Any) -> Any:
        """Returns for each image whether it can be what the model was trained on.

        Where not, its answer is NaN: it holds NaN or infinity, integers outside 0..255,
        or is scaled in another way than the images in training (see
        `ImageValues.fits`).

        Returns:
            (n,) bool; None for images of bytes, which all can be answered.
        """
        images = ops.convert_to_tensor(images)
        dtype = keras.backend.standardize_dtype(images.dtype)
        if self.standardization is None or dtype == "uint8":
            return self.scaling.can_answer(images)
        images = ops.cast(images, "float32")
        fits = in_scale(self.standardization.deviations(images))
        is_new = self.standardization.number.value == 0
        return ops.all(ops.isfinite(images), axis=1) & (fits | is_new)

    def _pool(self, features: Any) -> Any:
        rank = len(getattr(features, "shape", ()))
        if rank == 4:
            return ops.mean(features, axis=(1, 2))
        if rank == 2:
            return features
        raise ValueError(
            "it must return features of shape (n, d) or (n, h, w, d), but returned "
            f"{getattr(features, 'shape', type(features).__name__)}; "
            "`keras_dc3.backbones.from_model` makes features of tokens and of dicts"
        )

    def call(
        self, images: Any, training: bool = False, prepared: bool = False
    ) -> dict[str, Any]:
        if not prepared:
            images = self.prepare(images)
        return self.upper(self.lower(images), training)

    def lower(self, images: Any) -> Any:
        """Returns what the network of images says of prepared images, (n, d).

        That of a joined backbone is its frozen one. Features are what they are.
        """
        # Keras hands `training` on to the backbone by itself.
        if self.standardization is not None:
            return images
        if isinstance(self.backbone, JoinedBackbone):
            return self.backbone.frozen_features(images)
        return self._pool(self.backbone(images))

    def upper(self, lower: Any, training: bool = False) -> dict[str, Any]:
        """Returns the outputs that belong to those of `lower`."""
        features, frozen = self._features(lower)
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
        if self.order_head is not None:
            outputs["order_logits"] = self.order_head(features, probabilities)
        if self.disagreement_head is not None and not training:
            outputs["frozen_features"] = features if frozen is None else frozen
            outputs["disagreement"] = self.disagreement_head(outputs["frozen_features"])
        return outputs

    def _features(self, lower: Any) -> tuple[Any, Any]:
        """Returns features, and those of a frozen network before them or None."""
        if self.standardization is not None:
            features = self._pool(self.backbone(lower))
        elif isinstance(self.backbone, JoinedBackbone):
            features = self.backbone.head(lower)
        else:
            return ops.cast(lower, "float32"), None
        return ops.cast(features, "float32"), ops.cast(lower, "float32")

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
        if self.disagreement_head is not None:
            shapes["order_logits"] = (n,)
            shapes["frozen_features"] = (n, self._num_frozen)
            shapes["disagreement"] = (n,)
        return shapes
