"""Data sets of TensorFlow Datasets, which is made up here."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from keras_dc3 import datasets
from keras_dc3.datasets.from_tfds import read_tfds

NAMES = ["cod", "ling"]


class Examples(list):
    """A data set that may announce another length than it has."""

    length = None

    def __len__(self):
        return super().__len__() if self.length is None else self.length


@pytest.fixture
def serve(monkeypatch):
    """Makes `tfds.load` return examples of these features."""

    def put(examples, features, length=None):
        examples = Examples(examples)
        examples.length = length

        def load(name, split, data_dir, with_info):
            assert with_info
            return examples, SimpleNamespace(features=features)

        fake = SimpleNamespace(load=load, as_numpy=lambda dataset: dataset)
        monkeypatch.setitem(sys.modules, "tensorflow_datasets", fake)

    return put


def example(i, **more):
    return {"image": np.full((4, 5, 1), i, "uint8"), **more}


LABEL = {"image": None, "label": SimpleNamespace(names=NAMES)}


def test_one_label_per_image(serve):
    serve([example(i, label=i % 3 - 1) for i in range(30)], LABEL)
    images = read_tfds("fish", "train[:30]")
    assert images.class_names == tuple(NAMES) and images.ids[3] == "train[:30]_00003"
    assert images.majority.tolist() == [-1, 0, 1] * 10
    assert images.read([7])[0, 0, 0, 0] == 7
    data = datasets.from_tfds("fish", "train[:30]", validation=4, batch_size=8)
    assert [len(data.labeled), len(data.unlabeled), len(data.validation)] == [16, 10, 4]
    assert data.batch_size == 8 and data.name == "fish"


@pytest.mark.parametrize("labels", ["soft", "sampled", None])
def test_how_labels_are_made_of_counts(serve, labels):
    features = {**LABEL, "counts": None}
    counts = np.tile([[3, 1], [1, 3]], (10, 1))
    serve([example(i, label=0, counts=counts[i]) for i in range(20)], features)
    sizes = {"labeled": 12, "unlabeled": 4, "validation": 4}
    data = datasets.from_tfds("fish", labels=labels, seed=1, **sizes)
    shares = data.labeled.counts / 4
    if labels == "sampled":
        assert data.labels.shape == (12,) and set(data.labels) == {0, 1}
        assert not np.array_equal(data.labels, shares.argmax(axis=1))
    else:  # "soft" is the default, where people may disagree
        np.testing.assert_array_equal(data.labels, shares.astype("float32"))
    serve([example(i, label=0, counts=counts[i]) for i in range(20)], features)
    with pytest.raises(ValueError, match=r"`labels` must be one of .*'majority'"):
        datasets.from_tfds("fish", labels="majority", **sizes)


@pytest.mark.parametrize("cached", [True, False])
def test_counts_and_ids(serve, tmp_path, cached):
    features = {**LABEL, "votes": None, "file": None}
    counts = np.array([[3, 0], [1, 2], [0, 0]])
    serve(
        [
            example(i, label=0, votes=counts[i], file=f"é {i}".encode())
            for i in range(3)
        ],
        features,
    )
    read = {"counts": "votes", "ids": "file", "cache": tmp_path if cached else None}
    for _ in range(2):
        images = read_tfds("fish", "train", **read)
        assert images.ids == ("é 0", "é 1", "é 2")
        assert images.counts.tolist() == counts.tolist()
        assert images.class_names == tuple(NAMES)
        if cached:
            serve(None or [], {})  # not asked again


def test_what_does_not_fit_is_told(serve, tmp_path):
    with pytest.raises(ValueError, match=r"no feature 'image'. It has \['picture'\]"):
        serve([], {"picture": None})
        read_tfds("fish", "train")
    with pytest.raises(ValueError, match=r"There is no image in 'fish' \(train\)"):
        serve([], LABEL)
        read_tfds("fish", "train")
    other = {"image": np.zeros((4, 6, 1), "uint8"), "label": 0}
    for cache in (None, tmp_path):
        with pytest.raises(ValueError, match=r"number 1 is uint8 \(4, 6, 1\)"):
            serve([example(0, label=0), other], LABEL)
            read_tfds("fish", "train", cache=cache)
        with pytest.raises(ValueError, match="must lie in"):
            serve([example(0, label=2)], LABEL)
            read_tfds("fish", "train")
    with pytest.raises(ValueError, match="announced 3 images and gave 2"):
        serve([example(0, label=0), example(1, label=1)], LABEL, length=3)
        read_tfds("fish", "train", cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_without_tfds(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", None)
    with pytest.raises(ImportError, match="pip install tensorflow-datasets"):
        read_tfds("fish", "train")
