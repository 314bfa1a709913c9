"""Checks of values inside a user's own `tf.data` pipeline. TensorFlow only."""

from __future__ import annotations

from typing import Any


def check_values(dataset: Any, num_classes: int) -> Any:
    """Returns the dataset, stopping at the first batch with impossible values.

    Labels outside 0..num_classes - 1 would otherwise become rows of zeros, and images
    with NaN a model of NaN, both without a word.

    Args:
        dataset: `tf.data.Dataset` of (inputs, labels) or (inputs, labels, weights).
        num_classes: k.

    Returns:
        A dataset of the same elements, order and cardinality. Iterating it raises
        `tf.errors.InvalidArgumentError` with one sentence that says what is wrong.
    """
    import tensorflow as tf

    def check(inputs: Any, labels: Any, *rest: Any) -> Any:
        checks = [_check_labels(tf, labels, num_classes)]
        for images in tf.nest.flatten(inputs):
            if images.dtype.is_floating:
                message = "The training images hold NaN or infinity: repair them."
                checks.append(tf.debugging.assert_all_finite(images, message))
        with tf.control_dependencies(checks):
            return (tf.nest.map_structure(tf.identity, inputs), labels, *rest)

    return dataset.map(check)


def _check_labels(tf: Any, labels: Any, num_classes: int) -> Any:
    if labels.shape.rank == 1 or labels.shape[-1] == 1:
        whole = labels == tf.cast(tf.cast(labels, tf.int64), labels.dtype)
        inside = tf.reduce_all(whole) & tf.reduce_all(
            (labels >= 0) & (labels < num_classes)
        )
        return tf.debugging.Assert(
            inside,
            [
                f"Labels must lie in 0..{num_classes - 1} for {num_classes} classes: "
                "correct them, or pass a larger `num_classes`. Received:",
                labels,
            ],
        )
    totals = tf.reduce_sum(tf.cast(labels, tf.float32), axis=-1)
    # NaN fails this comparison, too.
    sums_to_one = tf.reduce_all(tf.abs(totals - 1.0) <= 1e-3)
    return tf.debugging.Assert(
        sums_to_one & tf.reduce_all(labels >= 0),
        [
            "Soft labels must be distributions over the classes (no value below 0, "
            "sum 1): divide counts by their sum. Received sums:",
            totals,
        ],
    )
