"""What labeled images are trained on: all their answers, or one of them."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import Annotations, datasets
from keras_dc3.annotations import SparseCounts
from keras_dc3.data import ImageSet, SemiSupervisedData, training_labels

NAMES = ["cod", "eel", "ray"]
COUNTS = [[2, 1, 0], [0, 3, 0], [1, 0, 1], [0, 0, 2], [1, 1, 1], [3, 0, 7]]


def image_set(counts, ids=None):
    images = np.zeros((len(counts), 4, 4, 3), "uint8")
    images[:, 0, 0, 0] = np.arange(len(counts))
    ids = [f"{i:03}" for i in range(len(counts))] if ids is None else ids
    return ImageSet(images, ids, np.asarray(counts), NAMES)


def split(counts, labels=None, labeled=None, **kwargs):
    whole = image_set(counts)
    labeled = range(len(counts)) if labeled is None else labeled
    parts = {"labeled": [whole.ids[i] for i in labeled]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # answered images that are unused
        return SemiSupervisedData.from_image_set(
            whole, split=parts, labels=labels, **kwargs
        )


def test_soft_labels_are_the_shares_of_the_answers():
    for labels in ("soft", None):
        data = split(COUNTS, labels)
        assert data.labels.dtype == np.float32
        expected = np.array(COUNTS) / np.sum(COUNTS, axis=1, keepdims=True)
        np.testing.assert_allclose(data.labels, expected, rtol=1e-6)


@given(st.integers(0, 50))
def test_sampled_labels_are_those_of_the_seed(seed):
    data = split(COUNTS, "sampled", seed=seed)
    assert data.labels.tolist() == data.labeled.sample_hard_labels(seed).tolist()
    assert (np.array(COUNTS)[np.arange(len(COUNTS)), data.labels] > 0).all()


def test_the_default_asks_the_labeled_images_alone():
    one = np.eye(3, dtype=int)[[0, 1, 2, 0]].tolist()
    assert split(one).labels.tolist() == [0, 1, 2, 0]
    several = [*one, [2, 1, 0]]
    assert split(several, labeled=range(4)).labels.ndim == 1
    assert split(several).labels.shape == (5, 3)
    assert split([*one, [2, 0, 0]]).labels.shape == (5, 3)  # two who agree
    shares = [[1.0, 0, 0], [0, 1.0, 0], [0.5, 0.25, 0.25]]
    assert split(shares).labels.tolist() == shares  # of who knows how many answers


def test_every_door_takes_it():
    rng = np.random.default_rng(0)
    counts = rng.multinomial(3, [0.5, 0.3, 0.2], 30)
    images = rng.integers(0, 256, (30, 4, 4, 3)).astype("uint8")
    features = rng.normal(size=(30, 5)).astype("float32")
    answers = Annotations.from_counts(
        counts, ids=[str(i) for i in range(30)], class_names=NAMES
    )
    options = {"labeled": 12, "validation": 6, "seed": 3}
    doors = {
        "arrays": lambda **o: datasets.from_arrays(images, counts, **options, **o),
        "features": lambda **o: datasets.from_embeddings(
            features, answers, **options, **o
        ),
    }
    for make in doors.values():
        soft, sampled = make(labels="soft"), make(labels="sampled")
        assert soft.labeled.ids == sampled.labeled.ids
        assert soft.labels.shape == (len(soft.labeled), soft.num_classes)
        np.testing.assert_array_equal(soft.labels, soft.labeled.soft_labels)
        assert sampled.labels.ndim == 1
        np.testing.assert_array_equal(make().labels, soft.labels)


def test_published_sets_follow_the_paper():
    pytest.importorskip("sklearn")
    sampled, soft, default = (
        datasets.load("digits", num_images=90, **options).labels
        for options in ({}, {"labels": "soft"}, {"labels": None})
    )
    assert sampled.ndim == 1 and soft.ndim == 2
    np.testing.assert_array_equal(soft, default)
    assert (soft[np.arange(len(soft)), sampled] > 0).all()


def test_features_of_images_keep_their_labels():
    import keras

    data = split(COUNTS * 3)
    backbone = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten()])
    found = data.embed(backbone, weak=1, strong=0, verbose=0)
    np.testing.assert_array_equal(found.labels, data.labels)


def test_another_word_or_an_array_is_refused():
    with pytest.raises(ValueError, match="`labels` must be one of"):
        split(COUNTS, "hard")
    with pytest.raises(TypeError, match="the answers themselves are `annotations`"):
        split(COUNTS, np.zeros(6, int))


@pytest.mark.parametrize("labels", ["soft", "sampled"])
def test_a_labeled_image_without_answer_is_named(labels):
    with pytest.raises(ValueError, match="annotated 1 of 7: the first is '006'"):
        split([*COUNTS, [0, 0, 0]], labels)


def test_answers_of_one_class():
    for labels in ("soft", "sampled"):
        with pytest.raises(
            ValueError, match=r"All 2 labeled images are of class 'eel'"
        ):
            split([*COUNTS, [0, 2, 0]], labels, labeled=[1, 6])
    parts = {"labeled": ["000", "001"]}
    whole = image_set([[2, 1, 0], [3, 0, 0]])
    with pytest.warns(UserWarning, match="'cod' is the most frequent answer to each"):
        SemiSupervisedData.from_image_set(whole, split=parts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a tie: either may be proposed
        SemiSupervisedData.from_image_set(
            image_set([[1, 1, 0], [3, 0, 0]]), split=parts
        )


def test_so_many_soft_labels_are_not_held(monkeypatch):
    monkeypatch.setattr(training_labels, "_MOST_CELLS", 17)
    with pytest.raises(ValueError, match=r'would take .* Pass `labels="sampled"`'):
        split(COUNTS, "soft")
    with pytest.warns(UserWarning, match="trained on one of its answers"):
        data = SemiSupervisedData.from_image_set(image_set(COUNTS), labeled=6)
    assert data.labels.ndim == 1


def test_what_was_decided_is_told(capsys):
    def told(data):
        return datasets.describe(data).labels, repr(data)

    line, text = told(split(COUNTS))
    assert "soft labels, the share of each class" in line
    assert "whether these are 2 or 10: more answers make it no heavier." in line
    assert "6 labeled (soft labels)" in text
    assert line in capsys.readouterr().out
    line, text = told(split(COUNTS[:2]))
    assert line.endswith("among the answers to an image.")
    line, text = told(split(COUNTS, "sampled"))
    assert 'although 6 have several answers; `labels="soft"` takes all' in line
    assert "6 labeled (one of several answers each)" in text
    line, text = told(split(np.eye(3, dtype=int)))
    assert line == "Trained on: one class of each labeled image."
    assert "3 labeled images" in text
    soft = np.array([[0.9, 0.1, 0], [0, 1, 0]], "float32")
    given = SemiSupervisedData(image_set(COUNTS[:2]), soft)
    assert told(given)[0] == "Trained on: soft labels, as they were given."
    assert datasets.describe(image_set(COUNTS)).labels == ""


def test_soft_labels_without_counts_are_described():
    images = ImageSet(np.zeros((2, 4, 4, 3), "uint8"), ["a", "b"], None, NAMES)
    data = SemiSupervisedData(images, np.array([[0.5, 0.5, 0], [0, 0.2, 0.8]]))
    described = datasets.describe(data).parts["labeled"]
    assert described.class_counts.tolist() == [0.5, 0.5, 1.0]
    assert described.annotated == 2


def test_sparse_counts_give_the_same_labels():
    images = np.zeros((len(COUNTS), 4, 4, 3), "uint8")
    sparse = SparseCounts.from_rows(np.array(COUNTS), range(len(COUNTS)), len(COUNTS))
    whole = ImageSet(images, [f"{i:03}" for i in range(len(COUNTS))], sparse, NAMES)
    for labels in ("soft", "sampled"):
        data = SemiSupervisedData.from_image_set(whole, labeled=6, labels=labels)
        same = SemiSupervisedData.from_image_set(
            image_set(COUNTS), labeled=6, labels=labels
        )
        np.testing.assert_array_equal(data.labels, same.labels)
