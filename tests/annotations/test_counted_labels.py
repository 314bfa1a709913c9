"""All that hold counts of answers say the same of them."""

import warnings

import numpy as np
import pytest

from keras_dc3.agreement import CorrectedLabels
from keras_dc3.annotations import Annotations, CountedLabels, Records, SparseCounts
from keras_dc3.data import FileImages, ImageSet

IDS, CLASSES = ("a", "b", "c", "d"), ("cat", "dog", "eel")
COUNTS = np.array([[3, 1, 0], [0, 0, 2], [2, 2, 0], [0, 0, 0]])
PIXELS = np.zeros((4, 2, 2, 1), "uint8")
HOLDERS = {
    "annotations": Annotations(IDS, CLASSES, COUNTS),
    "records": Annotations(IDS, CLASSES, records=Records.of_counts(COUNTS)),
    "images": ImageSet(PIXELS, IDS, COUNTS, CLASSES),
    "sparse": FileImages(
        "folder", IDS, SparseCounts.from_rows(COUNTS, range(4), 4), CLASSES
    ),
    "corrected": CorrectedLabels(
        IDS, CLASSES, COUNTS.astype(float), COUNTS * 1.0, 1.0, COUNTS
    ),
}


@pytest.mark.parametrize("name", HOLDERS)
def test_the_face(name):
    labels = HOLDERS[name]
    assert isinstance(labels, CountedLabels) and len(labels) == 4
    assert labels.ids == IDS and labels.class_names == CLASSES
    assert labels.counts.tolist() == COUNTS.tolist()
    assert labels.annotated.tolist() == [True, True, True, False]
    assert labels.annotations_per_image.tolist() == [4, 2, 4, 0]
    assert labels.annotations_per_image.dtype == labels.counts.dtype
    soft = [[0.75, 0.25, 0], [0, 0, 1], [0.5, 0.5, 0], [np.nan] * 3]
    np.testing.assert_allclose(labels.soft_labels, soft)
    np.testing.assert_allclose(labels.targets, soft)
    with pytest.warns(UserWarning, match="1 of 4 images have a tie"):
        assert labels.majority.tolist() == [0, 2, 0, -1]
    assert labels.most_chosen.tolist() == [0, 2, 0, -1]
    assert labels.tied.tolist() == [False, False, True, False]
    assert labels.ambiguous.tolist() == [True, False, True, False]
    np.testing.assert_allclose(labels.ambiguity, [0.25, 0, 0.5, np.nan])
    np.testing.assert_allclose(
        labels.entropy, [0.562335, 0, 0.693147, np.nan], atol=1e-6
    )
    assert labels.unannotated == ("d",) and not labels.cannot_disagree
    assert labels.ambiguous_fraction == pytest.approx(2 / 3)
    weights = labels.class_weights()
    assert weights == pytest.approx({0: 0.8, 1: 3 / 2.25, 2: 1.0})


def test_drawn_classes_are_the_same_for_all():
    drawn = {name: labels for name, labels in HOLDERS.items() if name != "sparse"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = [
            labels.subset([0, 1, 2]).sample_hard_labels(3).tolist()
            if isinstance(labels, ImageSet)
            else labels.sample_hard_labels(3)[:3].tolist()
            for labels in drawn.values()
        ]
    assert all(classes == found[0] for classes in found)
    assert HOLDERS["annotations"].sample_hard_labels(3)[3] == -1
    with pytest.raises(ValueError, match="nobody annotated 1 of 4: the first is 'd'"):
        HOLDERS["images"].sample_hard_labels(3)


def test_answers_of_counts():
    records = Records.of_counts(COUNTS)
    assert len(records) == COUNTS.sum() and (records.annotator == -1).all()
    assert HOLDERS["records"].counts.tolist() == COUNTS.tolist()
    assert HOLDERS["records"].annotators == ()
