"""The averaged weights in a model of their own, to use or train on elsewhere."""

from __future__ import annotations

import keras

from keras_dc3.models import evaluation


class AveragedMixin:
    """Copies of a `DC3Model` and its backbone that hold the averaged weights."""

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
        evaluation.check_built(self)
        self.follow_weights()
        with self.collective.scope():
            parts = [*self._flatten_layers(), self.ssl]
            classes = {type(part).__name__: type(part) for part in parts}
            backbone = self._copied_backbone(classes)
            config = {**self.get_config(), "evaluate_with": "raw"}
            config["backbone"] = backbone
            copy = type(self).from_config(config, custom_objects=classes)
            copy.build((None, *self._image_shape))
            pairs = zip(copy.network.weights, self.network.weights, strict=True)
            for target, source in pairs:
                # A copy of its own: on JAX an assigned array would share its buffer.
                target.assign(keras.ops.copy(self.average.value_of(source)))
            copy.average.reset(copy.network)
        return copy

    def averaged_backbone(self) -> keras.Model:
        """Returns a new Keras model: the backbone, with its averaged weights.

        It is the backbone as you made it and knows nothing of `keras_dc3`: save it,
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
        if isinstance(backbone, keras.Model):
            return backbone
        images = keras.Input(self._image_shape, dtype=backbone.compute_dtype)
        return keras.Model(images, backbone(images), name=backbone.name)

    def _copied_backbone(self, classes: dict[str, type]) -> keras.layers.Layer:
        try:
            return keras.saving.deserialize_keras_object(
                keras.saving.serialize_keras_object(self.backbone),
                custom_objects=classes,
                safe_mode=False,  # this process made it
            )
        except Exception as error:
            raise ValueError(
                f"The backbone {self.backbone.name!r} cannot be copied; each of its "
                "layers must have a `get_config` from which it can be made again: "
                f"{str(error).strip().splitlines()[0]}"
            ) from error
