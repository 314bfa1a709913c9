"""Export to LiteRT, in float32 or with a backbone of 8-bit integers. TensorFlow only.

The file takes uint8 images and answers as a SavedModel does, by operations that every
LiteRT has. It is a ZIP archive, too, as phones expect it: `labels.txt` has the names of
the classes, one a line, and `keras_dc3.json` all that is known.

With integers, `images` go through the backbone in 8 bits and what follows is float32:
the heads compare distances and logarithms, which 256 values are too few for. The two
are converted by themselves, and then one behind the other in one file.
"""

from __future__ import annotations

import json
import os
import warnings
import zipfile
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_dc3._keras import AdaptedModel
from keras_dc3._text import one_line
from keras_dc3.models.export_graph import image_spec, named_outputs, serving_function

DESCRIPTION = "keras_dc3.json"
LABELS = "labels.txt"
_SIGNATURE = "serving_default"
# What the backbone hands on to the heads: features, and 0 where the shape is right.
_BETWEEN, _CHECKED = "features", "checked"


class _Lower(AdaptedModel):
    """From images to what the backbone says of them, float32."""

    def __init__(self, network: Any):
        super().__init__(name="lower")
        self.network, self.built = network, True

    def call(self, images: Any) -> Any:
        features = self.network.lower(self.network.prepare(images))
        return keras.ops.cast(features, "float32")


class _Upper(AdaptedModel):
    """From what the backbone says to the outputs of a `DC3Model`."""

    def __init__(self, model: Any):
        super().__init__(name="upper")
        self.model, self.built = model, True

    def call(self, features: Any) -> Any:
        return self.model.probabilities(self.model.network.upper(features))


def write_litert(
    model: Any, path: str, description: dict[str, Any], images: np.ndarray | None
) -> None:
    """Writes a model to a file.

    Args:
        model: the `DC3Model`.
        path: of the file; the folder that it is in is used, too.
        description: of the model, as plain values.
        images: uint8 (n, h, w, c), which show the ranges of values in the backbone;
            None: the model stays in float32.
    """
    folder = os.path.join(os.path.dirname(path), "saved_model")
    if images is None:
        content = _in_floats(model, folder)
    else:
        content = _in_integers(model, folder, images)
    with open(path, "wb") as file:
        file.write(content)
    with zipfile.ZipFile(path, "a") as archive:
        lines = map(one_line, description["class_names"])
        archive.writestr(LABELS, "\n".join(lines) + "\n")
        text = json.dumps(description, indent=2, ensure_ascii=False)
        archive.writestr(DESCRIPTION, text)


def _in_floats(model: Any, folder: str) -> bytes:
    dtype = "uint8" if model.network.takes_bytes else "float32"
    serve = serving_function(
        model,
        checks_shapes=False,
        takes_none=False,
        zero_of=lambda images: _zero_if_right(images, model.image_shape),
    )
    return _converted(serve, [image_spec(model, dtype)], model, folder)


def _in_integers(model: Any, folder: str, images: np.ndarray) -> bytes:
    import tensorflow as tf
    from tensorflow.lite.tools import flatbuffer_utils as files

    if model.evaluate_with == "ema":
        model = model.with_averaged_weights()
    lower, upper = _Lower(model.network), _Upper(model)
    spec = image_spec(model, "uint8")

    @tf.function
    def first(images: Any) -> dict[str, Any]:
        zero = _zero_if_right(images, model.image_shape)
        return {_BETWEEN: lower(images, training=False), _CHECKED: zero}

    @tf.function
    def second(features: Any, checked: Any) -> dict[str, Any]:
        return named_outputs(upper(features, training=False), checked)

    def shown() -> Any:
        for image in images:
            yield {spec.name: image[None]}

    content = _converted(first, [spec], model, folder, shown)
    features = first.get_concrete_function(spec).structured_outputs[_BETWEEN]
    between = [
        tf.TensorSpec((None, features.shape[-1]), "float32", name=_BETWEEN),
        tf.TensorSpec((), "int32", name=_CHECKED),
    ]
    parts = content, _converted(second, between, model, folder)
    joined = _one_behind_the_other(*map(files.convert_bytearray_to_object, parts))
    return bytes(files.convert_object_to_bytearray(joined))


def _zero_if_right(images: Any, shape: tuple[int | None, ...]) -> Any:
    """Returns 0, but makes a graph that LiteRT refuses for images of another shape.

    It would go on with whatever the network bears: what is to be joined must fit. Few
    values are: one column of an image, and one row with its channels.
    """
    import tensorflow as tf

    zero = tf.constant(0)
    for axes in ((0,), tuple(range(1, len(shape)))):
        whole = [i in axes and side is not None for i, side in enumerate(shape)]
        sides = [side if w else 1 for side, w in zip(shape, whole, strict=True)]
        part = images[(slice(1), *(slice(None if w else 1) for w in whole))]
        joined = tf.concat([part, tf.zeros([1, *sides], images.dtype)], 0)
        zero += tf.cast(joined[(1, *(0 for _ in sides))], "int32")
    return zero


def _converted(
    function: Any,
    specs: list[Any],
    model: Any,
    folder: str,
    shown: Callable[[], Any] | None = None,
) -> bytes:
    """Returns a function as a LiteRT model; with images that it is shown, in integers.

    Args:
        function: a `tf.function`.
        specs: of its arguments.
        model: whose weights it has.
        folder: to be written and replaced.
        shown: makes an iterator of name -> argument.
    """
    import tensorflow as tf

    module = tf.Module()
    module.model_variables = [variable.value for variable in model.variables]
    module.function = function
    signatures = {_SIGNATURE: function.get_concrete_function(*specs)}
    tf.saved_model.save(module, folder, signatures=signatures)
    converter = tf.lite.TFLiteConverter.from_saved_model(
        folder, signature_keys=[_SIGNATURE]
    )
    if shown is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = shown
    with warnings.catch_warnings():
        # Of what it runs the images by, which nobody here has chosen.
        warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter")
        return converter.convert()


def _one_behind_the_other(first: Any, second: Any) -> Any:
    """Returns one model, whose first part hands its outputs on to the second.

    Args:
        first, second: `ModelT` objects of one graph each; what the one answers with
            has the names of what the other takes.
    """
    (before,), (after,) = first.subgraphs, second.subgraphs
    (named,), (answered,) = first.signatureDefs, second.signatureDefs
    tensors = len(before.tensors)
    codes, buffers = len(first.operatorCodes), len(first.buffers)
    handed_on = {output.name: output.tensorIndex for output in named.outputs}
    places = {taken.tensorIndex: handed_on[taken.name] for taken in answered.inputs}
    places[-1] = -1  # none

    def moved(numbers: Any) -> list[int]:
        """Returns the new numbers of tensors of the second part."""
        return [places.get(number, number + tensors) for number in map(int, numbers)]

    for tensor in after.tensors:
        tensor.buffer += buffers
    for operator in after.operators:
        operator.opcodeIndex += codes
        operator.inputs = moved(operator.inputs)
        operator.outputs = moved(operator.outputs)
        if operator.intermediates is not None:
            operator.intermediates = moved(operator.intermediates)
    before.tensors += after.tensors
    before.operators += after.operators
    before.outputs = moved(after.outputs)
    first.operatorCodes += second.operatorCodes
    first.buffers += second.buffers
    for output in answered.outputs:
        (output.tensorIndex,) = moved([output.tensorIndex])
    named.outputs = answered.outputs
    return first
