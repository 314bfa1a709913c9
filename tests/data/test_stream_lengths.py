"""Labeled and unlabeled images of different number, or of a number nobody knows."""

import math
import warnings
from collections import Counter

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import datasets
from tests.cases import case
from tests.slow import few


def toy(source):
    """28 different images with counts; made up, or a case from the outside."""
    if source == "case":
        loaded = np.load(case("18-streams-of-different-length") / "toy.npz")
        return loaded["images"], loaded["counts"]
    rng = np.random.default_rng(18)
    images = rng.integers(0, 256, (28, 16, 16, 3)).astype("uint8")
    return images, 3 * np.eye(3, dtype=int)[np.arange(28) % 3]


def make(source, labeled, unlabeled):
    images, counts = toy(source)
    return datasets.from_arrays(
        images,
        counts,
        labeled=labeled,
        unlabeled=unlabeled,
        validation=None,
        batch_size=4,
        augment="none",
    )


def epoch(batches):
    """Returns the batches, whichever backend makes them."""
    if isinstance(batches, keras.utils.PyDataset):
        return [batches[i] for i in range(len(batches))]
    return list(batches)


def shown(images, part):
    """Returns how often each image of a part is among some images."""
    name = {
        pixels.tobytes(): name
        for pixels, name in zip(part.images, part.ids, strict=True)
    }
    seen = Counter(name[np.asarray(image).tobytes()] for image in images)
    return [seen[name] for name in part.ids]


@pytest.mark.parametrize("source", ["made up", "case"])
@pytest.mark.parametrize("ratio", [1, 7])
def test_fewer_labeled_than_unlabeled_images(source, ratio):
    data = make(source, 5, 23)
    for number in range(3):
        data.set_epoch(number)
        batches = epoch(data.training_batches(("weak",), unlabeled_ratio=ratio))
        steps = max(math.ceil(5 / 4), math.ceil(23 / (4 * ratio)))
        assert len(batches) == data.steps(ratio) == steps
        views = [image for x, _ in batches for image in x["unlabeled"]["weak"]]
        times = shown(views, data.unlabeled)
        if ratio == 1:
            assert times == [1] * 23
        else:  # two batches to show all labeled images, so two times 28 of 23 images
            assert sorted(Counter(times)) == [2, 3] and len(views) == 56
        images = [image for x, _ in batches for image in x["labeled"]]
        times = shown(images, data.labeled)
        assert len(images) == 4 * len(batches) and max(times) - min(times) <= 1


@pytest.mark.parametrize("source", ["made up", "case"])
def test_more_labeled_than_unlabeled_images(source):
    data = make(source, 23, 5)
    for number in range(3):
        data.set_epoch(number)
        batches = epoch(data.training_batches(("weak",)))
        assert len(batches) == 6
        images = [image for x, _ in batches for image in x["labeled"]]
        assert sorted(Counter(shown(images, data.labeled))) == [1, 2]
        views = [image for x, _ in batches for image in x["unlabeled"]["weak"]]
        times = shown(views, data.unlabeled)
        assert min(times) >= 1 and max(times) - min(times) <= 1


def fit(model, *args, **kwargs):
    """Returns the steps of each epoch; no warning may tell of data that ran out."""
    steps = []
    count = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: steps.append(0),
        on_train_batch_end=lambda batch, logs: steps.append(steps.pop() + 1),
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*args, epochs=3, verbose=0, callbacks=[count], **kwargs)
    told = [str(w.message) for w in caught]
    assert not [text for text in told if "ran out" in text], told
    return steps


@pytest.mark.slow
@pytest.mark.parametrize("sizes", few([[5, 23], [23, 5]], [5, 23]))
def test_all_epochs_have_the_same_steps(sizes, make_backbone):
    model = keras_dc3.DC3Model(make_backbone(), ssl="fixmatch", training_steps=20)
    data = make("made up", *sizes)
    steps = data.steps(model.ssl.unlabeled_ratio)
    assert fit(model, data) == [steps] * 3


@pytest.mark.slow
@pytest.mark.tensorflow
@pytest.mark.parametrize("source", ["made up", "case"])
def test_a_stream_of_unknown_length(source, make_backbone):
    """A user's own unlabeled images, filtered."""
    import tensorflow as tf

    images, counts = toy(source)
    seen = []

    def note(batch):
        seen.extend(pixels.tobytes() for pixels in batch)
        return batch

    labeled = tf.data.Dataset.from_tensor_slices(
        (images[:5], counts[:5].argmax(axis=1).astype("int32"))
    )
    labeled = labeled.repeat().batch(4)
    unlabeled = tf.data.Dataset.from_tensor_slices(images[5:])
    unlabeled = unlabeled.filter(lambda image: image[0, 0, 0] >= 0).batch(4)

    def join(labeled, unlabeled):
        noted = tf.ensure_shape(
            tf.numpy_function(note, [unlabeled], tf.uint8), (None, 16, 16, 3)
        )
        x, y = labeled
        return {"labeled": x, "unlabeled": {"first": noted, "second": noted}}, y

    batches = tf.data.Dataset.zip(labeled, unlabeled).map(join)
    assert int(batches.cardinality()) == tf.data.UNKNOWN_CARDINALITY
    model = keras_dc3.DC3Model(
        make_backbone(), ssl="pi_model", num_classes=3, training_steps=18
    )
    assert fit(model, batches) == [6] * 3
    assert Counter(seen) == {pixels.tobytes(): 3 for pixels in images[5:]}


@pytest.mark.tensorflow
def test_validation_without_end(make_backbone):
    import tensorflow as tf

    data = make("made up", 5, 23)
    endless = tf.data.Dataset.from_tensor_slices(
        (data.labeled.images, data.labels)
    ).batch(2)
    model = keras_dc3.DC3Model(make_backbone(), ssl="pi_model", training_steps=6)
    with pytest.raises(ValueError, match="repeats without end; pass `steps`"):
        model.fit(data, verbose=0, validation_data=endless.repeat())
