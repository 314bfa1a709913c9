"""Answers that name no class, or two."""

import numpy as np
import pytest

from keras_dc3.annotations import AnnotationError, Annotations, Records
from tests.annotations.helpers import write

NAN = float("nan")


def some(**changed):
    """Of a: cat, a bad image twice; of b: none of these; of c: 70% cat, 30% dog."""
    parts = {
        "image": [0, 0, 0, 1, 1, 2, 2],
        "annotator": [0, 1, 2, 0, 1, 0, 1],
        "label": [0, -1, -1, -1, 1, 0, 0],
        "seconds": [1.0] * 7,
        "reason": [0, 2, 2, 3, 0, 0, 0],
        "second": [-1, -1, -1, -1, -1, 1, -1],
        "share": [1, 1, 1, 1, 1, 0.7, 1],
    }
    records = Records(**parts | changed)
    names = ["a", "b", "c"], ["cat", "dog"]
    return Annotations(*names, annotators=["anna", "ben", "eve"], records=records)


def test_reasons_are_told_apart():
    found = some()
    assert found.people_saying("bad image").tolist() == [2, 0, 0]
    assert found.people_saying("none of these").tolist() == [0, 1, 0]
    assert found.people_saying("cannot tell").sum() == 0
    assert found.bad_images == ("a",) and found.none_of_these == ("b",)
    assert "3 (42.9%) when asked: 2 bad image, 1 none of these" in found.summary()
    assert "'a' (2 of 3 who answered)" in found.summary()
    with pytest.raises(ValueError, match=r"`reason` must be one of \['no answer', "):
        found.people_saying("bad")


def test_half_of_the_people_are_not_most():
    found = some(reason=[0, 2, 0, 3, 0, 0, 0])
    assert found.people_saying("no answer").tolist() == [1, 0, 0]
    assert found.bad_images == ()  # one of two who said something
    assert "1 image: 1 person says bad image; of none of them" in found.summary()


def test_only_the_last_of_a_persons_answers_counts():
    found = some(annotator=[0, 0, 0, 0, 1, 0, 1])
    assert found.people_saying("bad image").tolist() == [1, 0, 0]
    assert found.bad_images == ("a",)
    first = some(
        annotator=[1, 0, 1, 0, 1, 0, 1],
        label=[-1, -1, 0, -1, 1, 0, 0],
        reason=[0, 2, 0, 3, 0, 0, 0],
    )
    assert first.bad_images == () and first.people_saying("bad image")[0] == 1
    nobody = some(annotator=[-1] * 7)
    assert nobody.people_saying("bad image").tolist() == [2, 0, 0]


def test_counts_alone_give_no_reasons():
    found = Annotations.from_counts([[1, 0]], class_names=["cat", "dog"])
    assert found.people_saying("bad image").tolist() == [0] and not found.bad_images


def test_a_split_answer_is_a_soft_label():
    found = some()
    assert found.counts[2] == pytest.approx([1.7, 0.3])
    assert found.soft_labels[2] == pytest.approx([0.85, 0.15])
    assert found.annotations_per_image.tolist() == [1, 1, 2]
    assert found.as_given.counts.tolist() == [[1, 0], [0, 1], [2, 0]]
    assert found.as_given.mean_disagreement().mean == 0.0
    assert "1 (14.3%) of the answers between two classes" in found.summary()
    again = some(annotator=[0, 1, 2, 0, 1, 0, 0])  # two answers of one person
    assert again.counts[2] == pytest.approx([0.85, 0.15])


def test_a_split_answer_under_other_classes():
    found = some()
    one = found.rename_classes({"dog": "cat"})
    assert one.counts[2].tolist() == [2] and not one.records.is_split.any()
    assert found.with_classes(["dog", "cat"]).counts[2] == pytest.approx([0.3, 1.7])
    assert found.rename_classes({"dog": None}).counts[2].tolist() == [2]
    left = found.rename_classes({"cat": None})
    assert left.counts[2].tolist() == [0] and not left.records.is_split.any()


@pytest.mark.parametrize(
    "changed",
    [
        {"share": [1, 1, 1, 1, 1, 0.4, 1]},
        {"share": [1, 1, 1, 1, 1, 1.5, 1]},
        {"share": [0.7, 1, 1, 1, 1, 0.7, 1]},
        {"second": [-1, -1, -1, -1, -1, 0, -1]},
        {"second": [-1, 1, -1, -1, -1, 1, -1], "share": [1, 0.6, 1, 1, 1, 0.7, 1]},
        {"reason": [2, 2, 2, 3, 0, 0, 0]},
        {"reason": [0, 9, 2, 3, 0, 0, 0]},
        {"second": [-1, -1, -1, -1, -1, 5, -1]},
    ],
)
def test_what_no_answer_can_be(changed):
    with pytest.raises(ValueError, match=r"An answer that is split|reason|second"):
        some(**changed)


def test_files_and_merging_keep_it(tmp_path):
    found = some()
    found.to_csv(tmp_path / "a.csv")
    head = (tmp_path / "a.csv").read_text("utf-8").splitlines()[0]
    assert head.endswith("seconds,no_answer,second_label,first_share")
    back = Annotations.from_csv(tmp_path / "a.csv", class_names=["cat", "dog"])
    assert back == found and back.bad_images == ("a",)
    assert Annotations.from_csv(tmp_path / "a.csv") == found
    both = found.select(["c"]).merge(found.select(["a", "b"]))
    assert both.select(["a", "b", "c"]) == found
    plain = some(reason=None, second=None, share=None)
    plain.to_csv(tmp_path / "b.csv")
    assert (tmp_path / "b.csv").read_text("utf-8").startswith("image,annotator,label,s")
    assert plain != found
    beside = [tmp_path / "a.csv", write(tmp_path, "image,annotator,label\nd,x,cat\n")]
    beside[1].rename(tmp_path / "d.csv")
    beside[1] = tmp_path / "d.csv"
    found.to_csv(beside[0])
    assert Annotations.from_csv(beside).counts[2] == pytest.approx([1.7, 0.3])


def test_frames_keep_it():
    pytest.importorskip("pandas")
    found = some()
    assert Annotations.from_frame(found.to_frame()) == found
    assert list(found.to_frame("crowdkit")["label"]) == ["cat", "dog", "cat", "cat"]
    assert "no_answer" not in some(reason=None, second=None, share=None).to_frame()


ROWS = "image,annotator,label,{}\na,anna,cat,{}\na,ben,dog,{}\nb,anna,dog,{}\n"


def test_columns_of_a_table_by_hand(tmp_path):
    """Each is read without the others, where it can be meant as ours is."""
    text = ROWS.format("second_label,first_share", "dog,0.75", ",", ",")
    found = Annotations.from_csv(write(tmp_path, text))
    assert found.counts.tolist() == [[0.75, 1.25], [0, 1]]
    text = ROWS.format("no_answer", "", "", "").replace("dog,\nb", ",bad image\nb")
    found = Annotations.from_csv(write(tmp_path, text))
    assert found.people_saying("bad image").tolist() == [1, 0]


@pytest.mark.parametrize(
    ("columns", "cells", "told"),
    [
        ("no_answer", "0", r"'no_answer' is not read: '0' is no reason"),
        ("second_label", "cat", r"'second_label' and 'first_share'; one of them alone"),
        ("first_share", "0.7", r"'second_label' and 'first_share'; one of them alone"),
    ],
)
def test_a_column_that_is_not_read_is_told(tmp_path, columns, cells, told):
    path = write(tmp_path, ROWS.format(columns, *[cells] * 3))
    with pytest.warns(UserWarning, match=told):
        found = Annotations.from_csv(path)
    assert found.counts.tolist() == [[1, 1], [0, 1]]


def test_a_class_beside_a_reason_for_none(tmp_path):
    text = ROWS.format("no_answer", "", "bad image", "")
    with pytest.raises(AnnotationError, match=r"line 3: .*'dog' beside 'bad image'"):
        Annotations.from_csv(write(tmp_path, text))


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("bad image", "ugly", r"line 3: `no_answer` must be one of .*'ugly'"),
        ("0.7", "1.5", "line 7: a split answer has .*'cat', 'dog', 1.5"),
        ("0.7", "x", "line 7: `first_share` must be a number"),
        ("dog,0.7", "eel,0.7", "line 7: a split answer has two different"),
        ("dog,0.7", "cat,0.7", "line 7: a split answer has two different"),
        ("dog,0.7", ",0.7", "line 7: a split answer has two different"),
    ],
)
def test_files_that_were_changed(tmp_path, old, new, match):
    some().to_csv(tmp_path / "a.csv")
    text = (tmp_path / "a.csv").read_text("utf-8").replace(old, new)
    with pytest.raises(AnnotationError, match=match):
        Annotations.from_csv(write(tmp_path, text, "b.csv"), class_names=["cat", "dog"])


def test_records_taken_and_whole():
    records = some().records
    assert records.take(np.array([5])).second.tolist() == [1]
    assert not records.whole.is_split.any()
    assert records.whole.whole.reason.tolist() == records.reason.tolist()
    assert not records.equals(records.whole)
