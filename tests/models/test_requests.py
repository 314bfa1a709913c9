"""An exported model goes on to answer, whatever a request brings."""

import keras
import numpy as np
import pytest

import keras_dc3

pytestmark = pytest.mark.tensorflow
SHAPE = (12, 12, 3)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    backbone = keras.Sequential(
        [
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.MaxPooling2D(),
            keras.layers.GlobalAveragePooling2D(),
        ]
    )
    model = keras_dc3.DC3Model(
        backbone,
        ssl="supervised",
        num_classes=3,
        config=keras_dc3.DC3Config.vanilla(),
        training_steps=2,
    )
    images = np.random.default_rng(0).integers(0, 256, (8, *SHAPE)).astype("uint8")
    model.fit(images, np.arange(8) % 3, batch_size=8, verbose=0)
    return model


@pytest.fixture(scope="module")
def served(model, tmp_path_factory):
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("export") / "served"
    model.export(folder)
    return tf.saved_model.load(folder).signatures


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (3, *SHAPE)).astype("uint8")


@pytest.mark.parametrize(
    ("signature", "dtype"), [("serving_default", "uint8"), ("serving_float", "float32")]
)
def test_requests_of_another_shape(model, served, images, signature, dtype):
    """Each is an error that says both shapes; the next request is answered."""
    import tensorflow as tf

    serve = served[signature]
    expected = model.predict(images, verbose=0)
    for shape in ((12, 12, 3), (1, 9, 9, 3), (1, 12, 12, 1), (12,), (), (1,) * 5):
        given = ",".join(map(str, shape))
        match = rf"images.* \[{given}\] is not compatible with .* \[\?,12,12,3\]"
        with pytest.raises(tf.errors.InvalidArgumentError, match=match):
            serve(images=tf.zeros(shape, dtype))
        answer = serve(images=tf.constant(images.astype(dtype)))
        np.testing.assert_allclose(
            answer["class_probabilities"], expected["classes"], atol=1e-5
        )
    empty = serve(images=tf.zeros((0, *SHAPE), dtype))
    shapes = {name: tuple(value.shape) for name, value in empty.items()}
    assert shapes == {
        "class_probabilities": (0, 3),
        "cluster_probabilities": (0, 15),
        "ambiguity": (0,),
        "decision": (0,),
    }


def test_the_signature_still_says_its_shape(served):
    (spec,) = served["serving_default"].structured_input_signature[1].values()
    assert spec.shape.as_list() == [None, *SHAPE] and spec.dtype == "uint8"


@pytest.mark.parametrize("bad", [np.nan, np.inf, "scaled"])
def test_an_image_without_an_answer(model, served, images, bad):
    import tensorflow as tf

    floats = images.astype("float32")
    if bad == "scaled":
        floats[1] = floats[1] / 255
    else:
        floats[1, 4, 4, 0] = bad
    answer = served["serving_float"](images=tf.constant(floats))
    expected = model.predict(images, verbose=0)
    for name, ours in (("class_probabilities", "classes"), ("ambiguity", "ambiguity")):
        value = answer[name].numpy()
        assert np.isnan(value[1]).all()
        np.testing.assert_allclose(value[[0, 2]], expected[ours][[0, 2]], atol=1e-5)
    assert answer["decision"].numpy()[1] == b"invalid"
    assert set(answer["decision"].numpy()[[0, 2]]) <= {b"certain", b"ambiguous"}


def test_onnx_requests(model, images, tmp_path):
    pytest.importorskip("tf2onnx", reason="needs keras_dc3[onnx]")
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs keras_dc3[onnx]")
    model.export(tmp_path / "model.onnx", format="onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    for shape in ((12, 12, 3), (1, 9, 9, 3)):
        with pytest.raises(Exception, match=r"[Ii]nvalid"):
            session.run(None, {"images": np.zeros(shape, "uint8")})
    names = [output.name for output in session.get_outputs()]
    values = session.run(None, {"images": np.zeros((0, *SHAPE), "uint8")})
    assert {
        name: value.shape[0] for name, value in zip(names, values, strict=True)
    } == (dict.fromkeys(names, 0))
    values = session.run(None, {"images": images})
    found = dict(zip(names, values, strict=True))["class_probabilities"]
    expected = model.predict(images, verbose=0)["classes"]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_graph_of_floats_as_onnx(images, tmp_path):
    """Images of a range that bytes mean nothing in; NaN is answered with NaN."""
    pytest.importorskip("tf2onnx", reason="needs keras_dc3[onnx]")
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs keras_dc3[onnx]")
    floats = (images - np.float32(120)) / np.float32(60)
    model = keras_dc3.DC3Model(
        keras.layers.Flatten(),
        ssl="supervised",
        num_classes=3,
        config=keras_dc3.DC3Config.vanilla(),
        training_steps=2,
    )
    model.fit(floats, np.arange(3), verbose=0)
    expected = model.predict(floats, verbose=0)["classes"]
    model.export(tmp_path / "model.onnx", format="onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    floats[1, 2, 2, 0] = np.nan
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(None, {"images": floats}), strict=True))
    assert np.isnan(found["class_probabilities"][1]).all()
    assert found["decision"].tolist()[1] == "invalid"
    np.testing.assert_allclose(
        found["class_probabilities"][[0, 2]], expected[[0, 2]], atol=1e-5
    )
