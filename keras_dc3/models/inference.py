"""`evaluate`, `predict`, `propose` and `export`: what a trained model is for."""

from __future__ import annotations

import math
import warnings
from typing import Any

import keras
import numpy as np

from keras_dc3._validation import check_choice
from keras_dc3._writing import whole_path
from keras_dc3.data.batches import ordered_batches
from keras_dc3.models import evaluation, given_images, inputs
from keras_dc3.models.arguments import as_callbacks
from keras_dc3.models.file_errors import raise_plainly
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

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args and not inputs.is_training_batch(args[0]):
            answers = not kwargs.get("training")
            images = self._checked(args[0], values=answers)
            if answers:
                self.follow_weights()
            args = (images, *args[1:])
        return super().__call__(*args, **kwargs)

    def _checked(self, images: Any, values: bool = True) -> Any:
        """Returns images as the model can take them; builds it where it can.

        Args:
            images: anything.
            values: whether their values are looked at, where they are at hand.
        """
        given_images.check_form(images, self._image_shape)
        if not self.built and self.num_classes is not None:
            self.build((None, *images.shape[1:]))  # here, where numbers can be read
        if not values:
            return images
        return given_images.check_given(images, self)

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
        self.prepare_answers()
        evaluation.check_evaluation_data(self, (x, y), steps)
        if not isinstance(callbacks, keras.callbacks.CallbackList):  # of `fit`
            callbacks = [*as_callbacks(callbacks), *end_watch(x, steps)]
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
        except Exception as error:
            raise_plainly(error)
            raise
        finally:
            self._evaluating = False
        if math.isnan(logs.get("loss", 0.0)):
            self._tell_no_answer("The loss is NaN")
        if not return_dict:
            return self._flatten_metrics_in_order(logs)
        last = None
        if isinstance(callbacks, keras.callbacks.CallbackList):  # of `fit`
            last = self._last_validation
        if last is not None:
            last.arguments = (x, y, batch_size or 32, steps)
        scores = evaluation.scores(self, x, y, batch_size or 32, steps, last)
        return {**logs, **scores}

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
        self._check_answers(outputs["classes"])
        return outputs

    def predict_on_batch(self, x: Any) -> dict[str, np.ndarray]:
        """Returns the outputs for one batch; see `predict`, also for errors."""
        self.prepare_answers()
        x = self._checked(x)
        if not len(x):
            outputs = self(x, training=False)
            return {k: keras.ops.convert_to_numpy(v) for k, v in outputs.items()}
        return super().predict_on_batch(x)

    def _check_answers(self, answers: np.ndarray) -> None:
        """Warns of images whose answer is NaN."""
        bad = ~np.isfinite(answers).all(axis=1)
        if bad.any():
            self._tell_no_answer(
                f"The answer is NaN for {int(bad.sum())} of {len(bad)} images, first "
                f"at position {int(np.argmax(bad))}"
            )

    def _tell_no_answer(self, what: str) -> None:
        warnings.warn(
            f"{what}: either the weights are not finite, or images hold NaN, infinity "
            "or values of another scale than in training, where the model saw "
            f"{self.image_values or 'images of an unknown scale'}. Scale all images as "
            "in training, or pass uint8.",
            stacklevel=3,
        )

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
        model = self._with_features()
        if isinstance(x, np.ndarray) and not len(x):
            return keras.ops.convert_to_numpy(model(x)["features"])
        features = model.predict(x, batch_size, verbose, steps)["features"]
        self._check_answers(features)
        return features

    def _with_features(self) -> keras.Model:
        with self.collective.scope():
            return _WithFeatures(self)

    def _to_predict(
        self, x: Any, batch_size: int | None, steps: int | None
    ) -> tuple[Any, int | None, int | None]:
        """Returns images, checked, batch size and steps as Keras takes them."""
        self.prepare_answers()
        if hasattr(x, "image_batches"):
            size = batch_size or 32
            number = math.ceil(len(x.ids) / size)
            batches = ((images,) for images in x.image_batches(size))
            return batches, None, number if steps is None else min(steps, number)
        if inputs.is_training_batch(x):
            raise ValueError(
                "Images must be an array or tensor of shape (n, height, width, "
                f"channels). Received: a dict with {sorted(map(str, x))}; pass one of "
                "its values."
            )
        is_stream = isinstance(x, keras.utils.PyDataset) or (
            hasattr(x, "__iter__")
            and not hasattr(x, "shape")
            and not isinstance(x, list | tuple | str | bytes | set)
        )
        return (x if is_stream else self._checked(x)), batch_size, steps

    def test_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        self.prepare_answers()
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
            A `keras_dc3.proposals.Proposals`, with the model's `verdict`.
        """
        evaluation.check_built(self)
        self.prepare_answers()
        check_choice("embeddings", embeddings, (True, False))
        model = self._with_features() if embeddings else self
        return evaluation.propose(self, model, dataset, ids, batch_size, verbose)

    def export(
        self, filepath: Any, format: str = "tf_saved_model", **kwargs: Any
    ) -> None:
        """Writes the model for serving, without need of `keras_dc3`.

        What stood at `filepath` is replaced as a whole, or stays (but for the two files
        of "openvino", which Keras writes directly).

        Args:
            filepath: a folder for `"tf_saved_model"`, a file for `"onnx"`.
            format: `"tf_saved_model"`, `"onnx"` (needs the extra
                `keras_dc3[onnx]`), or another format of `keras.Model.export`, which
                then exports the plain model.
            **kwargs: `verbose`; for other formats as for `keras.Model.export`.

        See `keras_dc3.models.export` for what stands in the files.
        """
        self.prepare_answers()
        if format in ("litert", "torch"):  # one file each
            with whole_path(filepath) as temporary:
                super().export(temporary, format=format, **kwargs)
            return
        if format not in ("tf_saved_model", "onnx"):
            super().export(filepath, format=format, **kwargs)
            return
        from keras_dc3.models import export

        export.export(self, filepath, format, **kwargs)
