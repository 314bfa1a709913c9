"""`fit`: from a user's data to batches, checked before training starts."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np

from keras_dc3.annotations.class_weights import class_weights
from keras_dc3.callbacks import CollapseMonitor, EpochClock, StopOnNaN
from keras_dc3.metrics import Verdict
from keras_dc3.models import continuing, evaluation, inputs
from keras_dc3.models.arguments import (
    as_callbacks,
    check_batched,
    check_fit_arguments,
    is_loader,
)
from keras_dc3.models.backbone_top import check_backbone_top
from keras_dc3.models.checked_batches import (
    CheckedBatches,
    checked_batches,
    checked_loader,
)
from keras_dc3.models.concluding import LastValidation, conclude, watched
from keras_dc3.models.file_errors import plain_file_errors
from keras_dc3.models.learning_rate import check_rate_callbacks
from keras_dc3.models.logged import logged_names, with_logs
from keras_dc3.models.network import quiet_heads
from keras_dc3.models.stream_end import quiet_end
from keras_dc3.models.training_length import (
    TrainingLength,
    count_steps,
    len_or_none,
    steps_taken,
)
from keras_dc3.models.training_marks import mark_of_labels
from keras_dc3.strategies import SSLStrategy


def _peek(x: Any, y: Any) -> tuple[Any, Any] | None:
    """Returns the first batch of training data, or its specs, without consuming it.

    None for a generator or other stream.
    """
    if y is not None or isinstance(x, dict | np.ndarray):
        return x, y
    element = getattr(x, "element_spec", None)
    if element is None and isinstance(x, keras.utils.PyDataset):
        element = x[0]
    if element is None and is_loader(x):
        element = inputs.as_numpy(next(iter(x)))
    if element is None:
        return None
    if not isinstance(element, tuple | list) or len(element) < 2:
        raise ValueError(
            "Training data must yield `(inputs, labels)`. Received elements of type "
            f"{type(element).__name__}; labels are missing."
        )
    return element[0], element[1]


_VALIDATION = ("validation_steps", "validation_batch_size", "validation_freq")


class TrainingMixin:
    """`fit` of `DC3Model`.

    Attributes:
        verdict: whether the proposals are of use, by the validation images of the last
            `fit` (`keras_dc3.metrics.verdict`); None: not measured. It may be set, is
            saved with the model, and goes with what it proposes.
    """

    verdict: Verdict | None = None
    _last_validation: LastValidation | None = None
    _trained_labels: str | None = None  # a digest of those of the last `fit`

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
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
            validation_data: as for `keras.Model.fit`; with soft labels (n, k) all
                scores are logged, with integer labels those of the classes. A data
                set's own validation part is used where None.
            class_weight: what labeled images count in the supervised loss: a dict
                {class: weight} by the names or the numbers of the classes, where a
                class that is left out weighs 1; a list of one weight per class, in
                their order; or `"balanced"`: each class that occurs weighs the same,
                by the labels of the labeled images alone. An image with a soft label
                weighs what its likeliest class does, the first of equal ones.
            initial_epoch: as for `keras.Model.fit`. The order and augmentation of a
                data set of ours follow the epoch's number: to go on after a first
                `fit(epochs=5)`, call `fit(initial_epoch=5, epochs=10)`.
            steps_per_epoch: as for `keras.Model.fit`. A data set of ours then goes on
                in the next epoch where it stopped.

        All other arguments are as for `keras.Model.fit`.

        Raises:
            ValueError: for data that cannot be trained on, numbers that make no
                sense, or callbacks that monitor what is not logged; before training
                starts, where the data can be looked into.
            FloatingPointError: where the loss becomes NaN or infinite. The model then
                has its state of the last good epoch.
            ImageFileError: for an image file that cannot be read.
        """
        check_fit_arguments(
            epochs,
            initial_epoch,
            batch_size,
            steps_per_epoch,
            validation_split=validation_split,
            **{name: kwargs[name] for name in _VALIDATION if name in kwargs},
        )
        check_batched(x, batch_size, sample_weight)
        cardinality = getattr(x, "cardinality", None)
        if steps_per_epoch is None and callable(cardinality) and cardinality() == -1:
            raise ValueError(
                "The training data repeats without end; pass `steps_per_epoch`, or "
                "remove its `.repeat()`."
            )
        if x is None:
            raise ValueError("Training data is missing: pass `fit(data)`.")
        if hasattr(x, "image_batches"):
            raise ValueError(
                f"{x!r} is a part of a data set: pass the whole, `fit(data)`, with its "
                "labeled and unlabeled images."
            )
        if validation_split and inputs.is_training_batch(x):
            raise ValueError(
                "`validation_split` would cut labeled and unlabeled images alike; pass "
                "`validation_data=(images, labels)` instead. Received: "
                f"validation_split={validation_split}"
            )
        y, validation_data = inputs.as_arrays(y), inputs.as_arrays(validation_data)
        callbacks = as_callbacks(callbacks)
        check_rate_callbacks(self.optimizer, callbacks)
        continuing.prepare(
            self,
            callbacks,
            x,
            y,
            batch_size,
            steps_per_epoch,
            initial_epoch,
            class_weight,
            sample_weight,
        )
        given_labels = getattr(x, "labels", y)
        if inputs.is_data(x):
            data = x
            if y is not None:
                raise ValueError(
                    "A data set brings its own labels: call `fit(data)` without `y`."
                )
            if self.strategy.needs_unlabeled and getattr(data, "unlabeled", 0) is None:
                raise ValueError(
                    f"The strategy `{type(self.strategy).__name__}` needs unlabeled "
                    f"images, but {data!r} has none; add some, or use "
                    '`ssl="supervised"`.'
                )
            self.set_classes(data.num_classes, getattr(data, "class_names", None))
            options = {}
            if self.strategy.unlabeled_ratio != 1:
                options["unlabeled_ratio"] = self.strategy.unlabeled_ratio
            if steps_per_epoch is not None:
                options["steps_per_epoch"] = steps_per_epoch
                steps_per_epoch = None
            x = data.training_batches(self.strategy.views, **options)
            shuffle = False  # the order is the data's own
            if validation_data is None:
                validation_data = data.validation_batches()
            if hasattr(data, "set_epoch"):
                callbacks.insert(0, EpochClock(data.set_epoch))
            self._check_training_input(x, y)
            self.learn_before_training(x, data)
        else:
            self._check_training_input(x, y)
            if y is not None:
                self.learn_before_training(x)
            if hasattr(x, "element_spec"):
                shuffle = False  # Keras cannot, and would warn
                from keras_dc3.data import checked

                x = checked.check_values(x, self.num_classes)
            elif isinstance(x, keras.utils.PyDataset):
                x = CheckedBatches(x, self.num_classes, self._image_shape)
            elif is_loader(x):
                x = checked_loader(x, self.num_classes, self._image_shape)
            elif hasattr(x, "__next__"):
                shuffle = False
                x = checked_batches(x, self.num_classes, self._image_shape)
        if class_weight is not None:
            if sample_weight is not None:
                raise ValueError(
                    "Pass either `class_weight` or `sample_weight`, not both; multiply "
                    "the weights of the classes into those of the images instead."
                )
            class_weight = class_weights(
                class_weight, given_labels, self.num_classes, self.class_names
            )
        if hasattr(validation_data, "class_names"):
            names = validation_data.class_names
            self.set_classes(validation_data.num_classes, names)
        if inputs.is_data(validation_data):
            validation_data = validation_data.validation_batches()
        steps = kwargs.get("validation_steps")
        callbacks += evaluation.check_validation_data(self, validation_data, steps)
        if not any(isinstance(callback, StopOnNaN) for callback in callbacks):
            callbacks.append(StopOnNaN())
        callbacks.sort(key=continuing.place)
        masked = type(self.strategy).mask is not SSLStrategy.mask
        callbacks.append(CollapseMonitor(masked))
        if steps_taken(self) == 0:
            check_backbone_top(self.backbone, self._image_shape)
        self._build_statistics()
        callbacks = with_logs(
            callbacks, self, self._logged(x, y, validation_data, validation_split)
        )
        self.follow_weights()
        labels = mark_of_labels(given_labels)
        same = labels is not None and labels == self._trained_labels
        self._trained_labels = labels
        length = TrainingLength(self, goes_on=initial_epoch > 0 or same)
        steps_of_epoch = count_steps(
            x, y, batch_size, validation_split, steps_per_epoch
        )
        if steps_of_epoch is not None:
            length.tell(steps_of_epoch * (epochs - initial_epoch))
        ends = quiet_end((x, validation_data), (steps_per_epoch, steps))
        with (
            ends,
            quiet_heads(),
            plain_file_errors(),
            self.learning(),
            watched(self) as last,
        ):
            history = super().fit(
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
                **kwargs,
            )
        length.tell_at_end(known=steps_of_epoch is not None)
        self.verdict = conclude(self, last, verbose)
        return history

    def _logged(self, x: Any, y: Any, validation: Any, split: float) -> list[str]:
        """Returns the names of what this training logs."""
        if split and validation is None:
            validation = x, y
        soft = None
        if validation is not None:
            pair = validation if isinstance(validation, tuple | list) else (validation,)
            soft = evaluation.has_soft_labels(*(*pair, None)[:2])
        batch = _peek(x, y)
        plain = batch is not None and not inputs.is_training_batch(batch[0])
        return logged_names(self, plain, validation is not None, soft)

    def _build_statistics(self) -> None:
        if not self.epoch_statistics.built:
            with self.collective.scope():
                self.epoch_statistics.build(self.num_classes, self.num_clusters)
            self.train_function = None  # it may be traced without them

    def _check_training_input(self, x: Any, y: Any) -> None:
        """Checks training data, takes the number of classes from it, and builds."""
        batch = _peek(x, y)
        if batch is None:
            if not self.built:
                raise ValueError(
                    "The model is not built, and a generator cannot be looked into "
                    "without losing its first batch. Call `model.build((None, height, "
                    "width, channels))` first, with `num_classes` given, or pass a "
                    "`tf.data.Dataset` or a `keras.utils.PyDataset`."
                )
            return
        if len_or_none(x) == 0:
            raise ValueError("The training data is empty: it has no batch.")
        images, labels = batch
        if labels is None:
            raise ValueError("Labels are missing: pass `fit(inputs, labels)`.")
        columns = labels.shape[1] if len(labels.shape) == 2 else 1
        if self.num_classes is not None and columns not in (1, None, self.num_classes):
            raise ValueError(
                f"Soft labels must have {self.num_classes} columns, one per class. "
                f"Received: labels.shape={tuple(labels.shape)}"
            )
        if inputs.is_training_batch(images):
            inputs.check_parts(images, self.strategy.views)
        elif self.strategy.needs_unlabeled:
            raise ValueError(
                f"The strategy `{type(self.strategy).__name__}` needs unlabeled "
                "images, but the training data is plain `(images, labels)`. Pass "
                '`{"labeled": images, "unlabeled": {view: images}}` with the views '
                f'{list(self.strategy.views)}, a data set, or use `ssl="supervised"`.'
            )
        elif self.config.predicts_ambiguity or self.config.inverse_weight:
            warnings.warn(
                "There are no unlabeled images, so the cross-entropy alone is trained: "
                "ambiguity and clusters stay random. Add unlabeled images, or say "
                "`config=DC3Config.vanilla()` for a plain classifier.",
                stacklevel=3,
            )
        inputs.check_image_shapes(images, self._image_shape)
        if self.num_classes is None and len(labels.shape) == 2 and labels.shape[1] > 1:
            self.set_classes(int(labels.shape[1]))
        whole = y is not None
        inputs.check_batch(images, labels, self.num_classes, whole=whole)
        if not self.built:
            self.build((None, *inputs.image_shape_of(images)[1:]))

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
            labels, names = inputs.as_arrays(y), self.class_names
            class_weight = class_weights(class_weight, labels, self.num_classes, names)
        with quiet_heads():
            return super().train_on_batch(
                x, y, sample_weight, class_weight, return_dict
            )
