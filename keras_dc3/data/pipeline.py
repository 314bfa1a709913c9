"""Batches by tf.data, ours and users' own. Needs TensorFlow, imported when called.

Only positions and seeds come from a Python generator; images are read and augmented
in parallel. They stay where their set keeps them: nothing is copied into the graph.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from keras_dc3.collective import Share
from keras_dc3.data.image_set import ReadableImages
from keras_dc3.data.plan import Recipe, stream_number
from keras_dc3.data.python_calls import awaited


def training_dataset(recipe: Recipe) -> Any:
    """Returns a `tf.data.Dataset` of one epoch's training batches (see `Recipe`).

    Each iterator reads the epoch from the recipe's clock when its first batch is
    asked for, and is a function of seed and epoch alone. The number of batches is
    asserted. Under `tf.distribute`, each batch is cut into one part per replica; with
    `recipe.share` the parts of one worker are made, and only its images are read.
    """
    import tensorflow as tf

    from keras_dc3.data.augment import augment

    plan, share = recipe.plan, recipe.share or Share()

    def orders():
        order = plan.epoch(recipe.clock.epoch)
        for labeled, unlabeled, seed in zip(
            order.labeled, order.unlabeled, order.seeds, strict=True
        ):
            rows = share.rows(len(labeled)), share.rows(len(unlabeled))
            for own, other in zip(*rows, strict=True):
                sizes = own.start, len(labeled), other.start, len(unlabeled)
                yield labeled[own], unlabeled[other], seed, sizes

    def view(images, policy, step_seed, name, place):
        seed = tf.stack([step_seed, stream_number(name)])
        return augment(policy, images, seed, recipe.value_range, place)

    def batch(labeled_at, unlabeled_at, step_seed, sizes):
        labeled = _read(recipe.labeled, labeled_at)
        labeled = view(labeled, recipe.policy, step_seed, "labeled", sizes[:2])
        y = tf.gather(tf.constant(recipe.labels), labeled_at)
        if not recipe.views:
            return labeled, y
        unlabeled = _read(recipe.unlabeled, unlabeled_at)
        views = {
            name: view(unlabeled, policy, step_seed, name, sizes[2:])
            for name, policy in recipe.views.items()
        }
        return recipe.inputs(labeled, views, tf.cast(unlabeled_at, tf.int32)), y

    positions = tf.TensorSpec((None,), tf.int64)
    seed, sizes = tf.TensorSpec((), tf.int64), tf.TensorSpec((4,), tf.int32)
    dataset = tf.data.Dataset.from_generator(
        orders, output_signature=(positions, positions, seed, sizes)
    )
    dataset = dataset.map(batch, tf.data.AUTOTUNE, deterministic=True)
    return _finish(dataset, plan.steps * share.parts)


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
    make = awaited(batches.__getitem__)
    share = recipe.share or Share()

    def all_batches():
        for batch in map(make, range(len(batches))):
            arrays = tf.nest.flatten(batch)
            cut = ([part[rows] for rows in share.rows(len(part))] for part in arrays)
            for parts in zip(*cut, strict=True):
                yield tf.nest.pack_sequence_as(batch, parts)

    dataset = tf.data.Dataset.from_generator(all_batches, output_signature=signature)
    return _finish(dataset, len(batches) * share.parts)


def ordered_dataset(
    images: ReadableImages,
    targets: np.ndarray,
    batch_size: int,
    share: Share | None = None,
) -> Any:
    """Returns a `tf.data.Dataset` of `(images, targets)` in order, as they are.

    Args:
        images: n images.
        targets: (n, ...), of any type.
        batch_size: images per batch; the last batch holds the rest.
        share: the parts of the images that are read: of each the first rows, then of
            each the next, each a part of a batch. None: all.
    """
    import tensorflow as tf

    n, share = len(images), share or Share()
    size = -(-batch_size // share.of)
    steps = -(-n // (share.of * size))
    constant = tf.constant(targets)
    ends = [
        (min(rows.start + step * size, rows.stop), min(rows.start + last, rows.stop))
        for step, last in ((step, (step + 1) * size) for step in range(steps))
        for rows in share.rows(n)
    ]

    def batch(ends):
        at = tf.range(ends[0], ends[1])
        return _read(images, at), tf.gather(constant, at)

    dataset = tf.data.Dataset.from_tensor_slices(np.array(ends, "int64").reshape(-1, 2))
    dataset = dataset.map(batch, tf.data.AUTOTUNE, deterministic=True)
    return _finish(dataset, len(ends))


def _read(images: ReadableImages, positions: Any) -> Any:
    import tensorflow as tf

    # Stateless: reading the same positions again gives the same images.
    read = tf.numpy_function(
        awaited(images.read),
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
