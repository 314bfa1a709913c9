"""Batches by tf.data, ours and users' own. Needs TensorFlow, imported when called.

Only positions and seeds come from a Python generator; images are read and augmented
in parallel. They stay where their set keeps them: nothing is copied into the graph.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_dc3.data.image_set import ReadableImages
from keras_dc3.data.plan import Recipe, stream_number


def training_dataset(recipe: Recipe) -> Any:
    """Returns a `tf.data.Dataset` of one epoch's training batches (see `Recipe`).

    Each iterator reads the epoch from the recipe's clock when its first batch is
    asked for, and is a function of seed and epoch alone. The number of batches is
    asserted. Under `tf.distribute`, each batch is cut into one part per replica.
    """
    import tensorflow as tf

    from keras_dc3.data.augment import augment

    plan = recipe.plan

    def orders():
        order = plan.epoch(recipe.clock.epoch)
        yield from zip(order.labeled, order.unlabeled, order.seeds, strict=True)

    def view(images, policy, step_seed, name):
        seed = tf.stack([step_seed, stream_number(name)])
        return augment(policy, images, seed, recipe.value_range)

    def batch(labeled_at, unlabeled_at, step_seed):
        labeled = _read(recipe.labeled, labeled_at)
        labeled = view(labeled, recipe.policy, step_seed, "labeled")
        y = tf.gather(tf.constant(recipe.labels), labeled_at)
        if not recipe.views:
            return labeled, y
        unlabeled = _read(recipe.unlabeled, unlabeled_at)
        views = {
            name: view(unlabeled, policy, step_seed, name)
            for name, policy in recipe.views.items()
        }
        return recipe.inputs(labeled, views, tf.cast(unlabeled_at, tf.int32)), y

    positions = tf.TensorSpec((None,), tf.int64)
    dataset = tf.data.Dataset.from_generator(
        orders, output_signature=(positions, positions, tf.TensorSpec((), tf.int64))
    )
    return _finish(dataset.map(batch, tf.data.AUTOTUNE, deterministic=True), plan.steps)


def dataset_of_features(batches: Any) -> Any:
    """Returns a `tf.data.Dataset` of one epoch of `FeatureBatches`.

    NumPy makes whole batches: they are small, and gathering rows takes no longer there.
    Else it is as `training_dataset` says.
    """
    import tensorflow as tf

    recipe = batches.recipe
    features = tf.TensorSpec((None, *recipe.labeled.image_shape), tf.float32)
    y = tf.TensorSpec((None, *recipe.labels.shape[1:]), recipe.labels.dtype)
    signature = features, y
    if recipe.views:
        views = dict.fromkeys(recipe.views, features)
        signature = recipe.inputs(features, views, tf.TensorSpec((None,), tf.int32)), y
    make = _READS.through(batches.__getitem__)

    def all_batches():
        return map(make, range(len(batches)))

    dataset = tf.data.Dataset.from_generator(all_batches, output_signature=signature)
    return _finish(dataset, len(batches))


def ordered_dataset(images: ReadableImages, targets: np.ndarray, batch_size: int):
    """Returns a `tf.data.Dataset` of `(images, targets)` in order, as they are.

    Args:
        images: n images.
        targets: (n, ...), of any type.
        batch_size: images per batch; the last batch holds the rest.
    """
    import tensorflow as tf

    n = len(images)
    constant = tf.constant(targets)

    def batch(start):
        at = tf.range(start, tf.minimum(start + batch_size, n))
        return _read(images, at), tf.gather(constant, at)

    dataset = tf.data.Dataset.range(0, n, batch_size)
    dataset = dataset.map(batch, tf.data.AUTOTUNE, deterministic=True)
    return _finish(dataset, -(-n // batch_size))


class _Reads:
    """The reads under way, which the end of Python has to wait for.

    A pipeline whose thread is in Python code when the interpreter goes away never gets
    an answer, and the process never ends: as after an error in training, or Ctrl-C.
    """

    def __init__(self):
        self._lock = threading.Lock()
        self._under_way, self._last, self._closed = 0, 0.0, False

    def through(self, read: Callable[[Any], np.ndarray]) -> Callable[[Any], np.ndarray]:
        """Returns a function that reads and is waited for."""

        def watched(positions: Any) -> np.ndarray:
            with self._lock:
                self._under_way += 1
            try:
                if self._closed:
                    raise RuntimeError("Python is about to end; nothing is read.")
                return read(positions)
            finally:
                with self._lock:
                    self._under_way -= 1
                    self._last = time.monotonic()

        return watched

    def close(self) -> None:
        """Waits until there was no read for a while: until all buffers are full."""
        self._closed = True
        end = time.monotonic() + 10.0
        while time.monotonic() < end and (
            self._under_way or time.monotonic() - self._last < 0.2
        ):
            time.sleep(0.02)


_READS = _Reads()
atexit.register(_READS.close)


def _read(images: ReadableImages, positions: Any) -> Any:
    import tensorflow as tf

    # Stateless: reading the same positions again gives the same images.
    read = tf.numpy_function(
        _READS.through(images.read),
        [positions],
        tf.as_dtype(images.dtype),
        stateful=False,
    )
    return tf.ensure_shape(read, (None, *images.image_shape))


def _finish(dataset: Any, steps: int) -> Any:
    import tensorflow as tf

    options = tf.data.Options()
    options.deterministic = True
    # Workers of a multi-worker strategy take different parts of each batch.
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.DATA
    )
    dataset = dataset.apply(tf.data.experimental.assert_cardinality(steps))
    return dataset.prefetch(tf.data.AUTOTUNE).with_options(options)


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
