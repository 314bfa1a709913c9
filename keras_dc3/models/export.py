"""Export for serving: SavedModel and ONNX. TensorFlow only.

Both formats answer with named outputs, for any batch size:

    class_probabilities    (n, k)
    cluster_probabilities  (n, k')
    ambiguity              (n,), in [0, 1]
    decision               (n,), "certain" (ambiguity below 0.5) or "ambiguous"

A SavedModel has the signatures `serving_default`, for uint8 images (0..255), and
`serving_float`, for float32 images as the model's `predict` takes them, both with the
one argument `images`; and `class_names`, which answers with the names of the columns
of `class_probabilities`. The same facts stand as text in
`assets.extra/keras_dc3.json`, and in the metadata of an ONNX file.
"""

from __future__ import annotations

import json
import os
from typing import Any

import keras

from keras_dc3._validation import check_writable_folder
from keras_dc3._writing import whole_path

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
    filepath = os.path.abspath(os.fspath(filepath))
    check_writable_folder(os.path.dirname(filepath))
    if format == "onnx":
        _check_onnx()
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
    height, width, channels = model._image_shape
    scaled = model.network.rescale
    names = model.class_names or tuple(map(str, range(model.num_classes)))
    return {
        "format": "keras_dc3 export, version 1",
        "class_names": list(names),
        "num_clusters": model.num_clusters,
        "cluster_names": [f"cluster {i}" for i in range(model.num_clusters)],
        "input": {
            "name": "images",
            "shape": [None, height, width, channels],
            "uint8": "0 to 255",
            "float32": "-1 to 1 (a uint8 image divided by 127.5, minus 1)"
            if scaled
            else "as the backbone takes them; uint8 images are not scaled",
        },
        "outputs": {
            "class_probabilities": "(n, classes), columns in the order of class_names",
            "cluster_probabilities": "(n, clusters)",
            "ambiguity": "(n,), probability that people disagree on the image",
            "decision": "(n,), 'certain' where ambiguity < 0.5 (use the class), else "
            "'ambiguous' (use the cluster)",
        },
    }


def _serving_function(model: Any) -> Any:
    """Returns a `tf.function` from images, of any dtype it takes, to the outputs."""
    import tensorflow as tf

    @tf.function
    def serve(images: Any) -> dict[str, Any]:
        outputs = model(images, training=False)
        ambiguity = outputs["ambiguity"]
        words = tf.constant(["certain", "ambiguous"])
        return {
            "class_probabilities": outputs["classes"],
            "cluster_probabilities": outputs["clusters"],
            "ambiguity": ambiguity,
            "decision": tf.gather(words, tf.cast(ambiguity >= 0.5, tf.int32)),
        }

    return serve


def _image_spec(model: Any, dtype: str) -> Any:
    import tensorflow as tf

    return tf.TensorSpec((None, *model._image_shape), dtype, name="images")


def _write_saved_model(model: Any, path: str) -> None:
    import tensorflow as tf

    description = describe(model)
    module = tf.Module()
    module.model_variables = [variable.value for variable in model.variables]
    module.serve = _serving_function(model)
    names = tf.constant(description["class_names"])

    @tf.function(input_signature=[])
    def class_names() -> dict[str, Any]:
        return {"class_names": tf.identity(names)}

    module.class_names = class_names
    tf.saved_model.save(
        module,
        path,
        signatures={
            "serving_default": module.serve.get_concrete_function(
                _image_spec(model, "uint8")
            ),
            "serving_float": module.serve.get_concrete_function(
                _image_spec(model, "float32")
            ),
            "class_names": class_names.get_concrete_function(),
        },
    )
    file = os.path.join(path, DESCRIPTION_FILE)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "w", encoding="utf-8") as stream:
        json.dump(description, stream, indent=2, ensure_ascii=False)


def _check_onnx() -> None:
    try:
        import onnx  # noqa: F401
        import tf2onnx  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"Export to ONNX needs the package {error.name!r}: "
            'pip install "keras_dc3[onnx]"'
        ) from error


def _write_onnx(model: Any, path: str) -> None:
    import onnx
    import tf2onnx

    proto, _ = tf2onnx.convert.from_function(
        _serving_function(model),
        input_signature=[_image_spec(model, "uint8")],
        opset=17,
    )
    for key, value in describe(model).items():
        entry = proto.metadata_props.add()
        entry.key = key
        entry.value = value if isinstance(value, str) else json.dumps(value)
    onnx.save(proto, path)
