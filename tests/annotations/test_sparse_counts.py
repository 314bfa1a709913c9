"""Counts kept sparsely say the same as the full array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_dc3.annotations import SparseCounts
from keras_dc3.data import ImageSet

tables = hnp.arrays(
    "int64",
    st.tuples(st.integers(1, 9), st.integers(1, 5)),
    elements=st.sampled_from([0, 0, 0, 1, 2, 7]),
)


def image_set(counts, sparse):
    n, k = counts.shape
    if sparse:
        counts = SparseCounts.from_rows(counts, np.arange(n), n)
    ids, names = [f"i{i}" for i in range(n)], [f"c{c}" for c in range(k)]
    return ImageSet(np.zeros((n, 2, 2, 1), "uint8"), ids, counts, names)


@pytest.mark.filterwarnings("ignore:.* have a tie")
@given(tables, st.data())
def test_sets_with_either_are_the_same(counts, data):
    full, sparse = image_set(counts, False), image_set(counts, True)
    rows = data.draw(st.permutations(range(len(counts))))
    rows = np.array(rows[: data.draw(st.integers(0, len(rows)))], "int64")
    for a, b in ((full, sparse), (full.subset(rows), sparse.subset(rows))):
        assert b.counts.dtype == a.counts.dtype
        for what in ("counts", "annotated", "soft_labels", "majority", "ambiguous"):
            np.testing.assert_array_equal(getattr(a, what), getattr(b, what))
        if len(a) and a.annotated.all():
            for seed in range(3):
                drawn = a.sample_hard_labels(seed), b.sample_hard_labels(seed)
                np.testing.assert_array_equal(*drawn)


@given(tables, st.integers(0, 5), st.data())
def test_some_images_of_many(counts, more, data):
    number = len(counts) + more
    places = data.draw(st.permutations(range(number)))[: len(counts)]
    expected = np.zeros((number, counts.shape[1]), "int64")
    expected[places] = counts
    sparse = SparseCounts.from_rows(counts, places, number)
    assert (sparse.dense() == expected).all()
    assert (sparse.annotated == expected.any(axis=1)).all()
    start = data.draw(st.integers(0, number))
    stop = data.draw(st.integers(start, number))
    assert (sparse.dense(start, stop) == expected[start:stop]).all()


def test_fractions_are_kept():
    sparse = SparseCounts.from_rows([[0.5, 0.25], [0, 0]], [2, 0], 3)
    assert sparse.dense().tolist() == [[0, 0], [0, 0], [0.5, 0.25]]


def test_labels():
    sparse = SparseCounts.from_labels([1, -1, 2, 0], 3)
    assert sparse.dense().tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 1], [1, 0, 0]]
    with pytest.raises(ValueError, match=r"must lie in 0\.\.2"):
        SparseCounts.from_labels([0, 3], 3)


def test_large_sets_are_looked_at_in_pieces():
    """Draws follow one after the other, however many rows are made at a time."""
    labels = np.random.default_rng(0).integers(0, 700, 4000)
    counts = np.zeros((4000, 700), "int64")
    counts[np.arange(4000), labels] = 3
    counts[:, 5] += 1
    full, sparse = image_set(counts, False), image_set(counts, True)
    assert (full.majority == counts.argmax(axis=1)).all()
    from keras_dc3.annotations import sample_hard_labels

    expected = sample_hard_labels(counts, 4)
    assert (full.sample_hard_labels(4) == expected).all()
    assert (sparse.sample_hard_labels(4) == expected).all()


def test_unannotated_images_have_no_hard_label():
    images = image_set(np.array([[1, 0], [0, 0]]), True)
    with pytest.raises(ValueError, match=r"nobody annotated 1 of 2.*'i1'"):
        images.sample_hard_labels(0)
    with pytest.raises(ValueError, match="`seed`"):
        images.sample_hard_labels(-1)
