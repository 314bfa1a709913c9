"""Images of another scale than in training: refused where certain, else told."""

import contextlib
import math
import warnings

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

import keras_dc3
from keras_dc3.models import ImageValues
from keras_dc3.models.given_images import check_one_scale, check_scale
from keras_dc3.models.step_metrics import MajorityAccuracy
from tests.models.test_one_image_one_answer import (
    flat_model,
    labeled_images,
    trained,
)

MEAN = np.array([0.485, 0.456, 0.406], "float32")
DEVIATION = np.array([0.229, 0.224, 0.225], "float32")
SCALES = {
    "0..255": lambda images: images.astype("float32"),
    "0..1": lambda images: images / np.float32(255),
    "-1..1": lambda images: images / np.float32(127.5) - 1,
    "standardised": lambda images: (images / np.float32(255) - MEAN) / DEVIATION,
    "mean subtracted": lambda images: images - 255 * MEAN,
}
TRAINED_ON = {
    "0..255": ImageValues("floats", 0, 255),
    "0..1": ImageValues("floats", 0, 1),
    "-1..1": ImageValues("floats", -1, 1),
    "standardised": ImageValues("floats", -2.118, 2.64),
    "mean subtracted": ImageValues("floats", -123.7, 151.5),
}


def told(images, values):
    """Returns "refused", "warned" or "taken"."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            check_scale(images, values)
        except ValueError as error:
            assert str(values) in str(error)
            return "refused"
    for warning in caught:
        assert f"on {values}, but the given images hold" in str(warning.message)
    return "warned" if caught else "taken"


@pytest.mark.parametrize("other", SCALES)
@pytest.mark.parametrize("name", SCALES)
def test_no_scale_is_taken_for_another(name, other):
    images = labeled_images(8)[0]
    found = told(SCALES[other](images), TRAINED_ON[name])
    assert (found == "taken") == (name == other)
    if name == "0..255":
        assert found == ("taken" if other == name else "refused")
        integers = ImageValues("integers")
        assert told(SCALES[other](images), integers) == found


@pytest.mark.parametrize("name", SCALES)
@given(seed=st.integers(0, 99), low=st.integers(0, 60), high=st.integers(190, 255))
def test_images_scaled_as_in_training_are_taken(name, seed, low, high):
    images = np.random.default_rng(seed).integers(low, high + 1, (4, 4, 4, 3))
    images[0, 0, 0] = 0
    assert told(SCALES[name](images.astype("float32")), TRAINED_ON[name]) == "taken"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-30.5, 280.25, "taken"),  # interpolated
        (-4.5, 30.25, "taken"),  # likewise, a dark one
        (-62.5, 255.0, "warned"),
        (-100.5, 300.5, "warned"),  # of raised contrast, or of another scale
        (-123.5, 105.5, "refused"),
        (-40.5, 60.5, "refused"),
        (-2.1, 1.8, "refused"),
        (-100.0, 20.0, "refused"),
        (0.0, 1.25, "refused"),
        (0.0, 20.5, "taken"),
    ],
)
def test_negative_numbers_among_0_to_255(low, high, expected):
    images = np.full((2, 2, 2, 1), (low + high) / 2, "float32")
    images[:, 0, 0], images[:, 0, 1] = low, high
    images[:, 1, 0] = math.floor(high) - 0.25 if high % 1 else high
    assert told(images, ImageValues("integers")) == expected


def test_inside_a_graph_each_image_is_judged_by_itself():
    model = trained(lambda images: images, run_eagerly=False)
    images = labeled_images(3, seed=9)[0]
    expected = model.predict(images, verbose=0)["classes"]
    mixed = SCALES["0..255"](images)
    mixed[1] = SCALES["standardised"](images[1])
    mixed[2] = SCALES["mean subtracted"](images[2])
    entry = keras.Input((8, 8, 3))
    found = keras.Model(entry, model(entry)).predict(mixed, verbose=0)["classes"]
    assert np.isnan(found).all(axis=1).tolist() == [False, True, True]
    np.testing.assert_allclose(found[0], expected[0], atol=2e-5)


@pytest.mark.parametrize("rescale", [True, False])
def test_rescale_does_not_explain_standardised_images(rescale):
    with pytest.warns(UserWarning, match=r"integer images will be refused"):
        model = trained(SCALES["standardised"], rescale=rescale)
    with pytest.raises(ValueError, match="how these become those is not known"):
        model.predict(labeled_images(2)[0], verbose=0)


def test_rescale_may_explain_images_inside_what_it_says():
    half = lambda images: images / np.float32(255) - np.float32(0.5)  # noqa: E731
    with pytest.warns(UserWarning, match=r"mapped to -1 to 1, be these scaled so"):
        model = trained(half, rescale=True)
    assert model.predict(labeled_images(2)[0], verbose=0)["classes"].shape == (2, 3)


@pytest.mark.parametrize(
    ("labeled", "unlabeled"),
    [
        ("0..255", "standardised"),
        ("0..1", "standardised"),
        ("0..1", "-1..1"),
        ("-1..1", "standardised"),
        ("mean subtracted", "0..255"),
        ("standardised", "0..255"),
    ],
)
def test_parts_of_a_training_set_scaled_in_different_ways(labeled, unlabeled):
    for parts in ((labeled, unlabeled), (unlabeled, labeled)):
        values = {"labeled": TRAINED_ON[parts[0]], "weak": TRAINED_ON[parts[1]]}
        with pytest.raises(ValueError, match="scale all images of a training set"):
            check_one_scale(values)
    check_one_scale({"labeled": TRAINED_ON[labeled], "weak": TRAINED_ON[labeled]})


def test_fit_refuses_other_unlabeled_and_validation_images():
    images, labels = labeled_images(6)
    model = keras_dc3.DC3Model(keras.layers.Flatten(), num_classes=3, training_steps=2)
    given = SCALES["standardised"](images)
    x = {
        "labeled": SCALES["0..255"](images),
        "unlabeled": {view: given for view in model.ssl.views},
    }
    with pytest.raises(ValueError, match="scale all images of a training set alike"):
        model.fit(x, labels, verbose=0)
    model = flat_model()
    with pytest.raises(ValueError, match="given images are scaled in another way"):
        model.fit(images, labels, validation_data=(given, labels), verbose=0)


@pytest.mark.parametrize("name", ["0..1", "-1..1"])
def test_integers_of_0_and_1_are_told(name):
    model = trained(SCALES[name])
    masks = labeled_images(2)[0] // 128
    with pytest.warns(UserWarning, match="they are black.*pass floats of .* or white"):
        model.predict(masks, verbose=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for images in (masks * 255, masks * 0):
            model.predict(images, verbose=0)


def clipping(low, high, scale=1.0):
    images = keras.Input((8, 8, 3))
    x = ops.clip(images * scale, low, high)
    return keras.Model(images, keras.layers.Flatten()(keras.layers.Conv2D(2, 3)(x)))


@pytest.mark.parametrize(
    ("arguments", "is_doubtful"),
    [((0, 1), True), ((-1, 1), True), ((0, 1, 1 / 255), False), ((0, 255), False)],
)
def test_a_backbone_that_cuts_off_what_it_gets(arguments, is_doubtful):
    model = keras_dc3.DC3Model(
        clipping(*arguments), ssl="supervised", num_classes=3, training_steps=2
    )
    context = contextlib.nullcontext()
    if is_doubtful:
        context = pytest.warns(UserWarning, match="It cannot be told whether")
    with context:
        model(labeled_images(2)[0])
    assert model.network.rescale == (is_doubtful or arguments == (0, 255))


def test_accuracy_of_no_answer_is_nan():
    metric = MajorityAccuracy()
    metric.update_state(np.eye(3), np.full((3, 3), np.nan))
    assert math.isnan(float(metric.result()))
    metric.reset_state()
    metric.update_state(np.eye(3), np.eye(3))
    assert float(metric.result()) == 1.0


def test_validation_of_another_scale_has_no_accuracy():
    images, labels = labeled_images(6)
    model = trained(lambda images: images, run_eagerly=False)

    class Stream(keras.utils.PyDataset):
        def __len__(self):
            return 1

        def __getitem__(self, i):
            return SCALES["standardised"](images), labels

    with pytest.warns(UserWarning, match="The loss is NaN"):
        logs = model.evaluate(Stream(), verbose=0, return_dict=True)
    assert math.isnan(logs["accuracy"])


def test_one_doubt_of_many_batches_is_told_once():
    model = flat_model()
    model.build((None, 8, 8, 3))
    model.image_values = ImageValues("floats", -1, 1)
    images = np.random.default_rng(0).random((12, 8, 8, 3), "float32")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.propose(images, list(map(str, range(12))), batch_size=4, verbose=0)
    told_of = [str(w.message) for w in caught if "bright throughout" in str(w.message)]
    assert len(told_of) == 1
