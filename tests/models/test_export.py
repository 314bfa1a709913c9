"""The exported model, alone in a process without keras_dc3."""

import base64
import io
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.backbones import small_cnn
from tests.models.helpers import arrays, litert, make_model, strategy
from tests.models.rest import serving

pytestmark = pytest.mark.tensorflow

NAMES = ["ring", "bar", "not sure / other"]
INT8 = {"format": "litert", "quantize": "int8"}
OUTPUTS = {
    "class_probabilities": "classes",
    "cluster_probabilities": "clusters",
    "ambiguity": "ambiguity",
}

SERVE = """
import sys
import numpy as np
import tensorflow as tf

folder, npz = sys.argv[1:]
sys.modules["keras_dc3"] = None  # importing it would fail
loaded = tf.saved_model.load(folder)
data = np.load(npz)
answers = {}
for n in (1, 7):
    for turn in (0, 1):
        for key, name in (("uint8", "serving_default"), ("float32", "serving_float")):
            images = tf.constant(data[key][:n])
            out = loaded.signatures[name](images=images)
            same = loaded.serve(images)
            for output, value in out.items():
                assert (value.numpy() == same[output].numpy()).all()
                answers[f"{key}/{n}/{turn}/{output}"] = value.numpy()
names = loaded.signatures["class_names"]()["class_names"].numpy()
answers["names"] = np.array([name.decode() for name in names])
np.savez(npz + ".answers.npz", **{k: v.astype(str) if v.dtype == object else v
                                  for k, v in answers.items()})
"""


@pytest.fixture(scope="module")
def trained():
    keras.utils.set_random_seed(1)
    layers = keras.layers
    backbone = keras.Sequential(
        [
            layers.RandomFlip(),  # must not go along into serving
            layers.Normalization(mean=[0.1] * 3, variance=[0.9] * 3),  # no variables
            layers.Conv2D(8, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.Dropout(0.5),
            layers.GlobalAveragePooling2D(),
        ]
    )
    x, y = arrays("fixmatch")
    model = make_model(
        lambda: backbone, strategy("fixmatch", threshold=0.4), class_names=NAMES
    )
    model.fit(x, y, batch_size=8, verbose=0)
    # Spread p_a to both sides of 0.5, so that both decisions occur.
    head = model.network.ambiguity_head
    outputs = model.predict(x["labeled"][:7], verbose=0)
    largest = outputs["classes"].max(axis=-1).astype("float64")
    median = np.median(np.log((1 - largest) / largest)) + 1e-3
    head.set_weights([np.float32(1), np.float32(-median)])
    model.average.reset(model.network)
    return model, x["labeled"][:7]


@pytest.fixture(scope="module")
def saved_model(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("export") / "dc3" / "1"
    trained[0].export(folder)
    return folder


@pytest.mark.slow
def test_saved_model_in_a_process_without_keras_dc3(trained, saved_model, tmp_path):
    model, images = trained
    npz = tmp_path / "images.npz"
    np.savez(npz, uint8=images, float32=images.astype("float32"))
    subprocess.run(
        [sys.executable, "-c", SERVE, saved_model, npz],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    answers = np.load(f"{npz}.answers.npz")
    expected = model.predict(images, verbose=0)
    for key in ("uint8", "float32"):
        for n in (1, 7):
            for turn in (0, 1):
                for output, ours in OUTPUTS.items():
                    answer = answers[f"{key}/{n}/{turn}/{output}"]
                    np.testing.assert_allclose(answer, expected[ours][:n], atol=1e-5)
                decision = answers[f"{key}/{n}/{turn}/decision"]
                p_a = expected["ambiguity"][:n]
                assert (decision == np.where(p_a < 0.5, "certain", "ambiguous")).all()
    assert set(answers["uint8/7/0/decision"]) == {"certain", "ambiguous"}
    assert answers["names"].tolist() == NAMES
    facts = json.loads((saved_model / "assets.extra/keras_dc3.json").read_text())
    assert facts["class_names"] == NAMES
    assert facts["input"]["uint8"] == "0 to 255"
    assert facts["input"]["shape"] == [None, 8, 8, 3]
    assert len(facts["cluster_names"]) == facts["num_clusters"] == 15


def test_saved_model_as_a_keras_layer(trained, saved_model):
    model, images = trained
    layer = keras.layers.TFSMLayer(saved_model, call_endpoint="serving_default")
    np.testing.assert_allclose(
        layer(images)["class_probabilities"],
        model.predict(images, verbose=0)["classes"],
        atol=1e-5,
    )


def test_onnx(trained, tmp_path):
    pytest.importorskip("tf2onnx", reason="needs keras_dc3[onnx]")
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs keras_dc3[onnx]")
    model, images = trained
    model.export(tmp_path / "model.onnx", format="onnx")
    session = onnxruntime.InferenceSession(tmp_path / "model.onnx")
    assert [i.name for i in session.get_inputs()] == ["images"]
    names = [o.name for o in session.get_outputs()]
    expected = model.predict(images, verbose=0)
    for n in (1, 7, 7):
        values = session.run(None, {"images": images[:n]})
        answer = dict(zip(names, values, strict=True))
        for output, ours in OUTPUTS.items():
            np.testing.assert_allclose(answer[output], expected[ours][:n], atol=1e-4)
        p_a = expected["ambiguity"][:n]
        words = np.where(p_a < 0.5, "certain", "ambiguous")
        assert (answer["decision"] == words).all()
    facts = session.get_modelmeta().custom_metadata_map
    assert json.loads(facts["class_names"]) == NAMES
    assert json.loads(facts["input"])["uint8"] == "0 to 255"


def asked(address, body=None):
    """The status and the answer of a server to a request."""
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(address, data) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def test_what_a_server_of_models_answers(trained, saved_model):
    """The requests of TensorFlow Serving: rows of images, rows of files, columns."""
    model, images = trained
    expected = model.predict(images, verbose=0)
    image = pytest.importorskip("PIL.Image")
    with serving(saved_model.parent, "dc3") as address:
        status, told = asked(address)
        assert status == 200
        assert told["model_version_status"][0]["state"] == "AVAILABLE"

        for n in (1, 7):
            body = {"instances": images[:n].tolist()}
            status, told = asked(f"{address}:predict", body)
            assert status == 200 and len(told["predictions"]) == n
            rows = told["predictions"]
            check({key: [row[key] for row in rows] for key in rows[0]}, expected, n)
        _, told = asked(f"{address}/versions/1:predict", {"inputs": images.tolist()})
        check(told["outputs"], expected, 7)

        files = [io.BytesIO() for _ in images]
        for file, pixels in zip(files, images, strict=True):
            image.fromarray(pixels).save(file, "PNG")
        texts = [base64.b64encode(file.getvalue()).decode() for file in files]
        for rows in (
            [{"b64": text} for text in texts],
            [{"image_bytes": {"b64": text}} for text in texts],
        ):
            body = {"signature_name": "serving_bytes", "instances": rows}
            status, told = asked(f"{address}:predict", body)
            assert status == 200
            rows = told["predictions"]
            check({key: [row[key] for row in rows] for key in rows[0]}, expected, 7)
            found = [NAMES[k] for k in expected["classes"].argmax(axis=1)]
            assert [row["class_name"] for row in rows] == found

        other = {**body, "instances": ["fish"]}
        for path, request, status, match in (
            (":predict", {"instances": [[[1]]]}, 400, "expected shape [?,8,8,3]"),
            (":predict", {"instances": ["fish"]}, 400, "not of expected type: uint8"),
            (":predict", {"signature_name": "best", "inputs": []}, 400, "not found"),
            (":predict", {"images": []}, 400, "expecting one of 'inputs'"),
            (":predict", other, 400, "a JPEG or PNG file"),
            ("/versions/2:predict", other, 404, "Servable not found"),
        ):
            found, told = asked(address + path, request)
            assert found == status and match in told["error"], told


def check(answer, expected, n):
    """Answers to n images are those of `predict`, to 1e-4, in words, too."""
    for output, ours in OUTPUTS.items():
        np.testing.assert_allclose(answer[output], expected[ours][:n], atol=1e-4)
    ambiguity = expected["ambiguity"][:n]
    words = np.where(ambiguity < 0.5, b"certain", b"ambiguous")
    words = np.where(np.isnan(ambiguity), b"invalid", words)
    assert (np.asarray(answer["decision"], "S") == words).all()


def test_litert(trained, tmp_path):
    model, images = trained
    path = str(tmp_path / "model.tflite")
    model.export(path, format="litert")
    assert [file.name for file in tmp_path.iterdir()] == ["model.tflite"]
    expected = model.predict(images, verbose=0)
    answer = litert(path)
    for n in (1, 7, 1):
        check(answer(images=images[:n]), expected, n)
    with zipfile.ZipFile(path) as archive:
        assert archive.read("labels.txt").decode().splitlines() == NAMES
        facts = json.loads(archive.read("keras_dc3.json"))
    assert facts["class_names"] == NAMES and facts["input"]["uint8"] == "0 to 255"
    for other in (images[:, :5], images[:, :, :5], np.repeat(images, 2, axis=1)):
        with pytest.raises(RuntimeError, match="CONCATENATION"):
            answer(images=other)
    check(litert(path)(images=images), expected, 7)


def test_litert_of_integers(trained, tmp_path):
    """The backbone is of integers, the heads are not; answers are nearly the same."""
    model, images = trained
    path = str(tmp_path / "model.tflite")
    model.export(path, "litert", quantize="int8", representative=images)
    expected, answer = model.predict(images, verbose=0), litert(path)
    for n in (1, 7):
        found = answer(images=images[:n])
        assert {name: found[name].dtype.kind for name in OUTPUTS} == dict.fromkeys(
            OUTPUTS, "f"
        )
        for output, ours in OUTPUTS.items():
            off = np.abs(found[output] - expected[ours][:n])
            assert 0 < off.max() < 0.1, output  # 1e-7 where nothing is of integers
    with pytest.raises(RuntimeError, match="CONCATENATION"):
        answer(images=images[:, :5])
    with zipfile.ZipFile(path) as archive:
        facts = json.loads(archive.read("keras_dc3.json"))
    assert facts["quantized"].startswith("int8")


def joined():
    """A model of images that is a frozen backbone and what saw its features."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (24, 12, 10, 3)).astype("uint8")
    counts = rng.multinomial(5, [0.5, 0.3, 0.2], size=24)
    data = keras_dc3.datasets.from_arrays(
        images, counts, labeled=12, unlabeled=12, validation=None
    )
    backbone = keras_dc3.backbones.from_model(small_cnn((12, 10, 3), filters=24))
    features = data.embed(backbone, 0, 0, verbose=0)
    head = keras_dc3.backbones.feature_mlp(features.image_shape, 8)
    model = keras_dc3.DC3Model(head, num_classes=3, training_steps=3)
    model.fit(features, epochs=1, verbose=0)
    return model, model.with_image_backbone(), images[:9]


def of_arrays(backbone, scale, shape, **options):
    """A model trained on whatever arrays, and such ones."""
    options = {"num_classes": 3, "training_steps": 3, **options}
    model = keras_dc3.DC3Model(backbone, **options)
    x, y = arrays("mean_teacher", size=20)
    x = keras.tree.map_structure(lambda part: scale(np.resize(part, (24, *shape))), x)
    model.fit(x, y, batch_size=8, verbose=0)
    return model, model, x["labeled"][:9]


def of_images(channels, scale=np.asarray, **options):
    keras.utils.set_random_seed(0)
    shape = (12, 10, channels)
    return of_arrays(small_cnn(shape, filters=24), scale, shape, **options)


def of_features():
    backbone = keras_dc3.backbones.feature_mlp(4, 8)
    return of_arrays(backbone, lambda part: np.float32(part / 99 - 1), (4,))


KINDS = {
    "linear, gray": lambda: of_images(1, config=keras_dc3.DC3Config.reference()),
    "prototypes, color": lambda: of_images(3),
    "joined": joined,
    "floats": lambda: of_images(3, lambda part: np.float32(part / 99 - 1)),
    "features": of_features,
}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:This training ends after")
@pytest.mark.parametrize("kind", KINDS)
def test_all_formats_answer_alike(kind, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs keras_dc3[onnx]")
    model, of_pixels, given = KINDS[kind]()
    expected = of_pixels.predict(given, verbose=0)
    if given.dtype.kind == "f":
        for values in (given, *expected.values()):
            values[3] = np.nan
    path, name = str(tmp_path / "model"), "features" if given.ndim == 2 else "images"
    model.export(path)
    model.export(f"{path}.onnx", format="onnx")
    model.export(f"{path}.tflite", format="litert")
    served = keras.layers.TFSMLayer(path, call_endpoint="serving_default")
    session = onnxruntime.InferenceSession(f"{path}.onnx")
    names = [output.name for output in session.get_outputs()]
    answer = litert(f"{path}.tflite")
    for n in (1, 9):
        check(served(given[:n]), expected, n)
        values = session.run(None, {name: given[:n]})
        check(dict(zip(names, values, strict=True)), expected, n)
        check(answer(**{name: given[:n]}), expected, n)
    if given.dtype == "uint8":
        model.export(f"{path}8.tflite", **INT8, representative=given)
        found = litert(f"{path}8.tflite")(images=given)["class_probabilities"]
        assert 0 < np.abs(found - expected["classes"]).max() < 0.1


@pytest.mark.slow
def test_a_second_export_replaces_the_first_and_nothing_else(trained, tmp_path):
    model, _ = trained
    model.export(tmp_path / "served")
    model.export(tmp_path / "served")
    (tmp_path / "served" / "notes.txt").write_text("mine")
    with pytest.raises(ValueError, match=r"'notes\.txt', .* They would be lost"):
        model.export(tmp_path / "served")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["served"]
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "thesis.txt").write_text("two years of work")
    with pytest.raises(ValueError, match="files that are no SavedModel"):
        model.export(tmp_path / "notes")
    assert (tmp_path / "notes" / "thesis.txt").read_text() == "two years of work"
    with pytest.raises(ValueError, match="is a file; a SavedModel is a folder"):
        model.export(tmp_path / "notes" / "thesis.txt")


@pytest.mark.slow
def test_mixed_float16_and_loaded_models_export(make_backbone, tmp_path):
    model = make_model(make_backbone, dtype="mixed_float16")
    x, _ = arrays("pi_model", n=4)
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras")
    loaded.export(tmp_path / "served")
    layer = keras.layers.TFSMLayer(tmp_path / "served", call_endpoint="serving_default")
    answer = layer(x["labeled"])
    np.testing.assert_allclose(
        answer["class_probabilities"],
        model.predict(x["labeled"], verbose=0)["classes"],
        atol=1e-5,
    )


@pytest.mark.parametrize("format", ["tf_saved_model", "onnx", "litert", "openvino"])
def test_export_before_training_is_refused(format, tmp_path):
    model = keras_dc3.DC3Model(keras.layers.Flatten(), num_classes=3)
    with pytest.raises(ValueError, match="not built yet, so there is nothing to"):
        model.export(tmp_path / "served", format)


SHOWN = np.zeros((2, 8, 8, 3), "uint8")


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"format": "tflite"}, r"`format` must be one of .*'litert'.*format='tflite'"),
        ({"representative": SHOWN}, r"takes no \['representative'\] .*\['fit'"),
        ({"fit": "stretch", "name": "model"}, "`fit` must be one of"),
        ({"format": "onnx", "fit": "pad"}, r"takes no \['fit'\] for .* 'onnx'"),
        ({**INT8, "quantize": "int4"}, "`quantize` must be one of"),
        (INT8, "pass `representative=`, some hundred images"),
        ({**INT8, "representative": "fish"}, "must be an array.*Received: a str"),
        ({**INT8, "representative": SHOWN[:, 1:]}, r"`representative`: .*\(7, 8, 3\)"),
        ({**INT8, "representative": SHOWN[0]}, r"`representative`: .*\(8, 8, 3\)"),
        ({**INT8, "representative": SHOWN[:0]}, "holds no image"),
        ({**INT8, "representative": SHOWN - 1.5}, "`representative`: .*another way"),
        ({"format": "litert", "representative": SHOWN}, "pass both"),
        ({"format": "litert", "name": "model"}, "must end with '.tflite'"),
        ({"format": "onnx", "name": "answers.csv"}, "must end with '.onnx'"),
        ({"name": "m.onnx"}, "called as a file of the format 'onnx': pass `format='on"),
    ],
)
def test_what_cannot_be_exported_is_said(trained, tmp_path, options, match):
    path = tmp_path / options.get("name", "model.tflite")
    options = {name: value for name, value in options.items() if name != "name"}
    with pytest.raises(ValueError, match=match):
        trained[0].export(path, **options)
    assert not [*tmp_path.iterdir()]


def test_features_are_not_made_integers(tmp_path):
    backbone = keras_dc3.backbones.feature_mlp(4, 8)
    model = keras_dc3.DC3Model(backbone, num_classes=3)
    model.build((None, 4))
    with pytest.raises(
        ValueError, match=r"this one takes 4 features.*without `quantize`"
    ):
        model.export(tmp_path / "a.tflite", **INT8, representative=np.zeros((2, 4)))


@pytest.mark.parametrize("package", ["onnx", "tf2onnx"])
def test_a_missing_package_is_named(trained, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"{package}.*keras_dc3\[onnx\]"):
        trained[0].export(tmp_path / "model.onnx", format="onnx")
    assert not [*tmp_path.iterdir()]


def test_an_unwritable_folder_is_told(trained):
    with pytest.raises(OSError, match="cannot be written to"):
        trained[0].export("/proc/served")
