"""STL-10 by way of TensorFlow Datasets, which makes up its images here."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import datasets
from keras_dc3.datasets.stl10 import CLASS_NAMES

pytestmark = pytest.mark.tensorflow


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the pixels of 60 images of each part are kept."""
    tfds = pytest.importorskip("tensorflow_datasets")
    folder = tmp_path_factory.mktemp("stl10")
    with tfds.testing.mock_data(num_examples=60):
        datasets.load("stl10", folder, tfds_data_dir=folder / "tfds")
    return folder


def test_all_of_it(folder):
    data = datasets.load("stl10", folder)
    assert [len(data.labeled), len(data.unlabeled), len(data.validation)] == [60] * 3
    assert data.image_shape == (96, 96, 3) and data.class_names == CLASS_NAMES
    assert data.labeled.ids[7] == "train_00007"
    assert data.unlabeled.ids[7] == "unlabelled_00007" and not data.unlabeled.has_counts
    assert (data.labeled.counts.sum(axis=1) == 1).all()
    assert (data.labels == data.labeled.majority).all()
    soft = datasets.load("stl10", folder, labels="soft").labels
    assert (soft == np.eye(10)[data.labels]).all()
    # The pixels lie in files, not in memory.
    assert isinstance(data.unlabeled._images.base, np.memmap)
    assert sorted(path.name for path in (folder / "stl10").iterdir()) == [
        f"stl10_{part}.{ending}"
        for part in ("test", "train", "unlabelled")
        for ending in ("npy", "npz")
    ]


def test_a_part_of_it(folder):
    data = datasets.load("stl10", folder, labeled=30, unlabeled=0.1, validation=None)
    assert [len(data.labeled), len(data.unlabeled)] == [30, 6]
    assert data.validation is None
    assert set(data.labels) == set(datasets.load("stl10", folder).labels)
    other = datasets.load("stl10", folder, labeled=30, unlabeled=None, seed=1)
    assert other.unlabeled is None and other.labeled.ids != data.labeled.ids
    with pytest.raises(ValueError, match="asks for 61 images but there are only 60"):
        datasets.load("stl10", folder, unlabeled=61)
    with pytest.raises(ValueError, match="not None"):
        datasets.load("stl10", folder, labeled=None)


def test_without_tfds_and_without_files(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match="pip install tensorflow-datasets"):
        datasets.load("stl10", tmp_path)


def test_described(folder, capsys):
    about = datasets.describe(datasets.load("stl10", folder))
    assert np.isnan(about.total.ambiguous) and about.total.annotations_per_image == 1
    assert "No image was annotated twice" in capsys.readouterr().out


@pytest.mark.slow
def test_f1_is_reported_and_d_is_not(folder):
    """One label per image: nothing says how much people differ."""
    data = datasets.load(
        "stl10", folder, labeled=20, unlabeled=0.2, validation=20, batch_size=10
    )
    layers = keras.layers
    backbone = keras.Sequential(
        [layers.Conv2D(4, 5, strides=8), layers.GlobalAveragePooling2D()]
    )
    model = keras_dc3.DC3Model(backbone, ssl="pi_model", training_steps=2)
    model.fit(data, epochs=1, steps_per_epoch=1, verbose=0)
    labels = data.validation.majority
    scores = model.evaluate(data.validation.images, labels, verbose=0, return_dict=True)
    assert "f1" in scores and not {"d", "d_minus_f1"} & set(scores)
