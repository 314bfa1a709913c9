"""One image has one answer, by every door and however its numbers are stored."""

import json
import warnings

import keras
import numpy as np
import pytest
from keras import ops

import keras_dc3
from keras_dc3.models import ImageValues
from tests.models.helpers import arrays, strategy
from tests.slow import few

SCALES = {
    "uint8": lambda images: images,
    "0..255": lambda images: images.astype("float32"),
    "0..1": lambda images: images / np.float32(255),
    "-1..1": lambda images: images / np.float32(127.5) - 1,
}
OTHER = lambda images: (images - np.float32(120)) / np.float32(60)  # noqa: E731


def labeled_images(n=24, seed=0):
    """Images that reach 0 and 255, and their classes."""
    images = np.random.default_rng(seed).integers(0, 256, (n, 8, 8, 3)).astype("uint8")
    images[:, 0, 0], images[:, 0, 1] = 0, 255
    return images, np.arange(n) % 3


def flat_model(**kwargs):
    keras.utils.set_random_seed(3)
    backbone = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(4)])
    kwargs = {"config": keras_dc3.DC3Config.vanilla(), "training_steps": 4, **kwargs}
    return keras_dc3.DC3Model(backbone, ssl="supervised", num_classes=3, **kwargs)


def trained(scale, run_eagerly=True, **kwargs):
    """A model whose weights hardly moved; eager where no graph is needed, for speed."""
    images, labels = labeled_images()
    model = flat_model(**kwargs)
    model.compile(
        keras.optimizers.SGD(1e-6), jit_compile=False, run_eagerly=run_eagerly
    )
    model.fit(scale(images), labels, batch_size=12, verbose=0)
    return model


@pytest.fixture(scope="module", params=few(list(SCALES), "uint8", "-1..1"))
def fitted(request):
    return trained(SCALES[request.param]), request.param


def close(found, expected):
    np.testing.assert_allclose(
        ops.convert_to_numpy(found), ops.convert_to_numpy(expected), atol=2e-5
    )


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
def test_what_was_trained_on_is_remembered(fitted, tmp_path):
    model, name = fitted
    low, high = {"uint8": (0, 255)}.get(name) or map(float, name.split(".."))
    kind = "integers" if name == "uint8" else "floats"
    assert model.image_values == ImageValues(kind, low, high)
    assert str(model.image_values) in repr(model)
    lines = []
    model.summary(print_fn=lines.append)
    assert str(model.image_values) in lines[-1]
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    assert loaded.image_values == model.image_values
    model.save_weights(tmp_path / "m.weights.h5")
    other = flat_model()
    other.build((None, 8, 8, 3))
    other.load_weights(tmp_path / "m.weights.h5")
    assert other.image_values == model.image_values
    images = labeled_images(4, seed=9)[0]
    expected = model.predict(SCALES[name](images), verbose=0)["classes"]
    for again in (loaded, other):
        close(again.predict(images, verbose=0)["classes"], expected)


@pytest.mark.slow
def test_bytes_and_their_numbers_have_the_answer_of_training(fitted):
    """By `predict`, `predict_on_batch`, `propose`, `embed`, `evaluate`, `model(x)`."""
    model, name = fitted
    images, labels = labeled_images(5, seed=9)
    as_trained = SCALES[name](images)
    ids = list("abcde")
    expected = model.predict(as_trained, verbose=0)["classes"]
    features = model.embed(as_trained, verbose=0)
    loss = model.evaluate(as_trained, labels, verbose=0)[0]
    forms = [images, images.astype("int32"), images.astype("int64"), as_trained]
    if name in ("uint8", "0..255"):
        floats = images.astype("float32")
        forms += [floats, floats.astype("float64"), floats.astype("float16")]
    for form in forms:
        close(model.predict(form, verbose=0)["classes"], expected)
        close(model.predict_on_batch(form)["classes"], expected)
        close(model(form)["classes"], expected)
        close(model(ops.convert_to_tensor(form))["classes"], expected)
        close(model.embed(form, verbose=0), features)
        proposals = model.propose(form, ids=ids, verbose=0)
        close(proposals.class_probabilities, expected)
        found = model.evaluate(form, labels, verbose=0)[0]
        assert found == pytest.approx(loss, abs=1e-4)


def test_functional_wrapping(fitted):
    model, name = fitted
    images = labeled_images(3, seed=9)[0]
    expected = model.predict(SCALES[name](images), verbose=0)["classes"]
    entry = keras.Input((8, 8, 3), dtype="uint8")
    layers = [keras.layers.Rescaling(1.0)]  # floats of 0..255 from bytes
    if name in ("0..1", "-1..1"):
        layers = [keras.layers.Rescaling(1 / 255)]
        if name == "-1..1":
            layers = [keras.layers.Rescaling(1 / 127.5, -1.0)]
    x = entry
    for layer in layers:
        x = layer(x)
    close(keras.Model(entry, model(x)).predict(images, verbose=0)["classes"], expected)
    close(
        keras.Model(entry, model(entry)).predict(images, verbose=0)["classes"], expected
    )


@pytest.mark.parametrize("name", ["uint8", "0..255", "0..1", "-1..1"])
def test_what_is_scaled_otherwise_is_refused_with_both_ranges(name):
    model = trained(SCALES[name])
    images, labels = labeled_images(4, seed=9)
    wrong = [other for other in SCALES if other not in (name, "uint8", "0..255")]
    if name in ("0..1", "-1..1"):
        wrong = ["0..255"]
    for other in wrong:
        given = SCALES[other](images)
        low, high = f"{given[0].min():.4g}", f"{given[0].max():.4g}"
        match = rf"trained on {model.image_values}, .* floats of {low} to {high} \(4 of"
        for door in (
            lambda given=given: model.predict(given, verbose=0),
            lambda given=given: model.predict_on_batch(given),
            lambda given=given: model.evaluate(given, labels, verbose=0),
            lambda given=given: model.embed(given, verbose=0),
            lambda given=given: model.propose(given, ids=list("abcd"), verbose=0),
            lambda given=given: model(given),
        ):
            with pytest.raises(ValueError, match=match):
                door()


def test_inside_a_graph_it_is_nan_and_told():
    """Each image by itself: the images beside it keep their answers."""
    model = trained(SCALES["uint8"], run_eagerly=False)
    images, labels = labeled_images(4, seed=9)
    expected = model.predict(images, verbose=0)["classes"]
    mixed = images.astype("float32")
    mixed[1], mixed[2] = mixed[1] / 255, mixed[2] / 127.5 - 1
    entry = keras.Input((8, 8, 3))
    wrapper = keras.Model(entry, model(entry))
    found = wrapper.predict(mixed, verbose=0)["classes"]
    assert np.isnan(found[[1, 2]]).all()
    close(found[[0, 3]], expected[[0, 3]])
    for i in range(4):
        alone = wrapper.predict(mixed[i : i + 1], verbose=0)["ambiguity"]
        assert np.isnan(alone).tolist() == [i in (1, 2)]
    with pytest.raises(ValueError, match="the one at position 1 holds floats of 0 to"):
        wrapper(mixed)  # at hand here

    class Stream(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            rows = slice(2 * i, 2 * i + 2)
            return mixed[rows], labels[rows]

    with pytest.warns(UserWarning, match=r"NaN for 2 of 4 images, first at position 1"):
        found = model.predict(Stream(), verbose=0)["classes"]
    close(found[[0, 3]], expected[[0, 3]])
    with pytest.warns(UserWarning, match=r"loss is NaN.*integers of 0 to 255"):
        model.evaluate(Stream(), verbose=0)


def test_a_dark_image_is_answered_as_what_it_is():
    model = trained(SCALES["uint8"])
    dark = np.zeros((2, 8, 8, 3), "uint8")
    dark[1, :4] = 1
    expected = model.predict(dark, verbose=0)["classes"]
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        found = model.predict(dark[:1].astype("float32"), verbose=0)["classes"]
    close(found, expected[:1])
    with pytest.warns(UserWarning, match="are black, if they hold 0 to 255"):
        found = model.predict(dark.astype("float32"), verbose=0)["classes"]
    close(found, expected)
    bright = trained(SCALES["-1..1"])
    with pytest.warns(UserWarning, match=r"bright throughout, if they hold -1 to 1"):
        bright.predict(SCALES["0..1"](labeled_images(2)[0]), verbose=0)


def test_a_range_that_bytes_are_not_known_in():
    model = trained(OTHER)
    images = labeled_images(3, seed=9)[0]
    assert str(model.image_values) == "floats of -2 to 2.25"
    match = r"trained on floats of -2 to 2.25, but the images are integers"
    for door in (model, model.predict, model.predict_on_batch):
        with pytest.raises(ValueError, match=match):
            door(images)
    with pytest.raises(ValueError, match="scaled in another way"):
        model.predict(images.astype("float32"), verbose=0)
    expected = model.predict(OTHER(images), verbose=0)["classes"]
    model.image_values = ImageValues("floats", -1, 1)  # as the user knows better
    close(model.predict(OTHER(images) / 2, verbose=0)["classes"].shape, expected.shape)
    by_hand = model(ops.convert_to_tensor(images / np.float32(127.5) - 1))["classes"]
    close(model.predict(images, verbose=0)["classes"], by_hand)


def test_bool_and_negative_images_are_refused():
    model = trained(SCALES["uint8"])
    images = labeled_images(2)[0]
    for given, match in (
        (images > 100, "integers of 0 to 255 or floating point. Received dtype bool"),
        (images.astype("int8"), r"must hold 0 to 255. Received: -"),
        (images.astype("int32") - 300, r"must hold 0 to 255. Received: -300"),
        (images.astype("uint16") * 200, r"must hold 0 to 255. Received: 0 to 51000"),
    ):
        with pytest.raises(ValueError, match=match):
            model.predict(given, verbose=0)
    with pytest.raises(ValueError, match="Received dtype bool: cast them"):
        keras.Model(entry := keras.Input((8, 8, 3), dtype="bool"), model(entry))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["PyDataset", "generator", "train_on_batch"])
def test_streams_teach_the_range_as_well(kind):
    images, labels = labeled_images(8)
    floats = SCALES["0..255"](images)
    model = flat_model()
    model.compile(
        keras.optimizers.SGD(1e-6),
        jit_compile=False,
        run_eagerly=kind == "train_on_batch",
    )
    model.build((None, 8, 8, 3))

    class Stream(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return floats[4 * i : 4 * i + 4], labels[4 * i : 4 * i + 4]

    if kind == "PyDataset":
        model.fit(Stream(), verbose=0, validation_data=(images, labels))
    elif kind == "generator":
        model.fit((Stream()[i] for i in range(2)), steps_per_epoch=2, verbose=0)
    else:
        model.train_on_batch(floats, labels)
    assert model.image_values == ImageValues("floats", 0, 255)
    model.run_eagerly = True
    close(
        model.predict(images, verbose=0)["classes"],
        model.predict(floats, verbose=0)["classes"],
    )


@pytest.mark.tensorflow
def test_tf_data_and_data_sets():
    import tensorflow as tf

    images, labels = labeled_images(12)
    floats = SCALES["0..1"](images)
    model = flat_model()
    model.fit(tf.data.Dataset.from_tensor_slices((floats, labels)).batch(4), verbose=0)
    assert model.image_values == ImageValues("floats", 0, 1)
    data = keras_dc3.datasets.from_arrays(
        SCALES["-1..1"](images), labels, num_classes=3, labeled=6, batch_size=3
    )
    model = flat_model()
    model.fit(data, epochs=1, verbose=0)
    assert model.image_values == ImageValues("floats", -1, 1)


def test_parts_of_a_training_set_are_scaled_alike():
    x, y = arrays("pi_model", n=6)
    x = keras.tree.map_structure(lambda part: part.astype("float32"), x)
    x["labeled"] = x["labeled"] / 255
    backbone = keras.layers.Flatten()
    model = keras_dc3.DC3Model(backbone, num_classes=3, training_steps=2)
    with pytest.raises(
        ValueError, match="0 to 255, but the 'labeled' images floats of"
    ):
        model.fit(x, y, verbose=0)


def test_training_goes_on_with_the_same_scale():
    model = trained(SCALES["uint8"])
    images, labels = labeled_images()
    model.fit(SCALES["0..255"](images), labels, batch_size=12, verbose=0)
    assert model.image_values == ImageValues("integers")
    with pytest.raises(ValueError, match="but these training images are floats of -1"):
        model.fit(SCALES["-1..1"](images), labels, verbose=0)
    model.image_values = None
    model.fit(SCALES["-1..1"](images), labels, batch_size=12, verbose=0)
    assert model.image_values == ImageValues("floats", -1, 1)


def test_rescale_that_says_something_else_is_told():
    with pytest.warns(UserWarning, match="`rescale=True` says that integer images"):
        model = trained(SCALES["0..255"], rescale=True)
    images = labeled_images(3)[0]
    close(
        model.predict(images, verbose=0)["classes"],
        model.predict(images.astype("float32"), verbose=0)["classes"],
    )


def test_files_of_before_load_and_answer_as_before(tmp_path):
    model = trained(SCALES["uint8"])
    images = labeled_images(3)[0]
    expected = model(images)["classes"]
    config, weights = model.get_config(), model.get_weights()
    del config["image_values"]
    old = keras_dc3.DC3Model.from_config(config)
    old.build_from_config({"image_shape": [8, 8, 3]})
    old.set_weights(weights)
    assert old.image_values is None
    close(old(images)["classes"], expected)
    close(old(SCALES["-1..1"](images))["classes"], expected)
    old.save(tmp_path / "old.keras")
    assert keras.saving.load_model(tmp_path / "old.keras").image_values is None


def test_mixed_precision(fitted):
    _, name = fitted
    model = trained(SCALES[name], dtype="mixed_bfloat16")
    images = labeled_images(3, seed=9)[0]
    close(
        model.predict(images, verbose=0)["classes"],
        model.predict(SCALES[name](images), verbose=0)["classes"],
    )


@pytest.mark.tensorflow
def test_every_signature_of_an_export(fitted, tmp_path):
    import tensorflow as tf

    model, name = fitted
    images = labeled_images(4, seed=9)[0]
    expected = model.predict(images, verbose=0)["classes"]
    model.export(tmp_path / "served")
    served = tf.saved_model.load(tmp_path / "served")
    as_trained = SCALES[name](images).astype("float32")
    for signature, given in (
        ("serving_default", images),
        ("serving_float", as_trained),
    ):
        answer = served.signatures[signature](images=tf.constant(given))
        close(answer["class_probabilities"], expected)
    text = (tmp_path / "served/assets.extra/keras_dc3.json").read_text()
    facts = json.loads(text)["input"]
    assert facts["trained_on"] == str(model.image_values)
    begin = "0 to 255" if name == "uint8" else name.replace("..", " to ")
    assert facts["float32"].startswith(begin)


@pytest.mark.tensorflow
def test_an_export_takes_no_bytes_where_they_mean_nothing(tmp_path):
    import tensorflow as tf

    model = trained(OTHER)
    images = OTHER(labeled_images(4, seed=9)[0])
    model.export(tmp_path / "served")
    served = tf.saved_model.load(tmp_path / "served")
    for signature in ("serving_default", "serving_float"):
        answer = served.signatures[signature](images=tf.constant(images))
        close(
            answer["class_probabilities"], model.predict(images, verbose=0)["classes"]
        )
    text = (tmp_path / "served/assets.extra/keras_dc3.json").read_text()
    assert json.loads(text)["input"]["uint8"] == "not taken"


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (("bytes",), "`kind` must be one of"),
        (("floats", 1, 0), "the lower first"),
        (("floats", 0, np.inf), "must be finite"),
        (("integers", 0, 1), "Integer images hold 0 to 255"),
    ],
)
def test_image_values_are_checked(arguments, match):
    with pytest.raises(ValueError, match=match):
        ImageValues(*arguments)
    with pytest.raises(TypeError, match=r"must be a `keras_dc3.models.ImageValues`"):
        flat_model().image_values = "uint8"


def test_training_views_are_scaled_once(make_backbone):
    """Joint passes and teachers see the same numbers as a plain pass."""
    x, y = arrays("mean_teacher", n=6)
    losses = []
    for convert in (SCALES["uint8"], SCALES["0..255"]):
        keras.utils.set_random_seed(5)
        model = keras_dc3.DC3Model(
            make_backbone(), strategy("mean_teacher"), num_classes=3, training_steps=2
        )
        model.compile(run_eagerly=True)
        model.build((None, 8, 8, 3))
        model.image_values = ImageValues("integers")
        given = keras.tree.map_structure(convert, x)
        losses.append(model.train_on_batch(given, y)[0])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
