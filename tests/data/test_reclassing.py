"""Data sets whose classes change: the same split, with all answers carried."""

import numpy as np
import pytest

from keras_dc3 import Annotations
from keras_dc3.annotations import SparseCounts
from keras_dc3.data import ImageSet, SemiSupervisedData
from tests.data.test_relabeling import IDS, NAMES, N, counts_of, images_of, make_data

NEW = ("ling", "gadid", "eel")
RENAMED = {"cod": "gadid", "haddock": "gadid"}


def moved(values):
    """Columns of cod, haddock, ling as those of ling, gadid, eel."""
    return np.stack(
        [values[:, 2], values[:, 0] + values[:, 1], 0 * values[:, 0]], axis=1
    )


@pytest.mark.parametrize("labels", ["soft", "sampled"])
def test_parts_stay_and_answers_are_carried(labels, capsys):
    before = make_data(labels=labels)
    after = before.with_classes(NEW, RENAMED)
    assert capsys.readouterr().out == (
        "Classes: 'cod', 'haddock' are 'gadid' now; 'eel' is new.\n"
    )
    assert after.class_names == NEW and before.class_names == NAMES
    for name, part in before.parts().items():
        new = getattr(after, name)
        assert new.ids == part.ids and new.class_names == NEW
        np.testing.assert_array_equal(new.counts, moved(part.counts))
        rows = np.arange(len(part))
        np.testing.assert_array_equal(new.read(rows), part.read(rows))
        np.testing.assert_array_equal(part.counts.shape, (len(part), 3))
    if labels == "soft":
        np.testing.assert_allclose(after.labels, moved(before.labels), atol=1e-6)
    else:
        assert after.labels.tolist() == [(1, 1, 0)[c] for c in before.labels]


def test_the_next_round_has_answers_of_a_new_class():
    before = make_data()
    first, second = before.unlabeled.ids[:2]
    answers = Annotations.from_records([(first, "p", "eel"), (second, "p", "gadid")])
    with pytest.raises(ValueError, match=r"'eel'.*`data\.with_classes` adds classes"):
        before.with_labels(answers)
    after = before.with_classes(NEW, RENAMED).with_labels(answers)
    assert after.labels[-2:].tolist() == [[0, 0, 1], [0, 1, 0]]
    assert after.validation.ids == before.validation.ids
    assert {*after.labeled.ids, *after.unlabeled.ids} == {
        *before.labeled.ids,
        *before.unlabeled.ids,
    }


def test_a_saved_split_holds_for_new_classes(tmp_path):
    before = make_data()
    before.with_classes(NEW, RENAMED).save_split(tmp_path / "split.json")
    whole = ImageSet(images_of(), IDS, moved(counts_of(30)), NEW)
    again = SemiSupervisedData.from_image_set(whole, split=tmp_path / "split.json")
    for name, part in before.parts().items():
        assert set(getattr(again, name).ids) == set(part.ids)


def test_sparse_counts_and_unknown_classes_are_carried():
    counts = counts_of(N)
    sparse = SparseCounts.from_rows(counts[:30], np.arange(30), 30)
    labeled = ImageSet(images_of()[:30], IDS[:30], sparse, NAMES)
    unlabeled = ImageSet(images_of()[30:], IDS[30:])
    data = SemiSupervisedData(labeled, labeled.soft_labels, unlabeled)
    after = data.with_classes(NEW, RENAMED)
    np.testing.assert_array_equal(after.labeled.counts, moved(counts[:30]))
    assert after.unlabeled.class_names is None and not after.unlabeled.has_counts


def test_a_class_with_answers_does_not_vanish():
    data = make_data()
    with pytest.raises(ValueError, match=r"'ling' would vanish"):
        data.with_classes(["cod", "haddock"])
    match = r"'ling' cannot be left out: \d+ images have answers that name it, such as"
    with pytest.raises(ValueError, match=match):
        data.with_classes(["cod", "haddock"], {"ling": None})
    more = data.with_classes([*NAMES, "eel"])
    assert more.with_classes(NAMES, {"eel": None}).class_names == NAMES
    with pytest.raises(ValueError, match="at least two classes"):
        data.with_classes(["fish"], dict.fromkeys(NAMES, "fish"))
