"""Export for serving: SavedModel, with its signatures, ONNX, LiteRT. TensorFlow only.

All formats answer with named outputs, for any batch size:

    class_probabilities    (n, k)
    cluster_probabilities  (n, k')
    ambiguity              (n,), in [0, 1]
    decision               (n,), "certain" (ambiguity below 0.5) or "ambiguous";
                           "invalid" where the others are NaN

A SavedModel has the signatures `serving_default`, for uint8 images (0..255), and
`serving_float`, for float32 images as the model's `predict` takes them, both with the
one argument `images`; `with_embeddings`, which answers `serving_default` and with
`embeddings` (n, d), what the heads see of each image; `class_names`, which answers
with the names of the columns of `class_probabilities`; and `serving_bytes`, for whole
JPEG and PNG files, in the one argument `image_bytes` (n,), which brings each to the
size of the model (`export_bytes`) and answers with `class_name`, too. ONNX and LiteRT
files take uint8 images. A model that was trained on floats of a range that integers
cannot be mapped to takes float32 images everywhere (`DC3Model.image_values`); one that
was trained on features takes these, float32, in the one argument `features`. The same
facts stand as text in `assets.extra/keras_dc3.json`, in the metadata of an ONNX file,
and in `keras_dc3.json` in the archive that a LiteRT file is, too.

Images of another shape are an error: `InvalidArgumentError` of TensorFlow, in all
signatures; of ONNX Runtime by itself; of LiteRT, as a `CONCATENATION` that cannot be
prepared. An empty batch has empty answers; LiteRT takes none. A floating-point image
that holds NaN or infinity, or is certainly scaled in another way than the images in
training, is answered with NaN, whatever stands beside it in the batch. No format can
say more than that of one image.
"""

from __future__ import annotations

import json
import os
from typing import Any

import keras

from keras_dc3._extras import optional
from keras_dc3._validation import (
    check_choice,
    check_empty_folder,
    check_writable_folder,
)
from keras_dc3._writing import file_path, whole_path
from keras_dc3.data.decoding import FITS
from keras_dc3.models.export_bytes import function_of_files, takes_files
from keras_dc3.models.export_graph import image_spec, input_name, serving_function
from keras_dc3.models.export_litert import write_litert
from keras_dc3.models.image_values import BYTES, SYMMETRIC, UNIT
from keras_dc3.models.representative import representative_images

_IN_WORDS = {
    BYTES: "0 to 255 (the numbers of a uint8 image)",
    UNIT: "0 to 1 (a uint8 image divided by 255)",
    SYMMETRIC: "-1 to 1 (a uint8 image divided by 127.5, minus 1)",
}

# Of each format the options that it takes.
FORMATS: dict[str, tuple[str, ...]] = {
    "tf_saved_model": ("fit",),
    "onnx": (),
    "litert": ("quantize", "representative"),
}
KERAS_FORMATS = ("openvino", "torch")
_ENDINGS = {"onnx": ".onnx", "litert": ".tflite"}  # of the names of files
_OF_SAVED_MODEL = (
    r"saved_model\.pb|keras_metadata\.pb|fingerprint\.pb|variables|assets.*"
)
FORMAT = "keras_dc3 export, version 1"
WITH_EMBEDDINGS = "with_embeddings"
FROM_FILES = "serving_bytes"
DESCRIPTION_FILE = os.path.join("assets.extra", "keras_dc3.json")


def export(
    model: Any, filepath: Any, format: str, verbose: Any = None, **options: Any
) -> None:
    """Writes `model` to `filepath`, at once or not at all. See `DC3Model.export`.

    Raises:
        ValueError: if the model is not built, `filepath` holds something else, or an
            option is none of the format.
        OSError: if nothing can be written there.
        RuntimeError: on another backend than TensorFlow.
        ImportError: if a package that the format needs is missing.
    """
    unknown = sorted(set(options) - set(FORMATS[format]))
    if unknown:
        raise ValueError(
            f"`export` takes no {unknown} for the format {format!r}, but "
            f"{[*FORMATS[format], 'verbose']}; names and signatures are fixed."
        )
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"Export to {format!r} needs the TensorFlow backend, but Keras runs on "
            f"{keras.backend.backend()!r}. Save the model as `.keras` and load it with "
            "KERAS_BACKEND=tensorflow."
        )
    filepath = os.path.abspath(file_path(filepath))
    _check_name(filepath, format)
    check_writable_folder(os.path.dirname(filepath))
    if format == "tf_saved_model":
        _check_saved_model(filepath)
    write = _WRITERS[format](model, filepath, **options)
    with whole_path(filepath, folder=format == "tf_saved_model") as temporary:
        write(temporary)
    if verbose:
        print(f"Exported to {filepath}")


def check_format(format: Any, is_built: bool) -> None:
    """Raises ValueError for an unknown format, or a model that is not built."""
    check_choice("format", format, (*FORMATS, *KERAS_FORMATS))
    if not is_built:
        raise ValueError(
            "The model is not built yet, so there is nothing to export; call `fit` or "
            "`keras.saving.load_model` first."
        )


def _check_name(filepath: str, format: str) -> None:
    """Raises ValueError for a name that says another format than is written."""
    ending = os.path.splitext(filepath)[1].lower()
    expected = _ENDINGS.get(format)
    if expected is not None and ending != expected:
        raise ValueError(
            f"The name of a file of the format {format!r} must end with {expected!r}. "
            f"Received: filepath={filepath!r}"
        )
    for other, of_other in _ENDINGS.items():
        if format == "tf_saved_model" and ending == of_other:
            raise ValueError(
                f"A SavedModel is a folder, but {filepath!r} is called as a file of "
                f"the format {other!r}: pass `format={other!r}`, or name a folder."
            )


def _check_saved_model(filepath: str) -> None:
    """Raises ValueError where a SavedModel would replace something else."""
    if os.path.isfile(filepath):
        raise ValueError(
            f"{filepath!r} is a file; a SavedModel is a folder. Name another path."
        )
    if not os.path.isdir(filepath) or not os.listdir(filepath):
        return
    if not os.path.exists(os.path.join(filepath, "saved_model.pb")):
        raise ValueError(
            f"The folder {filepath!r} holds files that are no SavedModel; name an "
            "empty or new folder to export to."
        )
    advice = "They would be lost: move them away, or name another folder."
    check_empty_folder(filepath, _OF_SAVED_MODEL, advice)


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
            "name": input_name(model),
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


def _saved_model(model: Any, filepath: str, fit: str = "resize") -> Any:
    """Returns what writes a SavedModel to a path; `fit` is that of image files."""
    check_choice("fit", fit, FITS)
    return lambda path: _write_saved_model(model, path, fit)


def _write_saved_model(model: Any, path: str, fit: str) -> None:
    import tensorflow as tf

    description = describe(model)
    module = tf.Module()
    module.model_variables = [variable.value for variable in model.variables]
    module.serve = serving_function(model, checks_shapes=True)
    default = "uint8" if model.network.takes_bytes else "float32"
    names = tf.constant(description["class_names"])

    @tf.function(input_signature=[])
    def class_names() -> dict[str, Any]:
        return {"class_names": tf.identity(names)}

    module.class_names = class_names
    with_embeddings = serving_function(model, True, with_embeddings=True)
    signatures = {
        "serving_default": module.serve.get_concrete_function(
            image_spec(model, default)
        ),
        "serving_float": module.serve.get_concrete_function(
            image_spec(model, "float32")
        ),
        WITH_EMBEDDINGS: with_embeddings.get_concrete_function(
            image_spec(model, default)
        ),
        "class_names": class_names.get_concrete_function(),
    }
    if takes_files(model):
        made_of = module.serve, names, model.image_shape, fit
        module.serve_files = function_of_files(*made_of)
        signatures[FROM_FILES] = module.serve_files.get_concrete_function()
        description["files"] = {"signature": FROM_FILES, "fit": fit}
    tf.saved_model.save(module, path, signatures=signatures)
    file = os.path.join(path, DESCRIPTION_FILE)
    os.makedirs(os.path.dirname(file), exist_ok=True)
    with open(file, "w", encoding="utf-8") as stream:
        json.dump(description, stream, indent=2, ensure_ascii=False)


def _onnx(model: Any, filepath: str) -> Any:
    """Returns what writes an ONNX file to a path."""
    for package in ("onnx", "tf2onnx"):
        optional(package, f"Export to ONNX needs the package {package!r}", "onnx")
    return lambda path: _write_onnx(model, path)


def _write_onnx(model: Any, path: str) -> None:
    import onnx
    import tf2onnx

    spec = image_spec(model, "uint8" if model.network.takes_bytes else "float32")
    serve = serving_function(model, checks_shapes=False, takes_none=False)
    proto, _ = tf2onnx.convert.from_function(serve, input_signature=[spec], opset=17)
    # Numbers that a layer keeps beside its variables come as inputs without values.
    kept = {
        inside.name: value
        for value, inside in serve.get_concrete_function(spec).graph.captures
        if inside.dtype != "resource"
    }
    for entry in [entry for entry in proto.graph.input if entry.name in kept]:
        value = onnx.numpy_helper.from_array(kept[entry.name].numpy(), entry.name)
        proto.graph.initializer.append(value)
        proto.graph.input.remove(entry)
    for key, value in describe(model).items():
        entry = proto.metadata_props.add()
        entry.key = key
        entry.value = value if isinstance(value, str) else json.dumps(value)
    onnx.save(proto, path)


def _litert(
    model: Any, filepath: str, quantize: str | None = None, representative: Any = None
) -> Any:
    """Returns what writes a LiteRT file to a path."""
    check_choice("quantize", quantize, (None, "int8"))
    images, description = None, describe(model)
    if quantize is not None:
        if not takes_files(model):
            raise ValueError(
                "`quantize='int8'` is for models of images of 0 to 255 of one size; "
                f"this one takes {model.images_in_words}. Export it without "
                "`quantize`."
            )
        images = representative_images(model, representative)
        description["quantized"] = "int8: the backbone; the heads are float32"
    elif representative is not None:
        raise ValueError("`representative` is for `quantize='int8'`; pass both.")
    return lambda path: write_litert(model, path, description, images)


_WRITERS = {"tf_saved_model": _saved_model, "onnx": _onnx, "litert": _litert}
