"""The DC3 model: network, strategy, objective and average, as one Keras model."""

from __future__ import annotations

from typing import Any

import keras

from keras_dc3 import collective as collective_module
from keras_dc3 import strategies
from keras_dc3._registration import register
from keras_dc3._validation import (
    check_choice,
    check_class_names,
    check_ordered,
    check_positive_int,
)
from keras_dc3.config import DC3Config
from keras_dc3.layers import WeightAverage
from keras_dc3.models.averaged import AveragedMixin
from keras_dc3.models.forward import JOINED_ROLES, ForwardMixin
from keras_dc3.models.image_values import ImageValues
from keras_dc3.models.inference import InferenceMixin
from keras_dc3.models.network import DC3Network
from keras_dc3.models.remembering import RememberingMixin
from keras_dc3.models.saving import SavingMixin
from keras_dc3.models.step import StepMixin, term_metrics
from keras_dc3.models.training import TrainingMixin
from keras_dc3.objective import DC3Objective
from keras_dc3.strategies import SSLStrategy
from keras_dc3.strategies._defaults import REFERENCE_STEPS
from keras_dc3.strategies.strategy import LABELED


@register
class DC3Model(
    TrainingMixin,
    InferenceMixin,
    AveragedMixin,
    ForwardMixin,
    StepMixin,
    RememberingMixin,
    SavingMixin,
    keras.Model,
):
    """Classifies the images people agree on, and clusters those they do not.

    It trains a backbone with three heads on a few labeled and many unlabeled images,
    by a semi-supervised strategy extended with DC3 (Schmarje et al., 2022). It is
    compiled by its constructor, with the authors' optimizer and schedule; `compile`
    replaces these.

    Args:
        backbone: any Keras model or layer from images to features, (n, d) or
            (n, h, w, d); the latter are averaged over h and w.
        ssl: the strategy: one of `keras_dc3.strategies.names()`, or an instance.
        num_classes: k. None: taken from the data by `fit`, where the data knows it
            (integer labels alone do not: a class may be missing).
        num_clusters: k', more than k. None: 5 k.
        config: the objective's weights and choices; None: `DC3Config()`.
        class_names: names of the classes, in their order. None: taken from the data.
        training_steps: how many steps training is planned to take in all. The default
            learning rate schedule and the ramp of a strategy given by name follow it.
        ema_decay: the largest decay of the moving average of the weights, per step.
            It is min(ema_decay, (1 + t) / (10 + t)) at step t, as in
            `tf.train.ExponentialMovingAverage`, so that the average keeps up with a
            short training; see `keras_dc3.layers.WeightAverage`.
        batch_norm: `"joint"`: labeled images and student views are normalized
            together, and moving statistics come from all of them. `"per_view"`: each
            view by its own statistics, moving ones from the labeled images alone (the
            authors' code, for all strategies but FixMatch). Losses that layers add
            by `add_loss` count for what is normalized together with the labeled
            images; teacher views, and all views of `"per_view"`, add none.
        evaluate_with: `"ema"` or `"raw"`: the weights behind `evaluate`, `predict`,
            `propose`, `export` and `model(images)`, whichever of them are trainable.
            Before the first step the average is a copy of the weights as they are,
            whatever was loaded into them. `averaged_backbone` and
            `with_averaged_weights` give models whose own weights are the averages.
        rescale: whether integer images (0..255) are scaled to [-1, 1]. None: unless
            the backbone scales them itself, by whatever layers or operations: it is
            tried with two images, and a warning says where that does not tell. A model
            that is trained on floating-point images gets these as they are, and
            integer images in their range (see `image_values`).
        **kwargs: `name` and `dtype`, as for every Keras model.

    Call arguments:
        inputs: images (n, h, w, c); or, to train, a dict
            `{"labeled": images, "unlabeled": {view: images}}`.

    Returns:
        For images, float32 probabilities: `{"classes": (n, k), "clusters": (n, k'),
        "ambiguity": (n,)}`. An image is certain where its ambiguity is below 0.5.
        Where the config trains no ambiguity (`DC3Config.vanilla()`), it is 0. All are
        NaN for an image that holds NaN or infinity, or is scaled in another way than
        in training. For a training batch, the logits of the labeled images and of each
        view.

    Example:

    ```python
    model = keras_dc3.DC3Model(backbone, ssl="pi_model")
    model.fit(data, epochs=50)
    proposals = model.propose(data.unlabeled)
    ```
    """

    def __init__(
        self,
        backbone: keras.layers.Layer,
        ssl: Any = "pi_model",
        num_classes: int | None = None,
        num_clusters: int | None = None,
        config: DC3Config | None = None,
        *,
        class_names: Any = None,
        training_steps: int = REFERENCE_STEPS,
        ema_decay: float = 0.999,
        batch_norm: str = "joint",
        evaluate_with: str = "ema",
        rescale: bool | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not isinstance(backbone, keras.layers.Layer):
            raise TypeError(
                "`backbone` must be a Keras model or layer from images to features. "
                f"Received: {backbone!r}"
            )
        if config is not None and not isinstance(config, DC3Config):
            raise TypeError(f"`config` must be a `DC3Config`. Received: {config!r}")
        check_positive_int("training_steps", training_steps)
        check_choice("batch_norm", batch_norm, tuple(JOINED_ROLES))
        check_choice("evaluate_with", evaluate_with, ("ema", "raw"))
        check_choice("rescale", rescale, (None, True, False))
        self.backbone = backbone
        self.ssl: SSLStrategy = strategies.get(ssl, training_steps)
        self.config = config or DC3Config()
        self.training_steps = int(training_steps)
        self.batch_norm = batch_norm
        self.rescale = rescale
        self._evaluate_with = evaluate_with
        self._given_clusters = num_clusters
        self.num_classes: int | None = None
        self.num_clusters: int | None = None
        self.class_names: tuple[str, ...] | None = None
        self.set_classes(num_classes, class_names)
        self.collective = collective_module.current()
        self._partner_seed = keras.random.SeedGenerator()
        self.objective = DC3Objective(self.config, self.collective, self._partner_seed)
        self.average = WeightAverage(ema_decay)
        self.step = self.add_weight(
            name="step",
            shape=(),
            dtype="int32",
            initializer="zeros",
            trainable=False,
        )
        self._terms = term_metrics(self.collective)
        self._evaluating = False
        self.validation_figures: Any = None  # of the last scored evaluation
        self._image_shape: tuple | None = None
        self.compile()

    def set_classes(self, num_classes: int | None, class_names: Any = None) -> None:
        """Sets the classes of a model that does not know them yet.

        Raises:
            ValueError: if they contradict what is known, or there are not more
                clusters than classes.
        """
        if class_names is not None:
            check_ordered("class_names", class_names)
            class_names = check_class_names(
                "class_names", [str(name) for name in class_names]
            )
            num_classes = len(class_names) if num_classes is None else num_classes
            if len(class_names) != num_classes:
                raise ValueError(
                    f"There are {len(class_names)} `class_names` but {num_classes} "
                    "classes; give one name per class, in the order of the labels."
                )
            if self.class_names not in (None, class_names):
                raise ValueError(
                    f"The model's classes are {list(self.class_names)}, those of the "
                    f"data {list(class_names)}; they must be the same, in one order."
                )
        if num_classes is not None:
            check_positive_int("num_classes", num_classes, least=2)
            if self.num_classes not in (None, num_classes):
                raise ValueError(
                    f"The model has {self.num_classes} classes, the data "
                    f"{num_classes}; they must agree."
                )
            num_clusters = self._given_clusters
            if num_clusters is None:
                num_clusters = 5 * num_classes
            check_positive_int("num_clusters", num_clusters, least=2)
            if num_clusters <= num_classes:
                raise ValueError(
                    "`num_clusters` must be larger than the number of classes "
                    f"({num_classes}), because DC3 overclusters. "
                    f"Received: num_clusters={num_clusters}"
                )
            self.num_classes, self.num_clusters = int(num_classes), int(num_clusters)
        if class_names is not None:
            self.class_names = class_names

    def build(self, input_shape: Any) -> None:
        """Creates the network for images of shape (n, h, w, c), and its average."""
        if self.built:
            return
        if isinstance(input_shape, dict):
            input_shape = input_shape[LABELED]
        if self.num_classes is None:
            raise ValueError(
                "The number of classes is not known yet. Pass `num_classes` to "
                "`DC3Model`, or call `fit` with data that knows it: soft labels of "
                "shape (n, classes), or a data set with `num_classes`. Integer labels "
                "alone do not tell, since the last class may be missing."
            )
        self._image_shape = tuple(input_shape)[1:]
        with self.collective.scope():
            self.network = DC3Network(
                self.backbone,
                self.num_classes,
                self.num_clusters,
                cluster_head=self.config.cluster_head,
                use_uncertainty="uncertainty" in self.config.ambiguity_inputs,
                stop_ambiguity_features=self.config.stop_ambiguity_features,
                rescale=self.rescale,
                dtype=self.dtype_policy,
                name="network",
            )
            self.network.build((None, *self._image_shape))
            self.network.image_values = self.image_values
            self.average.build_for(self.network)
            self.built = True
            self._build_optimizer()
        self.network.decide_rescale()

    def _build_optimizer(self) -> None:
        # Before any weights are loaded: Keras drops the saved state of an optimizer
        # that has no variables yet.
        if self.built and self.optimizer is not None and not self.optimizer.built:
            with self.collective.scope():
                self.optimizer.build(self.trainable_variables)

    @property
    def evaluate_with(self) -> str:
        """`"ema"` or `"raw"`: the weights behind all predictions."""
        return self._evaluate_with

    @evaluate_with.setter
    def evaluate_with(self, value: str) -> None:
        check_choice("evaluate_with", value, ("ema", "raw"))
        if value != self._evaluate_with:
            self._evaluate_with = value
            self.predict_function = None
            self.test_function = None

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            "name": self.name,
            "dtype": serialize(self.dtype_policy),
            "backbone": serialize(self.backbone),
            "ssl": serialize(self.ssl),
            "num_classes": self.num_classes,
            "num_clusters": self._given_clusters,
            "config": serialize(self.config),
            "class_names": None if self.class_names is None else list(self.class_names),
            "training_steps": self.training_steps,
            "ema_decay": self.average.decay,
            "batch_norm": self.batch_norm,
            "evaluate_with": self.evaluate_with,
            "rescale": self.rescale,
            "image_values": self.image_values and self.image_values.get_config(),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None):
        config = dict(config)
        for name in ("backbone", "ssl", "config", "dtype"):
            if isinstance(config[name], keras.layers.Layer):
                continue  # made already
            config[name] = keras.saving.deserialize_keras_object(
                config[name], custom_objects=custom_objects
            )
        image_values = config.pop("image_values", None)
        model = cls(**config)
        if image_values is not None:
            model.image_values = ImageValues(**image_values)
        return model
