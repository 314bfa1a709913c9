"""`evaluate`, `predict`, `propose` and `export`: what a trained model is for."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np

from keras_dc3._validation import check_choice
from keras_dc3.data.ordered import ordered_batches
from keras_dc3.models import evaluation, inputs
from keras_dc3.models.stream_end import end_watch


class _WithFeatures(keras.Model):
    """From images to outputs and features of a `DC3Model`, in one pass."""

    def __init__(self, model: keras.Model):
        super().__init__(name="with_features")
        self.model = model
        self.jit_compile, self.run_eagerly = model.jit_compile, model.run_eagerly
        self.built = True  # else Keras may build it by one more pass

    def call(self, images: Any) -> dict[str, Any]:
        outputs = self.model._infer(images, training=False)
        return {
            **self.model._probabilities(outputs),
            "features": outputs["features"],
        }


class InferenceMixin:
    """What `DC3Model` does after training."""

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
        `selective_score`, computed in a
        second pass over `x`; `d` and its kin need soft labels (n, k). A generator
        cannot be passed over twice: it gives loss and metrics alone.

        Args:
            x: images, a data set of ours (its validation part), or whatever
                `keras.Model.evaluate` takes.

        All other arguments are as for `keras.Model.evaluate`.
        """
        if hasattr(x, "class_names"):
            self.set_classes(x.num_classes, x.class_names)  # the same, or an error
        if inputs.is_data(x):
            x = x.validation_batches()
            if x is None:
                raise ValueError("The data set has no validation part to evaluate on.")
        elif hasattr(x, "image_batches"):
            x, batch_size = self._to_evaluate(x, batch_size), None
        y = inputs.as_arrays(y)
        evaluation.check_evaluation_data(self, (x, y), steps)
        if not isinstance(callbacks, keras.callbacks.CallbackList):  # of `fit`
            callbacks = [*self._as_list(callbacks), *end_watch(x, steps)]
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

    def _to_evaluate(self, part: Any, batch_size: int | None) -> Any:
        """Returns the batches of a part of a data set, checked."""
        images = keras.KerasTensor((None, *part.image_shape))
        inputs.check_image_shapes(images, self._image_shape)
        targets = part.targets
        inputs.check_labels(targets, part.num_classes)
        return ordered_batches(part, targets, batch_size or 32)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: Any = "auto",
        steps: int | None = None,
        callbacks: Any = None,
    ) -> dict[str, np.ndarray]:
        """Returns `{"classes", "clusters", "ambiguity"}`; see `DC3Model`.

        Args:
            x: images, a part of a data set, or whatever `keras.Model.predict` takes.

        All other arguments are as for `keras.Model.predict`.
        """
        x, batch_size, steps = self._to_predict(x, batch_size, steps)
        return super().predict(x, batch_size, verbose, steps, callbacks)

    def embed(
        self, x: Any, batch_size: int | None = None, verbose: Any = "auto"
    ) -> np.ndarray:
        """Returns the features that the heads see, float32 (n, d).

        Args:
            x: images, a part of a data set, or whatever `keras.Model.predict` takes.
            batch_size: images per step, 32 by default.
            verbose: 0 for no progress bar.
        """
        evaluation.check_built(self)
        x, batch_size, steps = self._to_predict(x, batch_size, None)
        return self._with_features().predict(x, batch_size, verbose, steps)["features"]

    def _with_features(self) -> keras.Model:
        with self.collective.scope():
            return _WithFeatures(self)

    def _to_predict(
        self, x: Any, batch_size: int | None, steps: int | None
    ) -> tuple[Any, int | None, int | None]:
        """Returns images, checked, batch size and steps as Keras takes them."""
        if hasattr(x, "image_batches"):
            size = batch_size or 32
            number = math.ceil(len(x.ids) / size)
            batches = ((images,) for images in x.image_batches(size))
            return batches, None, number if steps is None else min(steps, number)
        if isinstance(x, np.ndarray):
            inputs.check_image_shapes(x, self._image_shape)
            inputs.check_images("given", x)
        return x, batch_size, steps

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
        embeddings: bool = True,
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
            embeddings: whether to keep the features that the heads see, of the same
                forward pass (see `embed`), as `proposals.embeddings`. Medoids and
                suggestions of groups need them. False saves 4 n d bytes of memory.

        Returns:
            A `keras_dc3.proposals.Proposals`.
        """
        evaluation.check_built(self)
        check_choice("embeddings", embeddings, (True, False))
        model = self._with_features() if embeddings else self
        return evaluation.propose(self, model, dataset, ids, batch_size, verbose)

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
