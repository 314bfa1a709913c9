"""`fit`, `evaluate` and `propose`: from a user's data to batches and back."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np

from keras_dc3.callbacks import EpochClock, MaskMonitor
from keras_dc3.models import evaluation, inputs
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
    if element is None and type(x).__module__.startswith("torch"):
        element = next(iter(x))
    if element is None:
        return None
    if not isinstance(element, tuple | list) or len(element) < 2:
        raise ValueError(
            "Training data must yield `(inputs, labels)`. Received elements of type "
            f"{type(element).__name__}; labels are missing."
        )
    return element[0], element[1]


class TrainingMixin:
    """The part of `DC3Model` that takes data apart before Keras sees it."""

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
        validation data the scores of `keras_dc3.metrics.proposal_scores`.

        Args:
            x: a data set of `keras_dc3.datasets`, or any object with `num_classes`,
                `training_batches(views)` and `validation_batches()`; or whatever
                `keras.Model.fit` takes that yields batches
                `({"labeled": images, "unlabeled": {view: images}}, labels)`.
            y: labels of the labeled images, where `x` is a dict of arrays.
            validation_data: as for `keras.Model.fit`; with soft labels (n, k) all
                scores are logged, with integer labels those of the classes. A data
                set's own validation part is used where None.
            steps_per_epoch: as for `keras.Model.fit`. A data set of ours then goes on
                in the next epoch where it stopped.

        All other arguments are as for `keras.Model.fit`.
        """
        callbacks = self._as_list(callbacks)
        if inputs.is_data(x):
            data = x
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
        else:
            self._check_training_input(x, y)
            if hasattr(x, "element_spec"):
                from keras_dc3.data import checked

                x = checked.check_values(x, self.num_classes)
        if inputs.is_data(validation_data):
            validation_data = validation_data.validation_batches()
        if type(self.strategy).mask is not SSLStrategy.mask:
            callbacks.append(MaskMonitor())
        if int(keras.ops.convert_to_numpy(self.step.value)) == 0:
            self.average.reset(self.network)
        self._hint_length(x, epochs, initial_epoch, steps_per_epoch)
        return super().fit(
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

    def _as_list(self, callbacks: Any) -> list[Any]:
        if callbacks is None:
            return []
        if isinstance(callbacks, keras.callbacks.Callback):
            return [callbacks]
        return list(callbacks)

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
        images, labels = batch
        if labels is None:
            raise ValueError("Labels are missing: pass `fit(inputs, labels)`.")
        if inputs.is_training_batch(images):
            inputs.check_parts(images, self.strategy.views)
        elif self.strategy.needs_unlabeled:
            raise ValueError(
                f"The strategy `{type(self.strategy).__name__}` needs unlabeled "
                "images, but the training data is plain `(images, labels)`. Pass "
                '`{"labeled": images, "unlabeled": {view: images}}` with the views '
                f'{list(self.strategy.views)}, a data set, or use `ssl="supervised"`.'
            )
        inputs.check_image_shapes(images, self._image_shape)
        if self.num_classes is None and len(labels.shape) == 2:
            self.set_classes(int(labels.shape[1]))
        whole = y is not None
        inputs.check_batch(images, labels, self.num_classes, whole=whole)
        if not self.built:
            self.build((None, *inputs.image_shape_of(images)[1:]))

    def _hint_length(
        self, x: Any, epochs: int, initial_epoch: int, steps_per_epoch: int | None
    ) -> None:
        """Warns where a schedule is planned for a much longer training."""
        steps = steps_per_epoch
        if steps is None:
            try:
                steps = len(x)
            except TypeError:
                return
            if isinstance(x, dict | np.ndarray):
                return
        total = steps * epochs
        ramp = self.strategy.ramp_steps
        scheduled = getattr(
            getattr(self.optimizer, "_learning_rate", None), "steps", None
        )
        parts = []
        if ramp and total < ramp:
            parts.append(f"the unlabeled loss reaches its full weight at step {ramp:,}")
        if scheduled and total < scheduled / 2:
            parts.append(f"the learning rate is scheduled for {scheduled:,} steps")
        if parts:
            warnings.warn(
                f"This training ends after {total:,} steps, but {' and '.join(parts)}. "
                f"Pass `training_steps={total}` to `DC3Model` to plan for its length.",
                stacklevel=3,
            )

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

        The scores are those of `keras_dc3.metrics.proposal_scores`, computed in a
        second pass over `x`; `d` and its kin need soft labels (n, k). A generator
        cannot be passed over twice: it gives loss and metrics alone.

        Args:
            x: images, a data set of ours (its validation part), or whatever
                `keras.Model.evaluate` takes.

        All other arguments are as for `keras.Model.evaluate`.
        """
        if inputs.is_data(x):
            x = x.validation_batches()
            if x is None:
                raise ValueError("The data set has no validation part to evaluate on.")
        evaluation.check_finite_length(x, steps)
        self._check_images_and_labels(x, y)
        self._evaluating = True
        try:
            logs = super().evaluate(
                x,
                y,
                batch_size=batch_size,
                verbose=verbose,
                sample_weight=sample_weight,
                steps=steps,
                callbacks=callbacks,
                return_dict=True,
                **kwargs,
            )
        finally:
            self._evaluating = False
        if not return_dict:
            return self._flatten_metrics_in_order(logs)
        return {**logs, **evaluation.scores(self, x, y, batch_size or 32, steps)}

    def _check_images_and_labels(self, x: Any, y: Any) -> None:
        if isinstance(x, np.ndarray):
            inputs.check_image_shapes(x, self._image_shape)
            if self.num_classes is not None and y is not None:
                inputs.check_batch(x, np.asarray(y), self.num_classes)

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        self._evaluating = True
        try:
            return super().test_on_batch(*args, **kwargs)
        finally:
            self._evaluating = False

    def propose(
        self,
        dataset: Any,
        ids: Any = None,
        batch_size: int = 64,
        verbose: Any = "auto",
    ) -> Any:
        """Returns one proposal per image, in the order of the data.

        Args:
            dataset: a part of a data set, such as `data.unlabeled` (anything with
                `ids` and `image_batches(batch_size)`); an array of images, with `ids`;
                or an iterable of batches `{"image": (n, h, w, c), "id": (n,)}`, such
                as a `tf.data.Dataset` of TFDS.
            ids: one string per image, where `dataset` is an array.
            batch_size: images per step.
            verbose: 0 for no progress bar.

        Returns:
            A `keras_dc3.proposals.Proposals`.
        """
        return evaluation.propose(self, dataset, ids, batch_size, verbose)

    def export(
        self, filepath: Any, format: str = "tf_saved_model", **kwargs: Any
    ) -> None:
        """Writes the model for serving, without need of `keras_dc3`.

        Args:
            filepath: a folder for `"tf_saved_model"`, a file for `"onnx"`.
            format: `"tf_saved_model"`, `"onnx"` (needs the extra
                `keras_dc3[onnx]`), or another format of `keras.Model.export`, which
                then exports the plain model.
            **kwargs: `verbose`; for other formats as for `keras.Model.export`.

        See `keras_dc3.models.export` for what stands in the files.
        """
        if format not in ("tf_saved_model", "onnx"):
            super().export(filepath, format=format, **kwargs)
            return
        from keras_dc3.models import export

        export.export(self, filepath, format, **kwargs)
