"""What follows from annotations, and new annotations from old ones."""

import dataclasses
import warnings
from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import keras_dc3
from keras_dc3.annotations import AnnotationError, Annotations, Records, class_order
from tests.annotations.helpers import counted, tally, told

ANSWERS = [
    ("a.png", "ann1", "cat", 2.0),
    ("a.png", "ann2", "dog", 4.0),
    ("b.png", "ann1", "cat", None),
    ("c.png", "ann2", None, 1.0),
    ("a.png", "ann3", "dog", 3.0),
]


def make():
    return Annotations.from_records(ANSWERS)


def test_what_is_known():
    annotations = make()
    assert annotations.ids == ("a.png", "b.png", "c.png")
    assert annotations.class_names == ("cat", "dog")
    assert annotations.annotators == ("ann1", "ann2", "ann3")
    assert annotations.counts.tolist() == [[1, 2], [1, 0], [0, 0]]
    assert annotations.counts.dtype == np.int64
    records = annotations.records
    assert records.image.tolist() == [0, 0, 0, 1, 2]
    assert records.annotator.tolist() == [0, 1, 2, 0, 1]
    assert records.label.tolist() == [0, 1, 1, 0, -1]
    np.testing.assert_array_equal(records.seconds, [2, 4, 3, np.nan, 1])
    np.testing.assert_allclose(
        annotations.soft_labels, [[1 / 3, 2 / 3], [1, 0], [np.nan] * 2], rtol=1e-6
    )
    assert annotations.majority.tolist() == [1, 0, -1]
    np.testing.assert_allclose(
        annotations.entropy, [0.636514, 0.0, np.nan], rtol=1e-5, atol=1e-7
    )
    np.testing.assert_allclose(
        annotations.ambiguity, [1 / 3, 0, np.nan], rtol=1e-6, atol=1e-7
    )
    assert annotations.ambiguous.tolist() == [True, False, False]
    assert annotations.ambiguous_fraction == 0.5
    assert annotations.annotations_per_image.tolist() == [3, 1, 0]
    assert annotations.unannotated == ("c.png",)
    assert len(annotations) == 3
    assert keras_dc3.Annotations is Annotations
    assert repr(annotations) == (
        "<Annotations of 3 images: 4 by 3 annotators, 2 classes, 50.0% ambiguous>"
    )


def test_ties_are_told():
    annotations = Annotations.from_counts(
        [[1, 1, 0], [0, 2, 2], [3, 1, 0], [0, 0, 0]], class_names=["cod", "eel", "ray"]
    )
    assert annotations.tied.tolist() == [True, True, False, False]
    with pytest.warns(UserWarning, match="2 of 4 images have a tie.*first of them"):
        assert annotations.majority.tolist() == [0, 1, 0, -1]
    assert "tied                2 (66.7%)" in annotations.summary()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clear = annotations.select(["2"])
        assert clear.majority.tolist() == [0] and not clear.tied.any()
    assert "tied" not in clear.summary()


def test_class_weights_count_each_image_once():
    weights = make().class_weights()
    # Soft labels of 4/3 cat and 2/3 dog, of two images.
    assert weights == {0: pytest.approx(0.75), 1: pytest.approx(1.5)}
    some = Annotations.from_counts([[3, 0, 0], [0, 9, 0]])
    assert some.class_weights() == {0: 1.0, 1: 1.0, 2: 1.0}


def test_hard_labels_are_seeded_and_follow_the_soft_ones():
    annotations = Annotations.from_counts(np.tile([[3, 1], [0, 0]], (2000, 1)))
    labels = annotations.sample_hard_labels(seed=3)
    assert (labels[1::2] == -1).all()
    assert np.mean(labels[::2] == 0) == pytest.approx(0.75, abs=0.03)
    assert (labels == annotations.sample_hard_labels(seed=3)).all()
    assert (labels != annotations.sample_hard_labels(seed=4)).any()


@pytest.mark.filterwarnings("ignore:The counts:")
def test_one_annotation_per_image_does_not_tell_ambiguity():
    annotations = Annotations.from_records([("a", "x", "cat"), ("b", "x", "dog")])
    assert annotations.cannot_disagree
    with pytest.warns(UserWarning, match="ambiguity cannot be measured"):
        assert np.isnan(annotations.ambiguous_fraction)
    assert "at most one annotation per image" in repr(annotations)
    assert "cannot be measured" in annotations.summary()
    soft = Annotations.from_counts([[0.7, 0.3], [1.0, 0.0]])
    assert not soft.cannot_disagree and soft.ambiguous_fraction == 0.5


def test_summary():
    text = make().summary()
    for line in (
        "3 images: 4 by 3 annotators",
        "2 (66.7%): 1 to 3, mean 2, per image",
        "1 (50.0%) of the annotated images: more than one class",
        "1 (50.0%) of the annotated images: one annotation, which shows no",
        "no answer           1 (20.0%)",
        "seconds     2.5 per answer (median of 4 known times of 5)",
        "cat   66.7%",
    ):
        assert line in text
    empty = make().select(["c.png"]).summary()
    assert empty.splitlines()[-1].strip() == "annotated           0 (0.0%)"
    assert "<Annotations of 1 image" in repr(make().select(["c.png"]))


def test_it_cannot_be_changed():
    annotations = make()
    with pytest.raises(dataclasses.FrozenInstanceError):
        annotations.ids = ()
    for array in (annotations.counts, annotations.records.label):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


PEOPLE = st.lists(
    st.tuples(
        st.sampled_from(["i1", "i2", "i3", "i10"]),
        st.sampled_from(["ann1", "ann2", None]),
        st.sampled_from(["cat", "dog", "eel"]),
    ),
    min_size=1,
    max_size=25,
)


@given(PEOPLE)
def test_counts_against_a_loop(answers):
    with told():
        annotations = Annotations.from_records(answers)
    assert counted(annotations) == tally(answers)
    whole = all(float(x).is_integer() for x in annotations.counts.flat)
    assert annotations.counts.dtype == ("int64" if whole else "float64")
    assert not np.isnan(annotations.soft_labels).any()


@given(PEOPLE, st.permutations(["i1", "i2", "i3", "i10", "new"]))
def test_select_against_a_loop(answers, ids):
    with told():
        annotations = Annotations.from_records(answers)
    part = annotations.select(ids, missing="empty")
    expected = tally(answers)
    assert part.ids == tuple(ids)
    assert counted(part) == {i: expected.get(i, {}) for i in ids}
    assert part.select(annotations.ids) == annotations
    assert set(part.annotators) == {a for _, a, _ in answers} - {None}
    counts = Annotations.from_counts(
        annotations.counts, annotations.ids, annotations.class_names
    )
    assert (counts.select(ids, missing="empty").counts == part.counts).all()


def test_select_refuses_ids_that_are_not_there():
    with pytest.raises(AnnotationError, match=r"1 of 2 ids .*'z.png'.*look like 'a.p"):
        make().select(["a.png", "z.png"])
    with pytest.raises(AnnotationError, match="2 of 2 ids"):
        make().select(["y.png", "z.png"], missing="empty")
    with pytest.raises(ValueError, match="stands at positions"):
        make().select(["a.png", "a.png"])
    with pytest.raises(ValueError, match="`missing` must be one of"):
        make().select(["a.png"], missing="drop")


@given(PEOPLE, PEOPLE)
def test_merge_against_a_loop(first, second):
    classes = ["cat", "dog", "eel"]
    with told():
        one, two = (
            Annotations.from_records(a, class_names=classes) for a in (first, second)
        )
    assert counted(one.merge(two)) == tally(first + second)
    sums = tally(first)
    for image, row in tally(second).items():
        mine = sums.setdefault(image, {})
        for name, number in row.items():
            known = mine[name].expected if name in mine else 0
            mine[name] = pytest.approx(known + number.expected)
    anonymous = Annotations.from_counts(two.counts, two.ids, two.class_names)
    both = one.merge(anonymous)
    assert both.records is None and counted(both) == sums


def test_merge_tells_of_people_who_may_be_the_same():
    first = Annotations.from_records([("a", "Anna", "cat"), ("b", "Ben", "cat")])
    second = Annotations.from_records([("a", "anna", "cat")])
    with pytest.warns(UserWarning, match="differ only in .* 'Anna' and 'anna'") as seen:
        both = first.merge(second)
    assert seen[0].filename == __file__ and len(both.annotators) == 3
    assert any("'Anna' and 'anna'" in note for note in both.notes)
    with told() as texts:
        assert both.merge(first).notes == both.notes
    assert not texts  # once is enough


def test_merge_rounds():
    first = Annotations.from_records([("a", "x", "cat"), ("b", "x", "dog")])
    second = Annotations.from_records([("a", "x", "dog"), ("c", "y", "dog")])
    assert second.class_names == ("dog",)
    assert counted(first.merge(second))["a"] == {"cat": 0.5, "dog": 0.5}
    last = first.merge(second, repeated="last")
    assert counted(last) == {"a": {"dog": 1}, "b": {"dog": 1}, "c": {"dog": 1}}
    assert last.class_names == ("cat", "dog") and last.annotators == ("x", "y")
    assert second.merge(first).class_names == ("cat", "dog")
    assert first.merge() == first
    with pytest.raises(AnnotationError, match=r"1 time .*: 'a' by 'x'\. Pass"):
        first.merge(second, repeated="error")
    other = Annotations.from_records([("a", "x", "cat"), ("b", "x", "eel")])
    with pytest.raises(AnnotationError, match="has 'eel' and lacks 'dog'"):
        first.merge(other)
    with pytest.raises(TypeError, match="Only annotations can be merged"):
        first.merge([second])
    with pytest.raises(TypeError, match=r"as in `first.merge\(second\)`\. Rec.*: list"):
        Annotations.merge([first, second])


def test_rename_classes():
    with told() as texts:
        annotations = Annotations.from_records(
            [("a", "x", "Bar"), ("a", "y", "bar"), ("b", "x", "ring"), ("b", "y", "?!")]
        )
    assert "'Bar' and 'bar'" in texts[0]
    assert annotations.class_names == ("?!", "Bar", "bar", "ring")
    merged = annotations.rename_classes({"Bar": "bar", "?!": None})
    assert merged.class_names == ("bar", "ring")
    assert counted(merged) == {"a": {"bar": 2}, "b": {"ring": 1}}
    assert merged.records.label.tolist() == [0, 0, 1, -1]
    assert annotations.rename_classes(str.lower).class_names == ("?!", "bar", "ring")
    counts = Annotations.from_counts([[1, 2, 3]], class_names=["a", "b", "c"])
    assert counts.rename_classes({"c": "a"}).counts.tolist() == [[4, 2]]
    with pytest.raises(ValueError, match="renames 'baz', but the classes are"):
        annotations.rename_classes({"baz": "bar"})
    with pytest.raises(ValueError, match="leaves no class"):
        annotations.rename_classes(lambda name: None)
    with pytest.raises(TypeError, match="dict of old to new names"):
        annotations.rename_classes(["bar"])
    with pytest.raises(TypeError, match="`class_names` must be non-empty strings"):
        annotations.rename_classes(lambda name: 3)


@pytest.mark.parametrize(
    ("changes", "error", "match"),
    [
        ({"ids": ["a", "a"]}, ValueError, "`ids` must differ"),
        ({"ids": ["a", " b"]}, ValueError, "no outer blanks"),
        ({"class_names": []}, ValueError, "at least one class"),
        ({"class_names": "xy"}, TypeError, "list of strings"),
        ({"counts": [[1, 2]]}, ValueError, r"must have shape \(2, 2\)"),
        ({"counts": [[1, -2], [0, 0]]}, ValueError, "at least 0"),
        ({"counts": None}, ValueError, "either `counts` or `records`"),
        ({"places": ["here"]}, ValueError, "`places` must hold one"),
        (
            {"counts": None, "records": Records([0], [0], [0], [0.5])},
            ValueError,
            r"`records.annotator` must lie in -1\.\.-1",
        ),
        (
            {"counts": None, "records": Records([2], [-1], [0], [0.5])},
            ValueError,
            r"`records.image` must lie in 0\.\.1",
        ),
    ],
)
def test_parts_that_do_not_fit(changes, error, match):
    parts = {
        "ids": ["a", "b"],
        "class_names": ["x", "y"],
        "counts": [[1, 0], [0, 2]],
    }
    with pytest.raises(error, match=match):
        Annotations(**{**parts, **changes})


def test_records_of_the_wrong_kind():
    with pytest.raises(ValueError, match="one int64 per answer"):
        Records([0.5], [0], [0], [1])
    with pytest.raises(ValueError, match=r"one length\. Received: image 1, label 2"):
        Records([0], [0], [0, 1], [1])


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["10", "1", "2"], ["1", "2", "10"]),
        (["01", "10", "02", "1"], ["01", "1", "02", "10"]),
        (["1.5", "-1", "1"], ["-1", "1", "1.5"]),
        (["grade 10", "grade 2"], ["grade 2", "grade 10"]),
        (["ring", "bar", "RING", "Bar"], ["Bar", "RING", "bar", "ring"]),
        (["2", "10", "other"], ["2", "10", "other"]),
    ],
)
def test_class_order(names, expected):
    assert class_order(names) == class_order(reversed(names)) == tuple(expected)


@given(st.lists(st.text(), unique=True), st.randoms())
def test_class_order_is_one_order(names, random):
    ordered = class_order(names)
    random.shuffle(names)
    assert class_order(names) == ordered and set(names) == set(ordered)


FILES = ["w1.png", "w2.jpg", "sub/w3.png", "other.png"]


def test_match_files():
    annotations = Annotations.from_records(
        [("w1", "x", "a"), ("w2.jpg", "x", "b"), ("./sub\\w3", "x", "a")]
    )
    with pytest.warns(UserWarning, match="2 images were written without the extension"):
        matched = annotations.match(FILES)
    assert matched.ids == tuple(FILES) and matched.unannotated == ("other.png",)
    assert matched.majority.tolist() == [0, 1, 0, -1]
    assert "2 images were written without" in matched.notes[-1]
    assert annotations.select(["w2.jpg"]).match(FILES).notes == ()


def test_match_files_in_folders():
    """A name alone is enough where only one file has it."""
    files = ["a/1.png", "a/2.png", "b/3.jpg", "b/3.txt.png", "2.png"]
    rows = [("1.png", "x", "a"), ("3", "x", "b"), ("2.png", "x", "a")]
    with pytest.warns(UserWarning, match="2 images .* folder of") as told:
        matched = Annotations.from_records(rows).match(files)
    assert "1 image was written without the extension of its" in str(told[0].message)
    assert matched.majority.tolist() == [0, -1, 1, -1, 0]


@pytest.mark.parametrize(
    ("names", "files", "match"),
    [
        (
            ["w1", "w9"],
            FILES,
            "1 of 2 annotated images has no file: .*'w9', the files",
        ),
        (
            ["s-1", "s-2"],
            FILES,
            "None of the 2 .*'s-1', 's-2', the files are called 'w1",
        ),
        (["w1.PNG"], FILES, "None of the 1"),
        (["w1"], [], "there are none"),
        (["w1"], ["w1.png", "w1.jpg"], "any of the files 'w1.jpg', 'w1.png'"),
        (["w1", "w1.png"], FILES, "'w1.png' and 'w1' are both the file 'w1.png'"),
        (["w3", "sub/w3"], FILES, "are both the file 'sub/w3.png'. Write"),
        (
            ["w1", "w1.png", "w3", "sub/w3"],
            FILES,
            "both the file 'w1.png', the first of 2 with .* `image=lambda row: row",
        ),
        (["w1.png"], ["a/w1.png", "b/w1.png"], "'b/w1.png'. Write the folder, or"),
        (["w1"], ["a/w1.png", "b/w1.png"], "Write the folder and the extension, or"),
        (["other/w3.png"], FILES, "None of the 1"),
        (["x\\y/w1", "x/y/sub/w3.png"], FILES, "fit without 'x/y/' in front"),
        (["x/w1", "x/w2", "y/w3"], FILES, "None of the 3 .*1 more. Make the names"),
        (["../w1.png", "w2"], FILES, "1 of 2 .* add the files, or pass `missing="),
    ],
)
def test_files_that_do_not_match(names, files, match):
    two_ways = any(f"{name}.png" in names for name in names)
    told = pytest.warns(UserWarning, match="with an extension and without")
    with told if two_ways else nullcontext():
        annotations = Annotations.from_records([(name, "x", "a") for name in names])
    with pytest.raises(AnnotationError, match=match):
        annotations.match(files)


def test_images_without_a_file_are_left_out_if_asked():
    annotations = Annotations.from_records([("w1.png", "x", "a"), ("w9", "y", "a")])
    with pytest.warns(UserWarning, match="1 annotated image has no file: left .*'w9'"):
        matched = annotations.match(FILES, missing="drop")
    assert matched.annotators == ("x",) and matched.counts.sum() == 1
    with pytest.raises(AnnotationError, match="None of the 1"):
        annotations.select(["w9"]).match(FILES, missing="drop")
