"""Probabilities as cleanlab takes them."""

import warnings

import numpy as np
import pytest

from keras_dc3.annotations import Annotations
from keras_dc3.exports import to_cleanlab
from keras_dc3.proposals import Proposals
from tests.exports.helpers import NAMES, make

NUMBER = 60


def annotated(names=NAMES, wrong=(4, 17)):
    """Three people who are right, but for some images where all of them are wrong."""
    rows = [
        (f"i{i}", f"p{person}", NAMES[(i + (i in wrong)) % 3])
        for i in range(NUMBER)
        for person in range(3)
        if (i + person) % 5
    ]
    rows.insert(2, ("nobody", "p0", None))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Annotations.from_records(rows, class_names=names)


def sure(names=NAMES):
    """Proposals that are right, of more images in another order."""
    order = np.random.default_rng(0).permutation(NUMBER + 5)
    p = np.full((NUMBER + 5, 3), 0.05)
    p[np.arange(NUMBER + 5), [names.index(NAMES[i % 3]) for i in order]] = 0.9
    ids = [f"i{i}" for i in order]
    ones = np.ones((len(ids), 1))
    return Proposals(ids, np.full(len(ids), 0.3), p, ones, names)


def test_all_in_their_order():
    proposals = make()
    found = to_cleanlab(proposals)
    np.testing.assert_allclose(found, proposals.class_probabilities, rtol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-12)


def test_rows_and_columns_follow_the_annotations():
    names = ("deer", "cat", "dog")
    annotations, proposals = annotated(), sure(names)
    found = to_cleanlab(proposals, annotations)
    images = [name for name in annotations.ids if name != "nobody"]
    assert found.shape == (NUMBER, 3)
    for image, row in zip(images, found, strict=True):
        assert NAMES[row.argmax()] == proposals[image].class_name
    np.testing.assert_array_equal(
        to_cleanlab(proposals, ids=images)[:, [1, 2, 0]], found
    )
    pytest.importorskip("pandas")
    assert list(annotations.to_frame("cleanlab").index) == images


def test_cleanlab_finds_the_wrong_labels():
    filtering = pytest.importorskip("cleanlab.filter")
    annotations = annotated()
    labels = annotations.majority[annotations.majority >= 0]
    found = filtering.find_label_issues(
        labels, to_cleanlab(sure(("dog", "deer", "cat")), annotations), n_jobs=1
    )
    assert np.flatnonzero(found).tolist() == [4, 17]


def test_cleanlab_with_several_annotators():
    pytest.importorskip("pandas")
    multiannotator = pytest.importorskip("cleanlab.multiannotator")
    annotations = annotated()
    table = annotations.to_frame("cleanlab")
    result = multiannotator.get_label_quality_multiannotator(
        table, to_cleanlab(sure(), annotations), verbose=False
    )
    quality = result["label_quality"]["consensus_quality_score"].to_numpy()
    assert set(np.argsort(quality)[:2]) == {4, 17}
    scores, _ = multiannotator.get_active_learning_scores(
        table, to_cleanlab(sure(), annotations), to_cleanlab(sure(), ids=["i61", "i63"])
    )
    assert scores.shape == (NUMBER,)


def test_only_counts_are_known():
    counts = [[2, 1, 0], [0, 0, 0], [0, 0, 3]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        annotations = Annotations(("i7", "i1", "i3"), NAMES, np.array(counts))
    found = to_cleanlab(sure(), annotations)
    assert found.argmax(axis=1).tolist() == [7 % 3, 3 % 3]


def test_what_does_not_fit():
    with pytest.raises(ValueError, match=r"1 of 2 images have no proposal: 'lost'\."):
        to_cleanlab(sure(), ids=["i1", "lost"])
    with pytest.raises(ValueError, match="`ids` must differ"):
        to_cleanlab(sure(), ids=["i1", "i1"])
    other = annotated(("cat", "dog", "deer", "cow"))
    with pytest.raises(ValueError, match=r"the same classes\. Received: .*cow"):
        to_cleanlab(sure(), other)
    with pytest.raises(TypeError, match=r"pass ids of images as `ids=`.* int"):
        to_cleanlab(sure(), 5)
    with pytest.raises(ValueError, match="`annotations` or `ids`, not both"):
        to_cleanlab(sure(), annotated(), ids=["i1"])
    with pytest.raises(TypeError, match=r"`proposals` must be a .*Received: ndarray"):
        to_cleanlab(np.ones((3, 2)))
    assert to_cleanlab(sure(), ids=[]).shape == (0, 3)
