"""What is no array of images is refused by one sentence, at every door."""

import keras
import numpy as np
import pytest
from keras import ops

from tests.models.helpers import make_model

DOORS = {
    "predict": lambda model, x: model.predict(x, verbose=0),
    "predict_on_batch": lambda model, x: model.predict_on_batch(x),
    "embed": lambda model, x: model.embed(x, verbose=0),
    "propose": lambda model, x: model.propose(x, ids=["a", "b"], verbose=0),
    "call": lambda model, x: model(x),
}


@pytest.fixture(scope="module")
def model():
    layers = keras.layers

    def backbone():
        return keras.Sequential([layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()])

    return make_model(backbone, compile={"run_eagerly": True})


def images(n=2, dtype="uint8"):
    return np.random.default_rng(0).integers(0, 256, (n, 8, 8, 3)).astype(dtype)


def table():
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame({"image": ["a.png", "b.png"], "label": [0, 1]})


BAD = {
    "one image": (lambda: images()[0], r"must have shape .* pass `image\[None\]`"),
    "another size": (lambda: images()[:, :4], "resize them"),
    "table": (table, "Received: a DataFrame, whose rows are no images"),
    "objects": (
        lambda: np.array([images()[0], images()[0, :4]], dtype=object),
        r"2 Python objects, such as images of several sizes.*`np.stack`",
    ),
    "text": (lambda: np.array(["a.png", "b.png"]), "Received: text, such as file name"),
    "NaN": (lambda: images() * np.float32(np.nan), "hold NaN or infinity in 2 of 2"),
    "too large": (
        lambda: images().astype("float64") * 1e40,
        r"too large for float32, up to 2.5\de\+42 \(float64\)",
    ),
    "bool": (lambda: images() > 100, "Received dtype bool"),
    "complex": (lambda: images() * 1j, "Received dtype complex"),
    "negative": (lambda: images().astype("int8"), "must hold 0 to 255. Received: -"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("kind", BAD)
def test_bad_images(model, door, kind):
    make, match = BAD[kind]
    with pytest.raises(ValueError, match=match) as error:
        DOORS[door](model, make())
    assert str(error.value).count("Received") <= 1


@pytest.mark.parametrize("door", ["predict", "predict_on_batch", "embed", "call"])
def test_what_is_no_array(model, door):
    for given, match in (
        (None, r"array or tensor of shape \(n, height.* Received: None\.$"),
        (images().tolist(), "Received: a list; `np.stack` makes an array"),
        ("folder", "Received: a str;"),
        (3, "Received: a int;"),
    ):
        with pytest.raises(ValueError, match=match):
            DOORS[door](model, given)
    if door in ("predict", "embed"):
        with pytest.raises(ValueError, match=r"a dict with \['labeled'\]"):
            DOORS[door](model, {"labeled": images()})


def test_no_image_has_no_answer(model):
    shapes = {"classes": (0, 3), "clusters": (0, 15), "ambiguity": (0,)}
    for door in ("predict", "predict_on_batch", "call"):
        outputs = DOORS[door](model, images(0))
        assert {name: tuple(v.shape) for name, v in outputs.items()} == shapes
    assert model.embed(images(0), verbose=0).shape == (0, 4)
    with pytest.raises(ValueError, match="There is no image to propose for"):
        model.propose(images(0), ids=[], verbose=0)
    with pytest.raises(ValueError, match="There is no image to evaluate on"):
        model.evaluate(images(0), np.zeros(0, "int32"), verbose=0)


def test_tensors_and_other_floats_are_images_too(model):
    expected = model.predict(images(), verbose=0)["classes"]
    tensor = ops.convert_to_tensor(images())
    scaled = images() / 127.5 - 1
    for given in (tensor, scaled, scaled.astype("float32")):
        for door in ("predict", "predict_on_batch", "call"):
            found = ops.convert_to_numpy(DOORS[door](model, given)["classes"])
            np.testing.assert_allclose(found, expected, atol=1e-5)
    half = ops.cast(scaled, "bfloat16")
    np.testing.assert_allclose(
        model.predict(half, verbose=0)["classes"], expected, atol=0.02
    )


def test_ids_that_occur_twice_are_found_before_any_pass(model, monkeypatch):
    passes = []
    monkeypatch.setattr(
        type(model), "network_outputs", lambda *args, **kwargs: passes.append(args)
    )

    class Part:
        ids = ["a", "b", "a"]

        def image_batches(self, batch_size):
            yield images(3)

    batches = [{"image": images(2), "id": ["x", "y"]}] * 2
    for given, ids, match in (
        (images(3), ["a", "b", "a"], "'a' stands at positions 0 and 2"),
        (Part(), None, "'a' stands at positions 0 and 2"),
        ([{"image": images(2), "id": [b"x", "x"]}], None, "'x' stands at positions 0"),
    ):
        with pytest.raises(ValueError, match=match):
            model.propose(given, ids=ids, verbose=0)
    assert not passes
    monkeypatch.undo()
    read = []

    def stream():
        for batch in (*batches, *batches):
            read.append(batch)
            yield batch

    with pytest.raises(ValueError, match="'x' stands at positions 0 and 2"):
        model.propose(stream(), verbose=0)
    assert len(read) == 2
