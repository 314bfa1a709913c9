"""The exported model, alone in a process without keras_dc3."""

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_dc3
from tests.models.helpers import arrays, make_model, strategy

pytestmark = pytest.mark.tensorflow

NAMES = ["ring", "bar", "not sure / other"]
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


def test_saved_model_in_a_process_without_keras_dc3(trained, tmp_path):
    model, images = trained
    model.export(tmp_path / "served")
    npz = tmp_path / "images.npz"
    np.savez(npz, uint8=images, float32=images.astype("float32"))
    subprocess.run(
        [sys.executable, "-c", SERVE, tmp_path / "served", npz],
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
    facts = json.loads((tmp_path / "served/assets.extra/keras_dc3.json").read_text())
    assert facts["class_names"] == NAMES
    assert facts["input"]["uint8"] == "0 to 255"
    assert facts["input"]["shape"] == [None, 8, 8, 3]
    assert len(facts["cluster_names"]) == facts["num_clusters"] == 15


def test_saved_model_as_a_keras_layer(trained, tmp_path):
    model, images = trained
    model.export(tmp_path / "served")
    layer = keras.layers.TFSMLayer(tmp_path / "served", call_endpoint="serving_default")
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


@pytest.mark.slow
def test_a_second_export_replaces_the_first_and_nothing_else(trained, tmp_path):
    model, _ = trained
    model.export(tmp_path / "served")
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


def test_export_before_training_is_refused(tmp_path):
    model = keras_dc3.DC3Model(keras.layers.Flatten(), num_classes=3)
    with pytest.raises(ValueError, match="not built yet, so there is nothing to"):
        model.export(tmp_path / "served")


def test_an_unwritable_folder_is_told(trained):
    with pytest.raises(OSError, match="cannot be written to"):
        trained[0].export("/proc/served")
