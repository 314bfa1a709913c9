"""Image sets, labels from counts, and data sets put together from them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_dc3 import datasets
from keras_dc3.annotations import (
    entropy,
    is_ambiguous,
    majority,
    sample_hard_labels,
    soft_labels,
)
from keras_dc3.data import ImageSet, SemiSupervisedData

IMAGES = np.arange(6 * 4 * 4 * 3, dtype="uint8").reshape(6, 4, 4, 3)
IDS = list("abcdef")
COUNTS = np.array([[3, 0], [1, 2], [0, 4], [2, 2], [5, 1], [0, 1]])


@given(hnp.arrays("int64", (7, 4), elements=st.integers(0, 9)))
def test_labels_against_a_loop(counts):
    soft = soft_labels(counts)
    for i, row in enumerate(counts):
        total = row.sum()
        chosen = np.flatnonzero(row)
        assert majority(counts)[i] == (row.argmax() if total else -1)
        assert is_ambiguous(counts)[i] == (len(chosen) > 1)
        if total:
            np.testing.assert_allclose(soft[i], row / total, rtol=1e-6)
            p = row[chosen] / total
            np.testing.assert_allclose(
                entropy(counts)[i], -(p * np.log(p)).sum(), atol=1e-6
            )


def test_hard_labels_follow_the_soft_ones_and_the_seed():
    counts = np.tile([[6, 3, 1]], (4000, 1))
    labels = sample_hard_labels(counts, seed=1)
    np.testing.assert_allclose(np.bincount(labels) / 4000, [0.6, 0.3, 0.1], atol=0.03)
    assert (labels == sample_hard_labels(counts, seed=1)).all()
    assert (labels != sample_hard_labels(counts, seed=2)).any()
    with pytest.raises(ValueError, match=r"1 row of `counts` is all zero.*row 1"):
        sample_hard_labels([[1, 0], [0, 0]], seed=0)


def test_image_set():
    images = ImageSet(IMAGES, IDS, COUNTS, ["cod", "haddock"])
    assert len(images) == 6 and images.image_shape == (4, 4, 3)
    part = images.subset([4, 1])
    assert part.ids == ("e", "b") and part.counts.tolist() == [[5, 1], [1, 2]]
    batches = list(images.image_batches(4))
    assert [len(b) for b in batches] == [4, 2]
    assert (np.concatenate(batches) == IMAGES).all()
    assert ImageSet(IMAGES[..., 0], IDS).image_shape == (4, 4, 1)


@pytest.mark.parametrize(
    ("arguments", "error", "match"),
    [
        ((IMAGES, [*IDS[:5], "a"]), ValueError, "'a' stands at positions 0 and 5"),
        ((IMAGES, IDS[:5]), ValueError, "5 ids for 6 images"),
        ((IMAGES, [1, 2, 3, 4, 5, 6]), TypeError, r"use str\("),
        ((IMAGES[0, 0], IDS), ValueError, r"Received: \(4, 3\)"),
        ((IMAGES.astype(object), IDS), TypeError, "uint8 or floating point"),
        ((IMAGES * np.float32(np.nan), IDS), ValueError, "Remove or repair it"),
        ((IMAGES.astype("int32") * 9, IDS), ValueError, "must hold 0 to 255"),
        ((IMAGES, IDS, COUNTS[:5]), ValueError, "5 rows for 6 images"),
        ((IMAGES, IDS, -COUNTS), ValueError, "counts"),
        ((IMAGES, IDS, COUNTS, ["cod"]), ValueError, "2 columns for 1 class name "),
        (
            (IMAGES, IDS, COUNTS, ["cod", "cod"]),
            ValueError,
            "'cod' stands at",
        ),
    ],
)
def test_bad_image_sets(arguments, error, match):
    with pytest.raises(error, match=match):
        ImageSet(*arguments)


def make(labels=(0, 1), **changes):
    names = ["cod", "haddock"]
    parts = {
        "labeled": ImageSet(IMAGES[:2], IDS[:2], None, names),
        "unlabeled": ImageSet(IMAGES[2:4], IDS[2:4], None, names),
        "validation": ImageSet(IMAGES[4:], IDS[4:], COUNTS[4:], names),
    }
    return SemiSupervisedData(labels=list(labels), **{**parts, **changes})


def test_parts_that_fit():
    data = make()
    assert data.num_classes == 2 and data.image_shape == (4, 4, 3)
    assert "2 labeled, 2 unlabeled, 2 validation" in repr(data)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"labels": [0, 2]}, r"must lie in 0\.\.1"),
        ({"labels": [1, 1]}, "class"),
        ({"labels": [0]}, "label"),
        ({"unlabeled": ImageSet(IMAGES[:1], ["b"], None, ["cod", "haddock"])}, ": b"),
        ({"unlabeled": ImageSet(IMAGES[:1, :2], ["x"])}, "shape|same size"),
        ({"unlabeled": ImageSet(IMAGES[:1], ["x"], None, ["haddock", "cod"])}, "class"),
        (
            {"validation": ImageSet(IMAGES[:1], ["x"], [[0, 0]], ["cod", "haddock"])},
            "annotat",
        ),
        ({"batch_size": 0}, "`batch_size`"),
        ({"augment": "weka"}, "Did you mean 'weak'"),
    ],
)
def test_parts_that_do_not_fit(changes, match):
    with pytest.raises(ValueError, match=match):
        make(**changes)


def test_from_arrays_takes_every_form_of_annotation():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (50, 4, 4, 1)).astype("uint8")
    counts = rng.multinomial(3, [0.4, 0.6], size=50)
    kwargs = {"labeled": 10, "unlabeled": 30, "validation": 10, "seed": 3}
    by_counts = datasets.from_arrays(images, counts, **kwargs)
    by_soft = datasets.from_arrays(images, counts / 3, **kwargs)
    assert by_counts.labeled.ids == by_soft.labeled.ids
    np.testing.assert_allclose(
        by_counts.validation.soft_labels, by_soft.validation.soft_labels, atol=1e-6
    )
    classes = np.where(np.arange(50) % 2, counts.argmax(axis=1), -1)
    by_class = datasets.from_arrays(
        images, classes, num_classes=2, labeled=20, unlabeled=None, validation=5
    )
    assert len(by_class.unlabeled) == 25  # those without annotation
    assert all(classes[int(i)] == -1 for i in by_class.unlabeled.ids)
    picked = {i: classes[int(i)] for i in by_class.labeled.ids}
    assert list(picked.values()) == by_class.labels.tolist()


def test_from_arrays_by_default_uses_all_annotations_where_some_are_missing():
    images = np.zeros((50, 4, 4, 1), "uint8")
    classes = np.where(np.arange(50) < 20, np.arange(50) % 2, -1)
    some = datasets.from_arrays(images, classes, class_names=["a", "b"])
    assert [len(some.labeled), len(some.unlabeled), len(some.validation)] == [16, 30, 4]
    every = datasets.from_arrays(images, np.arange(50) % 2, num_classes=2)
    parts = [every.labeled, every.unlabeled, every.validation]
    assert [len(p) for p in parts] == [8, 32, 10]


def test_from_parts_and_its_errors():
    labels = np.array([0, 1, 1])
    data = datasets.from_parts(
        IMAGES[:3], labels, IMAGES[3:5], (IMAGES[5:], [1]), num_classes=2
    )
    assert data.unlabeled.ids == ("unlabeled_0", "unlabeled_1")
    soft = datasets.from_parts(
        IMAGES[:3], labels, validation=(IMAGES[5:], [[0.5, 0.5]])
    )
    assert soft.num_classes == 2 and soft.unlabeled is None
    with pytest.raises(ValueError, match="number of classes is not known"):
        datasets.from_parts(IMAGES[:3], labels, IMAGES[3:])
    with pytest.raises(ValueError, match="must be a pair"):
        datasets.from_parts(IMAGES[:3], labels, validation=IMAGES, num_classes=2)


def test_from_arrays_errors():
    with pytest.raises(ValueError, match="number of classes is not known"):
        datasets.from_arrays(IMAGES, [0, 1, 0, 1, 0, 1])
    with pytest.raises(TypeError, match="must be a list of strings"):
        datasets.from_arrays(IMAGES, COUNTS, class_names="ab")
    with pytest.raises(ValueError, match="map names to numbers"):
        datasets.from_arrays(IMAGES, list("aabbab"), num_classes=2)
    with pytest.raises(ValueError, match=r"must lie in 0\.\.1"):
        datasets.from_arrays(IMAGES, [0, 1, 0, 1, 0, 2], num_classes=2)
    with pytest.raises(ValueError, match="No image is annotated"):
        datasets.from_arrays(IMAGES, COUNTS * 0)
