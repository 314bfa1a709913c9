"""Export for serving: SavedModel, with its signatures, and ONNX. TensorFlow only.

Both formats answer with named outputs, for any batch size:

    class_probabilities    (n, k)
    cluster_probabilities  (n, k')
    ambiguity              (n,), in [0, 1]
    decision               (n,), "certain" (ambiguity below 0.5) or "ambiguous";
                           "invalid" where the others are NaN

A SavedModel has the signatures `serving_default`, for uint8 images (0..255), and
`serving_float`, for float32 images as the model's `predict` takes them, both with the
one argument `images`; `with_embeddings`, which answers `serving_default` and with
`embeddings` (n, d), what the heads see of each image; and `class_names`, which answers
with the names of the columns of `class_probabilities`. An ONNX file takes uint8 images.
A model that was trained on floats of a range that integers cannot be mapped to takes
float32 images everywhere (`DC3Model.image_values`); one that was trained on features
takes these, float32, in the one argument `features`. The same facts stand as text in
`assets.extra/keras_dc3.json`, and in the metadata of an ONNX file.

Images of another shape are an error: `InvalidArgumentError` of TensorFlow, in both
signatures; of ONNX Runtime by itself. An empty batch has empty answers. A
floating-point image that holds NaN or infinity, or is certainly scaled in another way
than the images in training, is answered with NaN, whatever stands beside it in the
batch. Neither format can say more than that of one image.
"""

from __future__ import annotations

import json
import os
from typing import Any

import keras

from keras_dc3._decision import AMBIGUOUS, CERTAIN, is_ambiguous
from keras_dc3._extras import optional
from keras_dc3._validation import check_writable_folder
from keras_dc3._writing import file_path, whole_path
from keras_dc3.models.image_values import BYTES, SYMMETRIC, UNIT
from keras_dc3.models.proposing import with_features

_IN_WORDS = {
    BYTES: "0 to 255 (the numbers of a uint8 image)",
    UNIT: "0 to 1 (a uint8 image divided by 255)",
    SYMMETRIC: "-1 to 1 (a uint8 image divided by 127.5, minus 1)",
}

FORMATS = ("tf_saved_model", "onnx")
FORMAT = "keras_dc3 export, version 1"
WITH_EMBEDDINGS = "with_embeddings"
DESCRIPTION_FILE = os.path.join("assets.extra", "keras_dc3.json")


def export(
    model: Any, filepath: Any, format: str, verbose: Any = None, **kwargs: Any
) -> None:
    """Writes `model` to `filepath`, at once or not at all. See `DC3Model.export`.

    Raises:
        ValueError: if the model is not built, or `filepath` holds something else.
        OSError: if nothing can be written there.
        RuntimeError: on another backend than TensorFlow.
        ImportError: if a package that the format needs is missing.
    """
    if kwargs:
        raise ValueError(
            f"`export` takes no {sorted(kwargs)} for the format {format!r}; the "
            "signatures are fixed."
        )
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"Export to {format!r} needs the TensorFlow backend, but Keras runs on "
            f"{keras.backend.backend()!r}. Save the model as `.keras` and load it with "
            "KERAS_BACKEND=tensorflow."
        )
    if not model.built:
        raise ValueError(
            "The model is not built yet, so there is nothing to export; call `fit` or "
            "`keras.saving.load_model` first."
        )
    filepath = os.path.abspath(file_path(filepath))
    check_writable_folder(os.path.dirname(filepath))
    if format == "onnx":
        for package in ("onnx", "tf2onnx"):
            optional(package, f"Export to ONNX needs the package {package!r}", "onnx")
    elif os.path.isdir(filepath) and os.listdir(filepath):
        if not os.path.exists(os.path.join(filepath, "saved_model.pb")):
            raise ValueError(
                f"The folder {filepath!r} holds files that are no SavedModel; name an "
                "empty or new folder to export to."
            )
    elif os.path.isfile(filepath):
        raise ValueError(
            f"{filepath!r} is a file; a SavedModel is a folder. Name another path."
        )
    write = _write_onnx if format == "onnx" else _write_saved_model
    with whole_path(filepath, folder=format != "onnx") as temporary:
        write(model, temporary)
    if verbose:
        print(f"Exported to {filepath}")


def describe(model: Any) -> dict[str, Any]:
    """Returns what a user of the exported files must know, as plain values."""
    values = model.image_values
    names = model.class_names or tuple(map(str, range(model.num_classes)))
    verdict = model.verdict
    return {
        "format": FORMAT,
        "class_names": list(names),
        "verdict": None if verdict is None else json.loads(verdict.to_json()),
        "num_clusters": model.num_clusters,
        "cluster_names": [f"cluster {i}" for i in range(model.num_clusters)],
        "input": {
            "name": _input_name(model),
            "shape": [None, *model.image_shape],
            "uint8": "0 to 255" if model.network.takes_bytes else "not taken",
            "float32": _float_range(model),
            "trained_on": "not known" if values is None else str(values),
            "scaling": model.images_in_words,
        },
        "outputs": {
            "class_probabilities": "(n, classes), columns in the order of class_names",
            "cluster_probabilities": "(n, clusters)",
            "ambiguity": "(n,), probability that people disagree on the image",
            "decision": "(n,), 'certain' where ambiguity < 0.5 (use the class), else "
            "'ambiguous' (use the cluster); 'invalid' where all else is NaN, as the "
            "image holds NaN or is not scaled as in training",
        },
    }


def _input_name(model: Any) -> str:
    return "features" if model.takes_features else "images"


def _float_range(model: Any) -> str:
    if model.takes_features:
        return "features as in training, which are standardized inside"
    values = model.image_values
    if values is None:
        if model.network.rescale:
            return f"{_IN_WORDS[SYMMETRIC]}; not known for sure"
        return "as the backbone takes them; uint8 images are not scaled"
    if values.range in _IN_WORDS:
        return _IN_WORDS[values.range]
    return f"{values.low:.4g} to {values.high:.4g}, scaled as in training"


def _serving_function(
    model: Any, checks_shapes: bool, with_embeddings: bool = False
) -> Any:
    """Returns a `tf.function` from images, of any dtype it takes, to the outputs.

    Args:
        model: the `DC3Model`.
        checks_shapes: whether it looks at the shape of the images.
        with_embeddings: whether it answers with "embeddings", too.
    """
    import tensorflow as tf

    run = with_features(model) if with_embeddings else model

    @tf.function
    def serve(images: Any) -> dict[str, Any]:
        if checks_shapes:
            images = _with_checked_shape(images, model.image_shape)
        rows = tf.shape(images)[0]
        # There may be no image, which TensorFlow cannot convolve.
        one = tf.zeros(tf.concat([[1], tf.shape(images)[1:]], 0), images.dtype)
        filled = tf.concat([images, one], 0)[: tf.maximum(rows, 1)]
        filled = tf.ensure_shape(filled, (None, *model.image_shape))
        outputs = run(filled, training=False)
        outputs = {name: output[:rows] for name, output in outputs.items()}
        ambiguity = outputs["ambiguity"]
        words = tf.constant([CERTAIN, AMBIGUOUS, "invalid"])
        word = tf.where(is_ambiguous(ambiguity), 1, 0)
        word = tf.where(ambiguity == ambiguity, word, 2)  # NaN is not itself
        return {
            "class_probabilities": outputs["classes"],
            "cluster_probabilities": outputs["clusters"],
            "ambiguity": ambiguity,
            "decision": tf.gather(words, word),
            **({"embeddings": outputs["features"]} if with_embeddings else {}),
        }

    return serve


def _with_checked_shape(images: Any, expected: tuple[int | None, ...]) -> Any:
    """Returns images of the expected shape (n, h, w, c), or fails when it runs.

    Nothing else looks at what a request brings: a signature's own shape is a note.
    """
    import tensorflow as tf

    # The shape that it is traced for would be taken for granted.
    images = tf.raw_ops.PlaceholderWithDefault(input=images, shape=None)
    shape = tf.shape(images)
    rank = len(expected) + 1
    sides = tf.concat([shape, [-1] * rank], 0)[1:rank]
    wanted = tf.constant([-1 if side is None else side for side in expected])
    is_right = tf.reduce_all((sides == wanted) | (wanted < 0))
    wanted_text = ", ".join("any" if side is None else str(side) for side in expected)
    check = tf.debugging.Assert(
        is_right & (tf.size(shape) == rank),
        [f"Images must have shape (n, {wanted_text}). Received shape:", shape],
        summarize=8,
    )
    with tf.control_dependencies([check]):
        images = tf.identity(images)
    return tf.ensure_shape(images, (None, *expected))


def _image_spec(model: Any, dtype: str) -> Any:
    import tensorflow as tf

    return tf.TensorSpec((None, *model.image_shape), dtype, name=_input_name(model))


def _write_saved_model(model: Any, path: str) -> None:
    import tensorflow as tf

    description = describe(model)
    module = tf.Module()
    module.model_variables = [variable.value for variable in model.variables]
    module.serve = _serving_function(model, checks_shapes=True)
    default = "uint8" if model.network.takes_bytes else "float32"
    names = tf.constant(description["class_names"])

    @tf.function(input_signature=[])
    def class_names() -> dict[str, Any]:
        return {"class_names": tf.identity(names)}

    module.class_names = class_names
    with_embeddings = _serving_function(model, True, with_embeddings=True)
    tf.saved_model.save(
        module,
        path,
        signatures={
            "serving_default": module.serve.get_concrete_function(
                _image_spec(model, default)
            ),
            "serving_float": module.serve.get_concrete_function(
                _image_spec(model, "float32")
            ),
            WITH_EMBEDDINGS: with_embeddings.get_concrete_function(
                _image_spec(model, default)
            ),
            "class_names": class_names.get_concrete_function(),
        },
    )
    file = os.path.join(path, DESCRIPTION_FILE)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "w", encoding="utf-8") as stream:
        json.dump(description, stream, indent=2, ensure_ascii=False)


def _write_onnx(model: Any, path: str) -> None:
    import onnx
    import tf2onnx

    proto, _ = tf2onnx.convert.from_function(
        _serving_function(model, checks_shapes=False),
        input_signature=[
            _image_spec(model, "uint8" if model.network.takes_bytes else "float32")
        ],
        opset=17,
    )
    for key, value in describe(model).items():
        entry = proto.metadata_props.add()
        entry.key = key
        entry.value = value if isinstance(value, str) else json.dumps(value)
    onnx.save(proto, path)
