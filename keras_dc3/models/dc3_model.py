"""The DC3 model: network, strategy, objective and average, as one Keras model."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_dc3 import collective as collective_module
from keras_dc3 import strategies
from keras_dc3._keras import AdaptedModel, adapt_to_replicas
from keras_dc3._registration import deserialized, model_config, register
from keras_dc3._validation import check_choice
from keras_dc3._writing import whole_path
from keras_dc3.backbones import Backbone, pretrained
from keras_dc3.backbones.probe import has_rescaling
from keras_dc3.config import DC3Config
from keras_dc3.layers import WeightAverage
from keras_dc3.metrics import Verdict
from keras_dc3.models import (
    class_growth,
    evaluation,
    export,
    given_features,
    joining,
    proposing,
    saving,
)
from keras_dc3.models.arguments import (
    as_callbacks,
    check_compile_arguments,
    check_for_replicas,
    check_model_arguments,
)
from keras_dc3.models.batch_checks import (
    as_distributions,
    check_parts,
    is_training_batch,
)
from keras_dc3.models.checked_batches import as_arrays
from keras_dc3.models.class_weighting import has_ties, image_weights
from keras_dc3.models.classes import Classes
from keras_dc3.models.data_adapters.images import is_stream, to_predict
from keras_dc3.models.fitting import Fitting
from keras_dc3.models.given_images import check_answers, check_given, tell_no_answer
from keras_dc3.models.image_memory import ImageMemory
from keras_dc3.models.image_scaling import check_range_is_known, check_range_of
from keras_dc3.models.image_values import ImageValues
from keras_dc3.models.messages import end_watch, plain_file_errors, quiet_heads
from keras_dc3.models.network import DC3Network
from keras_dc3.models.pace import Pace
from keras_dc3.models.passes import Passes, probabilities
from keras_dc3.models.step_metrics import (
    OF_TRAINING,
    OF_UNLABELED,
    EpochStatistics,
    MajorityAccuracy,
    MeanOfShares,
    ObjectiveMeans,
)
from keras_dc3.models.training_length import is_new, optimizers_in, restart_step
from keras_dc3.models.workers import synchronized
from keras_dc3.objective import DC3Objective
from keras_dc3.optimizers import (
    feature_optimizer,
    feature_penalty,
    pixel_optimizer,
    reference_optimizer,
)
from keras_dc3.proposals import Proposals
from keras_dc3.strategies import SSLStrategy
from keras_dc3.strategies._defaults import REFERENCE_STEPS
from keras_dc3.strategies.batch import LABELED, POSITIONS

_FILES = (".keras", ".h5", ".hdf5")


@register
class DC3Model(AdaptedModel):
    """Classifies the images people agree on, and clusters those they do not.

    It trains a backbone with three heads on a few labeled and many unlabeled images,
    by a semi-supervised strategy extended with DC3 (Schmarje et al., 2022). It is
    compiled by its constructor, with the authors' optimizer and schedule, or with one
    for features where it is trained on these; `compile` replaces them.

    Args:
        backbone: any Keras model or layer from images to features, (n, d) or
            (n, h, w, d); the latter are averaged over h and w. Or the name of a
            network with weights, frozen, such as "efficientnetv2_b0": see
            `keras_dc3.backbones.pretrained`. To train on features that were computed
            before, a model or layer from these, such as
            `keras_dc3.backbones.feature_mlp`; it gets them with mean 0 and deviation 1.
        ssl: the strategy: one of `keras_dc3.strategies.names()`, or an instance. With
            DC3 the default is the best of the paper's five, or level with the best, by
            d - F1 on both sets of `benchmarks/table2.py`.
        num_classes: k. None: taken from the data by `fit`, where the data knows it
            (integer labels alone do not: a class may be missing).
        num_clusters: k', more than k. None: 5 k.
        config: the objective's weights and choices; None: `DC3Config()`.
        class_names: names of the classes, in their order. None: taken from the data.
        training_steps: how many steps training is planned to take in all. The default
            learning rate schedule and the ramp of a strategy given by name follow it.
            None: as many as a `fit` without `epochs` picks by its data; the authors'
            16,384 where it is told its `epochs`.
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

    Attributes:
        ssl: the `SSLStrategy`.
        verdict: whether the proposals are of use, by the validation images of the last
            `fit` (`keras_dc3.metrics.verdict`); None: not measured. It may be set, is
            saved with the model, and goes with what it proposes.
        image_backbone: of a model of features, the frozen backbone that computed them
            from images, where `SemiSupervisedData.embed` did; saved with the model.
        feature_source: what tells the network that computed its features from others.
        length_is_given: whether `training_steps` were given, so that no `fit` picks
            others.

    Call arguments:
        inputs: images (n, h, w, c), or features (n, d) where it was trained on
            these; or, to train, a dict
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
        backbone: keras.layers.Layer | str,
        ssl: Any = "mean_teacher",
        num_classes: int | None = None,
        num_clusters: int | None = None,
        config: DC3Config | None = None,
        *,
        class_names: Any = None,
        training_steps: int | None = None,
        ema_decay: float = 0.999,
        batch_norm: str = "joint",
        evaluate_with: str = "ema",
        rescale: bool | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if isinstance(backbone, str):
            backbone = pretrained(backbone)
        self.length_is_given = training_steps is not None
        training_steps = REFERENCE_STEPS if training_steps is None else training_steps
        check_model_arguments(
            backbone, config, training_steps, batch_norm, evaluate_with, rescale
        )
        self.backbone = backbone
        self.ssl: SSLStrategy = strategies.get(ssl, training_steps)
        self._ssl_is_named = isinstance(ssl, str)
        self.config = config or DC3Config()
        self.training_steps = int(training_steps)
        self.batch_norm = batch_norm
        self.rescale = rescale
        self._evaluate_with = evaluate_with
        self.classes = Classes(num_classes, class_names, num_clusters)
        self.collective = collective_module.current()
        self._partner_seed = keras.random.SeedGenerator()
        self.objective = DC3Objective(self.config, self.collective, self._partner_seed)
        self.average = WeightAverage(ema_decay)
        self.step = self.add_weight((), "zeros", "int32", trainable=False, name="step")
        self.image_memory = ImageMemory(rescale, self._take_image_values)
        self._means = ObjectiveMeans(self.collective)
        # Keras knows the metrics that stand on the model itself.
        self._logged_means = self._means.metrics
        self.epoch_statistics = EpochStatistics()
        self.pace = Pace(self.collective)
        self._seen_values = self.image_memory.seen
        self.image_backbone: keras.Model | None = None
        self.feature_source: str | None = None
        self.image_shape: tuple[int | None, ...] | None = None
        self.verdict: Verdict | None = None
        self.validation_figures: Any = None  # of the last scored evaluation
        self.validation: evaluation.Validation | None = None  # of the `fit` that runs
        self.trained_labels: str | None = None  # a digest of those of the last `fit`
        self._evaluating = self._is_replanned = False
        self._labeled = None
        self.compile()

    # Building -------------------------------------------------------------------------

    def set_classes(self, num_classes: int | None, class_names: Any = None) -> None:
        """Sets the classes of a model that does not know them yet.

        Raises:
            ValueError: if they contradict what is known, or there are not more
                clusters than classes.
        """
        self.classes.learn(num_classes, class_names)

    @property
    def num_classes(self) -> int | None:
        """k; None: not known yet."""
        return self.classes.num_classes

    @property
    def num_clusters(self) -> int | None:
        """k'; None: not known yet."""
        return self.classes.num_clusters

    @property
    def class_names(self) -> tuple[str, ...] | None:
        """The names of the classes, in their order; None: not known yet."""
        return self.classes.names

    def build(self, input_shape: Any) -> None:
        """Creates the network and its average for images (n, h, w, c) or features."""
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
        self.image_shape = tuple(input_shape)[1:]
        with self.collective.scope():
            self.network = DC3Network(
                self.backbone,
                self.num_classes,
                self.num_clusters,
                cluster_head=self.config.cluster_head,
                ambiguity_inputs=self.config.ambiguity_inputs,
                stop_ambiguity_features=self.config.stop_ambiguity_features,
                rescale=self.rescale,
                class_of_row=self.classes.rows,
                dtype=self.dtype_policy,
                name="network",
            )
            self.network.build((None, *self.image_shape))
            self.network.image_values = self.image_values
            self.average.build_for(self.network)
            self.ssl.prepare(self.num_classes)
            self._passes = Passes(
                self.network, self.average, self.collective, self.ssl, self.batch_norm
            )
            self.built = True
            if self.takes_features and self._ssl_is_named:
                self.ssl.weigh_for_features()
            if self.takes_features and self._auto is not None:
                self.compile(**self._auto())
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

    @property
    def takes_features(self) -> bool:
        """Whether the model is built for features (n, d) in the place of images."""
        return given_features.is_feature_shape(self.image_shape)

    @property
    def steps_taken(self) -> int:
        """How many training steps the model has taken in its life."""
        return int(ops.convert_to_numpy(self.step))

    # The forward pass -----------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args and not is_training_batch(args[0]):
            answers = not kwargs.get("training")
            images = check_given(args[0], self, values=answers)
            if answers:
                self._follow_weights()
            args = (images, *args[1:])
        return super().__call__(*args, **kwargs)

    def _follow_weights(self) -> None:
        """Makes the average a copy of the weights, as it is before the first step.

        They may have been loaded into the backbone since the model was built.
        """
        if not self.built:
            return
        try:
            is_new = not self.steps_taken
        except Exception:  # a graph is made; every backend has its own error
            return
        if is_new:
            self.average.reset(self.network)

    def call(self, inputs: Any, training: bool = False) -> dict[str, Any]:
        if training:
            check_range_is_known(self.backbone, inputs, self.image_values)
        if not is_training_batch(inputs):
            if training:
                prepared = self.network.prepare(inputs)
                return self.probabilities(self._passes.own(prepared, training=True))
            return self.probabilities(self.network_outputs(inputs))
        check_parts(inputs, self.ssl.views)
        outputs = self._passes.of_batch(inputs, training)
        if training and self.network.prototype_head is not None:
            anchor, partner = self._unlabeled_views(outputs)
            ranked = self.objective.rank(anchor, partner)
            if not self.config.predicts_ambiguity:
                ranked = ops.ones_like(ranked)
            self._passes.remember(anchor, ranked)
        return outputs

    def network_outputs(self, images: Any) -> dict[str, Any]:
        """Returns what the network says of images, by the weights of `evaluate_with`.

        Images that cannot be answered have NaN. See `DC3Network` for the outputs.
        """
        return self._passes.answer(images, averaged=self.evaluate_with == "ema")

    def probabilities(self, outputs: dict[str, Any]) -> dict[str, Any]:
        """Returns "classes", "clusters" and "ambiguity" of the network's outputs."""
        return probabilities(outputs, self.config.predicts_ambiguity)

    def _unlabeled_views(self, outputs: dict[str, Any]) -> tuple[Any, Any]:
        """Returns the outputs of the anchor view, and of its partner or None."""
        partner = self.ssl.partner
        return outputs[self.ssl.anchor], outputs[partner] if partner else None

    # The training step ----------------------------------------------------------------

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        targets = self.targets(y)
        if training:
            self.image_memory.seen.update_state(x)
        if "classes" in y_pred:  # plain images: evaluation, or supervised training
            return self._plain_loss(x, targets, y_pred, sample_weight, training)
        anchor, partner = self._unlabeled_views(y_pred)
        positions = None if x is None else x.get(POSITIONS)
        step = self.step.value
        if self.pace.is_used:
            step = self.pace.planned(step, self.pace.begin)
        *losses, mask = self._passes.strategy_losses(targets, y_pred, step, positions)
        terms = self.objective(
            targets, y_pred[LABELED], anchor, partner, *losses, sample_weight
        ).terms._asdict()
        total = sum(terms.values()) + self.added_losses()
        predicted = self.probabilities(anchor)
        images = ops.shape(targets)[0]
        self._means.update(terms, images, predicted["ambiguity"], mask)
        self.epoch_statistics.update_state(x, y_pred, terms, total, predicted, mask)
        return total

    def _plain_loss(
        self, x: Any, targets: Any, y_pred: Any, sample_weight: Any, training: bool
    ) -> Any:
        """Returns the cross-entropy of images without unlabeled ones."""
        if training and self.ssl.needs_unlabeled:
            raise ValueError(
                f"The strategy `{type(self.ssl).__name__}` needs unlabeled "
                "images, but the batch is plain `(images, labels)`. Pass "
                '`({"labeled": images, "unlabeled": {view: images}}, labels)`, a '
                'data set, or use `ssl="supervised"`.'
            )
        loss = ops.categorical_crossentropy(targets, y_pred["classes"])
        loss = self.collective.mean(loss, sample_weight)
        total = loss + self.added_losses()
        if training:
            terms = {"supervised": loss}
            self._means.update(terms, ops.shape(targets)[0])
            self.epoch_statistics.update_state(x, y_pred, terms, total)
        return total

    def targets(self, y: Any) -> Any:
        """Returns labels as float32 distributions (n, k)."""
        return as_distributions(y, self.num_classes)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict[str, Any]:
        plain = "classes" in y_pred
        if plain:
            classes = y_pred["classes"]
        else:
            classes = ops.softmax(y_pred[LABELED]["class_logits"], axis=-1)
        logs = super().compute_metrics(x, self.targets(y), classes, sample_weight)
        if plain:  # what is not computed is not logged
            for name in OF_UNLABELED:
                logs.pop(name, None)
        return logs

    def reset_metrics(self) -> None:
        for metric in self.metrics:
            # Validation comes before the end of an epoch is told to the callbacks.
            if not (self._evaluating and metric is self.epoch_statistics):
                metric.reset_state()

    def get_metrics_result(self) -> dict[str, Any]:
        results = super().get_metrics_result()
        if self._evaluating:  # the objective's terms belong to training alone
            for name in OF_TRAINING:
                results.pop(name, None)
        return results

    def before_step(self) -> None:
        self.pace.hold()

    def after_step(self) -> None:
        """Moves prototypes and the average of the weights, and counts the step."""
        self.pace.release()
        if self.network.prototype_head is not None:
            restart = restart_step(self.training_steps)
            if self.pace.is_used:
                restart = self.pace.restart
            restart = self.step.value == restart
            self.network.prototype_head.move(restart)
        self.average.update(self.network, updates=self.step.value)
        self.step.assign(self.step.value + 1)

    # Compiling ------------------------------------------------------------------------

    def compile(
        self,
        optimizer: Any = "auto",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = "auto",
        **kwargs: Any,
    ) -> None:
        """Configures training; the constructor has called it without arguments.

        Args:
            optimizer: `"auto"`: for `training_steps` steps, the authors'
                (`keras_dc3.optimizers.reference_optimizer`); for a model of features
                (`feature_optimizer`), as it turns out to be when it is built, with the
                penalty for the labels that `fit` is given. A `fit` that picks its
                length itself changes both (`plan_for`).
            loss: must be None; the loss is made by `ssl` and `config`.
            loss_weights: must be None; the weights are fields of `config`.
            metrics: of the class prediction; `"auto"`: accuracy, in which m classes
                that tie for the most answers are right by 1 / m (Keras takes one).
            **kwargs: as for `keras.Model.compile`.
        """
        self._auto = None
        if isinstance(optimizer, str) and optimizer == "auto":
            optimizer = self._auto_optimizer()
            # Called for its arguments: Keras would take up metrics in a dict as layers.
            self._auto = functools.partial(dict, metrics=metrics, **kwargs)
        if isinstance(metrics, str) and metrics == "auto":
            metrics = [MajorityAccuracy()]
        check_compile_arguments(loss, loss_weights, metrics, **kwargs)
        replicas = self.collective.replicas
        if replicas > 1:
            check_for_replicas(optimizer, **kwargs)
        super().compile(optimizer=optimizer, metrics=metrics, **kwargs)
        if replicas > 1:
            # Keras' own weighs each replica's share by the number of its images.
            self.track_loss_by(MeanOfShares(self.collective, "loss"))
            adapt_to_replicas(self.optimizer, self.collective)
        self._build_optimizer()

    def _auto_optimizer(self) -> keras.optimizers.Optimizer:
        if self.takes_features:
            return feature_optimizer(self.training_steps, labeled=self._labeled)
        if self._is_replanned and is_new(self.backbone):
            return pixel_optimizer(self.training_steps)
        return reference_optimizer(self.training_steps)

    def plan_for(self, training_steps: int) -> None:
        """Plans a training of another length, before it begins; `fit` calls it.

        The default optimizer begins its schedule anew, with a larger learning rate for
        a network that was not trained before
        (`keras_dc3.optimizers.pixel_optimizer`); what of the strategy follows
        `training_steps` follows these.
        """
        self.ssl.replan(self.training_steps, training_steps)
        self.training_steps, self._is_replanned = int(training_steps), True
        if self._auto is not None:
            with self.collective.scope():
                self.compile(**self._auto())
        self.train_function = None  # it may be traced for the length before

    def penalize_for(self, labeled: int) -> None:
        """Fits the default optimizer of features to so many labels; `fit` calls it.

        Another optimizer stays as it is.

        Args:
            labeled: how many images have labels, at least 1.
        """
        self._labeled = labeled  # a later plan makes the optimizer anew
        if self._auto is None or not self.takes_features:
            return
        penalty = feature_penalty(labeled)
        for optimizer in optimizers_in(self.optimizer):
            if optimizer.kernel_decay != penalty:
                optimizer.kernel_decay = penalty
                self.train_function = None  # it may be traced with the one before

    def train_like(self, other: DC3Model) -> None:
        """Plans and compiles a training like that of another model, before it begins.

        It takes that model's `training_steps`, optimizer and other arguments of
        `compile`, all of them anew.
        """
        self.length_is_given = other.length_is_given
        self.plan_for(other.training_steps)
        config = other.get_compile_config()
        if other._auto is not None:
            config["optimizer"] = "auto"
        self.compile_from_config(config)

    @property
    def workers(self) -> int:
        """How many processes train the model together, by `tf.distribute`."""
        return self.collective.workers

    def builds_by_batch(self) -> bool:
        # Under a distribution strategy Keras would build model and metrics from the
        # mean over the replicas of the first batch, which fails for uneven batches.
        return not self.built or self.collective.replicas == 1

    def build_metrics(self) -> None:
        """Creates the variables of all metrics, which Keras does in the first step."""
        with self.collective.scope():
            nothing = ops.ones((1, self.num_classes), "float32") / self.num_classes
            self.compute_metrics(None, nothing, {"classes": nothing})
        self.reset_metrics()

    # Training -------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int | None = None,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        time_limit: float | None = None,
        **kwargs: Any,
    ) -> keras.callbacks.History:
        """Trains the model.

        Besides what `keras.Model.fit` logs, each epoch logs the terms of the objective,
        the fraction of unlabeled images called ambiguous, the mask rate, and on the
        validation data the scores of `keras_dc3.metrics.proposal_scores` and
        `val_selective_score`. Plain `(images, labels)` log `supervised_loss` alone of
        the terms. To choose an epoch, monitor `val_selective_score`: it is a finite
        number from the first epoch, and Keras is told that more is better, as it is of
        the other scores. A figure that is not logged, or has no better direction, is
        told before the first step. `CSVLogger` gets the columns of all figures.
        A collapsed run is told by warnings (`keras_dc3.callbacks.CollapseMonitor`), and
        a loss that is no longer finite ends training (`keras_dc3.callbacks.StopOnNaN`).
        At the end stands the `verdict`, whether the proposals are of use, by the
        validation images; it is printed unless `verbose=0`.

        Args:
            x: a data set of `keras_dc3.datasets`, or any object with `num_classes`,
                `training_batches(views)` and `validation_batches()`; or whatever
                `keras.Model.fit` takes that yields batches
                `({"labeled": images, "unlabeled": {view: images}}, labels)`.
            y: labels of the labeled images, where `x` is a dict of arrays.
            epochs: as for `keras.Model.fit`. For a data set of ours, without
                `steps_per_epoch`, None picks a length, and tells it in a line: that of
                the model's `training_steps`; where these were not given, by the number
                of images. The model is planned for it (`plan_for`).
            validation_data: as for `keras.Model.fit`; with soft labels (n, k) all
                scores are logged, with integer labels those of the classes. A data
                set's own validation part is used where None.
            class_weight: what labeled images count in the supervised loss: a dict
                {class: weight} by the names or the numbers of the classes, where a
                class that is left out weighs 1; a list of one weight per class, in
                their order; or `"balanced"`: each class that occurs weighs the same,
                by the labels of the labeled images alone. An image with a soft label
                weighs what its likeliest class does; where several tie, the mean of
                these (of batches that you make yourself, the first of them).
            initial_epoch: as for `keras.Model.fit`. The order and augmentation of a
                data set of ours follow the epoch's number: to go on after a first
                `fit(epochs=5)`, call `fit(initial_epoch=5, epochs=10)`.
            steps_per_epoch: as for `keras.Model.fit`. A data set of ours then goes on
                in the next epoch where it stopped.
            time_limit: seconds that this `fit` may take, with all that belongs to it;
                None for no limit. Where they are too few for all steps, fewer are
                trained: the schedule of the learning rate and what of the strategy
                follows the steps run so much faster, and reach their end. What was left
                out is told. Steps and validations are measured meanwhile; it is passed
                by at most a tenth and an epoch's validation, where the time is enough
                to begin at all. A rate that is a number stays as it is.

        All other arguments are as for `keras.Model.fit`.

        Raises:
            ValueError: for data that cannot be trained on, numbers that make no
                sense, or callbacks that monitor what is not logged; before training
                starts, where the data can be looked into.
            FloatingPointError: where the loss becomes NaN or infinite. The model then
                has its state of the last good epoch.
            ImageFileError: for an image file that cannot be read.
        """
        fitting = Fitting(
            self,
            x,
            y,
            batch_size=batch_size,
            epochs=epochs,
            verbose=verbose,
            callbacks=callbacks,
            validation_split=validation_split,
            validation_data=validation_data,
            shuffle=shuffle,
            class_weight=class_weight,
            sample_weight=sample_weight,
            initial_epoch=initial_epoch,
            steps_per_epoch=steps_per_epoch,
            time_limit=time_limit,
            **kwargs,
        )
        self._follow_weights()
        with fitting.running():
            history = super().fit(**fitting.arguments)
        fitting.conclude()
        return history

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """Trains on one batch, as `keras.Model.train_on_batch`.

        Args:
            class_weight: as for `fit`.

        All other arguments are as for `keras.Model.train_on_batch`.
        """
        if class_weight is not None and self.num_classes is not None:
            labels = as_arrays(y)
            class_weight = self.classes.weights(class_weight, labels)
            if has_ties(labels):
                sample_weight = image_weights(labels, class_weight)
                class_weight = None
        self._follow_weights()  # a teacher's
        with quiet_heads(), synchronized(self):
            logs = super().train_on_batch(
                x, y, sample_weight, class_weight, return_dict
            )
        if self.image_values is None:
            self.image_memory.learn_from_training()
        return logs

    # Evaluation and prediction --------------------------------------------------------

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: Any = "auto",
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
        return_dict: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Returns loss and metrics, and with `return_dict=True` the DC3 scores.

        The scores are those of `keras_dc3.metrics.proposal_scores`, and
        `selective_score`, computed in a second pass over `x`; `d` and its kin need soft
        labels (n, k). A generator cannot be passed over twice: it gives loss and
        metrics alone.

        Args:
            x: images, a data set of ours (its validation part), or whatever
                `keras.Model.evaluate` takes.

        All other arguments are as for `keras.Model.evaluate`.
        """
        self._prepare_answers()
        data, batch_size = evaluation.adapt_evaluation(self, x, y, batch_size, steps)
        is_of_fit = isinstance(callbacks, keras.callbacks.CallbackList)
        if not is_of_fit:
            callbacks = [*as_callbacks(callbacks), *end_watch(data, steps)]
        with self._as_evaluation(), plain_file_errors():
            logs = super().evaluate(
                data.x,
                data.y,
                batch_size=batch_size,
                verbose=verbose,
                sample_weight=sample_weight,
                steps=steps,
                callbacks=callbacks,
                return_dict=True,
                **kwargs,
            )
        if math.isnan(logs.get("loss", 0.0)):
            tell_no_answer("The loss is NaN", self.image_values)
        if not return_dict:
            return self.in_order(logs)
        validation = evaluation.Validation(data, batch_size or 32, steps)
        logs |= validation.scores(self)
        if is_of_fit:
            self.validation = validation
        return logs

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        self._prepare_answers()
        with self._as_evaluation():
            return super().test_on_batch(*args, **kwargs)

    @contextmanager
    def _as_evaluation(self) -> Iterator[None]:
        self._evaluating = True
        try:
            yield
        finally:
            self._evaluating = False

    def _prepare_answers(self) -> None:
        """Brings up to date what answers depend on beside the weights."""
        self.image_memory.learn_from_training()
        self._follow_weights()

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> dict[str, np.ndarray]:
        """Returns `{"classes", "clusters", "ambiguity"}`; see `DC3Model`.

        Without any image, all of them are empty.

        Args:
            x: images, a part of a data set, or whatever `keras.Model.predict` takes.

        All other arguments are as for `keras.Model.predict`.

        Raises:
            ValueError: for images at hand that are no array (n, h, w, c) of the
                model's shape, hold NaN or infinity, or are scaled in another way than
                in training (`image_values`). Such images of a stream are answered with
                NaN, and a warning says so.
        """
        x, batch_size, steps = self._to_predict(x, batch_size, steps)
        if isinstance(x, np.ndarray) and not len(x):
            return self.predict_on_batch(x)
        outputs = super().predict(x, batch_size, verbose, steps, callbacks)
        check_answers(outputs["classes"], self.image_values)
        return outputs

    def predict_on_batch(self, x: Any) -> dict[str, np.ndarray]:
        """Returns the outputs for one batch; see `predict`, also for errors."""
        self._prepare_answers()
        x = check_given(x, self)
        if not len(x):
            outputs = self(x, training=False)
            return {k: keras.ops.convert_to_numpy(v) for k, v in outputs.items()}
        return super().predict_on_batch(x)

    def embed(
        self, x: Any, batch_size: int | None = None, verbose: Any = "auto"
    ) -> np.ndarray:
        """Returns the features that the heads see, float32 (n, d).

        Args:
            x: images, a part of a data set, or whatever `keras.Model.predict` takes.
            batch_size: images per step, 32 by default.
            verbose: 0 for no progress bar.
        """
        self._check_built()
        x, batch_size, steps = self._to_predict(x, batch_size, None)
        model = proposing.with_features(self)
        if isinstance(x, np.ndarray) and not len(x):
            return keras.ops.convert_to_numpy(model(x)["features"])
        features = model.predict(x, batch_size, verbose, steps)["features"]
        check_answers(features, self.image_values)
        return features

    def _to_predict(
        self, x: Any, batch_size: int | None, steps: int | None
    ) -> tuple[Any, int | None, int | None]:
        """Returns images, checked, batch size and steps as Keras takes them."""
        self._prepare_answers()
        given_features.check_source(self.feature_source, x)
        x, batch_size, steps = to_predict(x, batch_size, steps)
        return (x if is_stream(x) else check_given(x, self)), batch_size, steps

    def propose(
        self,
        dataset: Any,
        ids: Any = None,
        batch_size: int = 64,
        verbose: Any = "auto",
        embeddings: bool = True,
    ) -> Proposals:
        """Returns one proposal per image, in the order of the data.

        Args:
            dataset: a part of a data set, such as `data.unlabeled` (anything with
                `ids` and `image_batches(batch_size)`); a whole one, for its labeled
                images and then its unlabeled ones; an array of images, with `ids`; or
                an iterable of batches `{"image": (n, h, w, c), "id": (n,)}`, such
                as a `tf.data.Dataset` of TFDS.
            ids: one string per image, where `dataset` is an array.
            batch_size: images per step.
            verbose: 0 for no progress bar.
            embeddings: whether to keep the features that the heads see, of the same
                forward pass (see `embed`), as `proposals.embeddings`. Medoids and
                suggestions of groups need them. False saves 4 n d bytes of memory.

        Returns:
            A `keras_dc3.proposals.Proposals`, with the model's `verdict`.
        """
        self._check_built()
        self._prepare_answers()
        check_choice("embeddings", embeddings, (True, False))
        for part in (dataset, getattr(dataset, "labeled", None)):
            given_features.check_source(self.feature_source, part)
        model = proposing.with_features(self) if embeddings else self
        return proposing.propose(self, model, dataset, ids, batch_size, verbose)

    def export(
        self, filepath: Any, format: str = "tf_saved_model", **kwargs: Any
    ) -> None:
        """Writes the model for serving, without need of `keras_dc3`.

        What stood at `filepath` is replaced as a whole, or stays (but for the two files
        of "openvino", which Keras writes directly). Of several workers
        (`tf.distribute`) the first alone writes.

        Args:
            filepath: a folder for `"tf_saved_model"`, a file for `"onnx"`, a file
                that ends with ".tflite" for `"litert"`.
            format: `"tf_saved_model"`, `"onnx"` (needs the extra
                `keras_dc3[onnx]`), `"litert"`, or another format of
                `keras.Model.export`, which then exports the plain model.
            **kwargs: `verbose`. For `"tf_saved_model"` also `fit`, how image files
                are brought to the size of the model, as for `data.ImageFormat`. For
                `"litert"` also `quantize="int8"`, a backbone of 8-bit integers,
                together with `representative`: some hundred images like those that
                the model will see, as an array or a data set, by which their ranges
                are measured. For other formats as for `keras.Model.export`.

        A model of features is exported together with its `image_backbone`, and takes
        images; where that is not known, it takes features, which is told.

        See `keras_dc3.models.export` for what stands in the files.
        """
        export.check_format(format, self.built)
        self._prepare_answers()
        if self.collective.worker > 0:
            return
        if self.image_backbone is not None:
            self.with_image_backbone().export(filepath, format, **kwargs)
            return
        if self.takes_features and keras.config.is_interactive_logging_enabled():
            print(
                f"The exported model takes features ({self.image_shape[0]} of each "
                "image), not images: the network that computes them is not known here."
            )
        if format in export.FORMATS:
            export.export(self, filepath, format, **kwargs)
        elif format == "torch":  # one file
            with whole_path(filepath) as temporary:
                super().export(temporary, format=format, **kwargs)
        else:
            super().export(filepath, format=format, **kwargs)

    def _check_built(self) -> None:
        """Raises ValueError for a model that was neither trained nor loaded."""
        if not self.built:
            raise ValueError(
                "The model is not trained or loaded yet; call `fit` or "
                "`keras.saving.load_model` first."
            )

    # Other classes --------------------------------------------------------------------

    def with_classes(
        self,
        class_names: Sequence[str],
        renamed: Mapping[str, str | None] | None = None,
    ) -> keras.Model:
        """Returns a new model for other classes, which knows all that this one does.

        Before it is trained any further:

        * classes that are kept or renamed have the rows of the class head that they
          had, so that one of them is to another as it was;
        * a class that is merged of others has exactly the sum of their probabilities:
          it keeps the rows of all (`layers.MergedClassHead`), as no single row of a
          linear head can give that sum;
        * all new classes together have at most 1% of the odds of the others, and most
          where the model is least sure of these;
        * what a class had that is left out goes to the others, in their ratios.

        Clusters stay, unless there are not more of them than classes: then some are
        added, up to 5 for each class. The backbone stays, and so does all that is known
        of images or features. Where classes are merged or left out, what was learned of
        people's disagreement is forgotten, until `fit` learns it anew.

        The new model begins with the weights of `evaluate_with`, averages where it is
        "ema": it has taken no steps, and its optimizer, learning rate, strategy and
        average begin anew, for as long as `fit` is told or `training_steps` says.
        Compile it again where `compile` was called. It has no `verdict`, unless nothing
        changes. This model stays as it is.

        Args:
            class_names: all classes from now on, in their order.
            renamed: old name -> new name, as for `Annotations.with_classes`. Classes of
                a model without names are called "0", "1", ...

        Raises:
            ValueError: as for `Annotations.with_classes`; if the model is not built, no
                class stays, there are fewer than two, or the backbone cannot be copied.
            TypeError: if a name is no text, or `renamed` no dict.

        Example:

            names, renamed = ["cat", "deer"], {"roe deer": "deer", "red deer": "deer"}
            model = model.with_classes(names, renamed)
            model.fit(data.with_classes(names, renamed), epochs=10)
        """
        self._check_built()
        self._prepare_answers()
        change = self.classes.changed(class_names, renamed)
        return class_growth.grown(self, change)

    # Averaged weights -----------------------------------------------------------------

    def with_averaged_weights(self) -> keras.Model:
        """Returns a new model whose own weights are the averages of this one's.

        It answers as this model does with `evaluate_with="ema"`, but by its weights
        themselves, `evaluate_with="raw"`: what changes them, such as training a model
        that it is a layer of, changes its answers. Moving statistics are copied, too.
        It has taken no steps, and is compiled as a new model is. This model stays as
        it is.

        Raises:
            ValueError: if the model is not built, or the backbone cannot be copied,
                because one of its layers lacks a `get_config`.
        """
        self._check_built()
        self._follow_weights()
        return saving.copied(self, averaged=True)

    def with_image_backbone(self) -> keras.Model:
        """Returns a new model of images, joined of `image_backbone` and this one.

        It answers as this model does to the features of images, by the weights of
        `evaluate_with`, and is a `DC3Model` like any other: predict, propose, save,
        export. The backbone stays frozen. This model stays as it is.

        Raises:
            ValueError: if the model is not built, or no image backbone is known.
        """
        self._check_built()
        if self.image_backbone is None:
            raise ValueError(
                "The network that computed the features is not known: it is where "
                "`data.embed(backbone)` made the data that the model is trained on."
            )
        self._prepare_answers()
        return joining.on_images(self)

    def averaged_backbone(self) -> keras.Model:
        """Returns a new Keras model: the backbone, with its averaged weights.

        It is the backbone as you made it and knows nothing of `keras_dc3` (one of
        `keras_dc3.backbones.pretrained` is still that, with all that it does to images
        of 0..255, and has the plain network as `.network`): save it,
        put heads on it and train it as any other (Keras saves it, so that a process
        killed meanwhile leaves a damaged file). It takes what the backbone takes:
        where this model scales integer images, give it `images / 127.5 - 1`. Its
        features, averaged over h and w where they are (n, h, w, d), are those of
        `embed` (with `evaluate_with="ema"`). This model stays as it is.

        A backbone that is a layer is returned as a functional model around it.

        Raises:
            ValueError: as for `with_averaged_weights`.
        """
        backbone = self.with_averaged_weights().backbone
        return saving.as_model(backbone, self.image_shape)

    # Images ---------------------------------------------------------------------------

    @property
    def image_values(self) -> ImageValues | None:
        """The kind and range of the images that the model was trained on.

        Learned from the first images that `fit` or `train_on_batch` sees, saved with
        the model and by `save_weights`, though not in `get_weights` and `set_weights`,
        and stated by `summary()` and beside an export.
        By it one image has one answer, whether it comes as integers of 0..255, as
        floats of 0..255 or as it was in training. What can be none of these is
        refused, or answered with NaN inside a graph. A functional model that was made
        of this one before `fit` goes on with what was known then: make it anew.

        None for a model that was not trained yet, or saved by an older version. It may
        be set, though not during `fit`: to None, to be learned anew, or to a range that
        is known better than measured.
        """
        return self.image_memory.values

    @image_values.setter
    def image_values(self, values: ImageValues | None) -> None:
        self.image_memory.set(values)
        self.train_function = None  # it may be traced for others

    def _take_image_values(self, values: ImageValues | None) -> None:
        check_range_of(self.backbone, values)
        if self.built:
            self.network.image_values = values
        self.test_function = self.predict_function = None  # likewise

    @property
    def images_in_words(self) -> str:
        """What the images are that the model takes, for people."""
        if not self.built:
            return "not known yet"
        if self.takes_features:
            return given_features.in_words(
                self.network.standardization, *self.image_shape
            )
        takes_bytes = isinstance(self.backbone, Backbone)
        return self.image_memory.in_words(self.network.rescale, takes_bytes)

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, images={self.images_in_words!r}>"

    def summary(self, *args: Any, **kwargs: Any) -> None:
        """Prints what `keras.Model.summary` does, and what images the model takes."""
        super().summary(*args, **kwargs)
        (kwargs.get("print_fn") or print)(f" Images: {self.images_in_words}")

    # Saving ---------------------------------------------------------------------------

    def save(
        self,
        filepath: Any,
        overwrite: bool = True,
        zipped: bool | None = None,
        **kwargs: Any,
    ) -> None:
        """Saves the model, as `keras.Model.save`, whole or not at all.

        What stood at `filepath` stays until the new model is complete, also if the
        process is killed. Of several workers (`tf.distribute`) the first alone writes.
        `keras.saving.save_model(model, ...)` knows nothing of that.

        Args:
            filepath: a `.keras` file; or with `zipped=False` a folder, new, empty or
                with a model saved before.
            overwrite: False asks before an old one is replaced.
            zipped: as for `keras.Model.save`.
            **kwargs: likewise.

        Raises:
            OSError: if it cannot be written; the message names `filepath`.
            ValueError: if it is a folder that holds something else.
        """
        if self.collective.worker > 0:
            return
        save = functools.partial(super().save, zipped=zipped, **kwargs)
        saving.save_whole(save, filepath, overwrite, _FILES, folder=zipped is False)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: Any = None
    ) -> None:
        """Saves all weights, as `keras.Model.save_weights`, whole or not at all.

        Args:
            filepath: a `.weights.h5` file.
            overwrite: False asks before an old one is replaced.
            max_shard_size: as for `keras.Model.save_weights`. Several files are written
                by Keras directly, not replaced as a whole.

        Raises:
            OSError: if it cannot be written; the message names `filepath`.
        """
        if self.collective.worker > 0:
            return
        save = super().save_weights
        if max_shard_size is not None:
            save(filepath, overwrite, max_shard_size)
        else:
            saving.save_whole(save, filepath, overwrite, files=(".weights.h5",))

    def get_config(self) -> dict[str, Any]:
        serialize = keras.saving.serialize_keras_object
        return {
            **model_config(self, backbone=self.backbone, ssl=self.ssl),
            "num_classes": self.num_classes,
            "num_clusters": self.classes.given_clusters,
            "config": serialize(self.config),
            "class_names": None if self.class_names is None else list(self.class_names),
            "training_steps": self.training_steps,
            "length_is_given": self.length_is_given,
            "ema_decay": self.average.decay,
            "batch_norm": self.batch_norm,
            "evaluate_with": self.evaluate_with,
            "rescale": self.rescale,
            "image_values": self.image_values and self.image_values.get_config(),
            "image_backbone": self.image_backbone and serialize(self.image_backbone),
            "feature_source": self.feature_source,
            "class_rows": self.classes.rows and list(self.classes.rows),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None):
        objects = ("backbone", "ssl", "config", "dtype", "image_backbone")
        config = deserialized(config, objects, custom_objects)
        image_values = config.pop("image_values", None)
        image_backbone = config.pop("image_backbone")
        feature_source = config.pop("feature_source", None)
        length_is_given = config.pop("length_is_given", True)
        rows = config.pop("class_rows", None)
        class_names = config.pop("class_names", None)
        model = cls(**config)
        model.classes.learn(None, class_names)  # as they are, and told before
        model.length_is_given = length_is_given
        model.classes.rows = None if rows is None else tuple(rows)
        model.image_backbone, model.feature_source = image_backbone, feature_source
        if image_values is not None:
            model.image_values = ImageValues(**image_values)
        return model

    def get_build_config(self) -> dict[str, Any] | None:
        if not self.built:
            return None
        return {
            "image_shape": self.image_shape,
            "rescale": self.network.rescale,
            "verdict": None if self.verdict is None else self.verdict.to_json(),
        }

    def build_from_config(self, config: dict[str, Any]) -> None:
        if config:
            self.build((None, *config["image_shape"]))
            # As it was decided in training; a file of before goes by layers alone.
            rescale = config.get("rescale", not has_rescaling(self.backbone))
            self.network.set_rescale(rescale)
            if config.get("verdict"):
                self.verdict = Verdict.from_json(config["verdict"])

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        saving.save_seeds(self, store)
        self.image_memory.save(store)

    def load_own_variables(self, store: Any) -> None:
        names = list(store.keys())
        stored = {name: store[name] for name in names}
        saving.load_seeds(self, stored)
        self.image_memory.load(stored)
        super().load_own_variables(stored)
