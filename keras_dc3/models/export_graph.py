"""The graph of an exported model: from images to named outputs. TensorFlow only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras_dc3._decision import AMBIGUOUS, CERTAIN, is_ambiguous
from keras_dc3.models.proposing import with_features


def input_name(model: Any) -> str:
    """Returns the name of the one argument of every signature."""
    return "features" if model.takes_features else "images"


def serving_function(
    model: Any,
    checks_shapes: bool,
    with_embeddings: bool = False,
    takes_none: bool = True,
    zero_of: Callable[[Any], Any] | None = None,
) -> Any:
    """Returns a `tf.function` from images, of any dtype it takes, to the outputs.

    Args:
        model: the `DC3Model`.
        checks_shapes: whether it looks at the shape of the images.
        with_embeddings: whether it answers with "embeddings", too.
        takes_none: whether there may be no image, to which no answer belongs.
        zero_of: of images, the `zero` of `named_outputs`.
    """
    import tensorflow as tf

    run = with_features(model) if with_embeddings else model

    @tf.function
    def serve(images: Any) -> dict[str, Any]:
        zero = 0 if zero_of is None else zero_of(images)
        if checks_shapes:
            images = _with_checked_shape(images, model.image_shape)
        if takes_none:
            rows = tf.shape(images)[0]
            outputs = run(_one_at_least(images, model.image_shape), training=False)
            outputs = {name: output[:rows] for name, output in outputs.items()}
        else:
            outputs = run(images, training=False)
        return named_outputs(outputs, zero)

    return serve


def named_outputs(outputs: dict[str, Any], zero: Any = 0) -> dict[str, Any]:
    """Returns the outputs of a `DC3Model` under the names of an exported one.

    Args:
        outputs: those of the model.
        zero: 0, or an int32 tensor of it without which there is to be no answer.
    """
    import tensorflow as tf

    ambiguity = outputs["ambiguity"]
    words = tf.constant([CERTAIN, AMBIGUOUS, "invalid"])
    word = tf.cast(is_ambiguous(ambiguity), "int32")
    word = tf.where(ambiguity == ambiguity, word, 2)  # NaN is not itself
    with_embeddings = "features" in outputs
    return {
        "class_probabilities": outputs["classes"],
        "cluster_probabilities": outputs["clusters"],
        "ambiguity": ambiguity,
        "decision": tf.gather(words, word + zero),
        **({"embeddings": outputs["features"]} if with_embeddings else {}),
    }


def _one_at_least(images: Any, shape: tuple[int | None, ...]) -> Any:
    """Returns the images, or one in the place of none, which cannot be convolved."""
    import tensorflow as tf

    rows = tf.shape(images)[0]
    one = tf.zeros(tf.concat([[1], tf.shape(images)[1:]], 0), images.dtype)
    filled = tf.concat([images, one], 0)[: tf.maximum(rows, 1)]
    return tf.ensure_shape(filled, (None, *shape))


def _with_checked_shape(images: Any, expected: tuple[int | None, ...]) -> Any:
    """Returns images of the expected shape (n, h, w, c), or fails when it runs.

    Nothing else looks at what a request brings: a signature's own shape is a note. The
    error names both shapes; one operation it is, as each takes time.
    """
    import tensorflow as tf

    # The shape that it is traced for would be taken for granted.
    options = {"shape": None, "name": "images"}
    images = tf.raw_ops.PlaceholderWithDefault(input=images, **options)
    return tf.ensure_shape(images, (None, *expected))


def image_spec(model: Any, dtype: str) -> Any:
    """Returns the `tf.TensorSpec` of the one argument of a signature."""
    import tensorflow as tf

    return tf.TensorSpec((None, *model.image_shape), dtype, name=input_name(model))
