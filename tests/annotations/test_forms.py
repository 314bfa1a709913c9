"""Annotations from data frames, wide tables, matrices, counts and records."""

import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from keras_dc3.annotations import AnnotationError, Annotations
from tests.annotations.helpers import counted, tally, told, write

# -- records


def test_records_of_text_and_numbers():
    with told():
        annotations = Annotations.from_records(
            [
                (7, 1, 0, 1.5),
                (np.int64(7), 2.0, np.float32(1.0)),
                (Path("a") / "b.png", None, b"1", "2.5"),
                ("8", float("nan"), np.nan),
                ("9", True, np.str_("0"), None),
            ]
        )
    assert annotations.ids == ("7", "a/b.png", "8", "9")
    assert annotations.class_names == ("0", "1")
    assert annotations.annotators == ("1", "2", "True")
    np.testing.assert_array_equal(
        annotations.records.seconds, [1.5, np.nan, 2.5, np.nan]
    )
    assert annotations.unannotated == ("8",)


@pytest.mark.parametrize(
    ("records", "match"),
    [
        ([], "The records holds no annotation: there are 0"),
        ([("a", "x")], r"must be \(image, annotator, label\).*position 0"),
        ([("a", "x", "cat"), "abc"], "Received: 'abc' at position 1"),
        ([("a", "x", ["cat"])], "position 0: `label` must be text or a number"),
        ([("a", {}, "cat")], "`annotator` must be text or a number"),
        ([("a", "x", "cat", "soon")], "`seconds` must be a number or empty"),
        ([(None, "x", "cat")], "position 0: the image has no name"),
    ],
)
def test_records_that_are_none(records, match):
    with pytest.raises(AnnotationError, match=match):
        Annotations.from_records(records)


# -- data frames


def test_frame(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(
        {
            "file": ["a", "a", "b", "c"],
            "who": [1, 2, 1, 2],
            "what": [0.0, 1.0, np.nan, 1.0],  # integers, before a gap came in
            "time": [1.5, np.nan, 2.0, 3.0],
        }
    )
    columns = {"image": "file", "annotator": "who", "label": "what", "seconds": "time"}
    annotations = Annotations.from_frame(frame, **columns)
    assert annotations.class_names == ("0", "1") and annotations.annotators == (
        "1",
        "2",
    )
    assert counted(annotations) == {"a": {"0": 1, "1": 1}, "b": {}, "c": {"1": 1}}
    assert Annotations.from_frame(frame.convert_dtypes(), **columns) == annotations
    assert Annotations.from_frame(frame.astype("category"), **columns) == annotations
    function = {**columns, "image": lambda row: f"{row['file']}.png"}
    assert Annotations.from_frame(frame, **function).ids[0] == "a.png"
    long = annotations.to_frame()
    assert list(long.columns) == ["image", "annotator", "label", "seconds"]
    assert Annotations.from_frame(long) == annotations
    assert Annotations.from_frame(long.iloc[::-1], seconds=None).counts.sum() == 3
    annotations.to_csv(tmp_path / "a.csv")
    text = pd.read_csv(tmp_path / "a.csv", dtype=str)
    assert Annotations.from_frame(text) == annotations


def test_frames_that_are_none():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"image": ["a"], "annotator": ["x"], "label": [["cat"]]})
    with pytest.raises(AnnotationError, match=r"row 0: `label` must be text"):
        Annotations.from_frame(frame)
    with pytest.raises(AnnotationError, match=r"lacks the columns \['label'\]"):
        Annotations.from_frame(frame.rename(columns={"label": "answer"}))
    with pytest.raises(AnnotationError, match="holds no annotation"):
        Annotations.from_frame(frame.iloc[:0])
    with pytest.raises(TypeError, match="must be a pandas data frame"):
        Annotations.from_frame("a.csv")


def test_frames_need_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    annotations = Annotations.from_records([("a", "x", "cat")])
    with pytest.raises(ImportError, match=r"keras_dc3\[pandas\]"):
        annotations.to_frame()


def test_frame_of_counts_is_refused():
    with pytest.raises(ValueError, match="Only counts are known"):
        Annotations.from_counts([[1, 2]]).to_frame()
    with pytest.raises(ValueError, match="`form` must be one of"):
        Annotations.from_counts([[1, 2]]).to_frame("wide")


# -- wide tables

WIDE = "\ufeffID;first;second;third;;\na;cat;;dog;;\nb;;na;;;\nc;cat;cat;cat;;\n"


def test_wide_file(tmp_path):
    path = write(tmp_path, WIDE)
    annotations = Annotations.from_wide(path, image="ID", no_answer=["na"])
    assert annotations.ids == ("a", "b", "c")
    assert counted(annotations) == {"a": {"cat": 1, "dog": 1}, "b": {}, "c": {"cat": 3}}
    assert annotations.annotators == ("first", "third", "second")
    two = Annotations.from_wide(path, image="ID", annotators=["third", "first"])
    assert counted(two)["c"] == {"cat": 2}
    places = Annotations.from_wide(path, image="ID", anonymous=True, no_answer=["na"])
    assert places.annotators == () and (places.counts == annotations.counts).all()
    numbered = Annotations.from_wide(
        path, image=0, annotators=[1, 2, 3], skip=1, no_answer=["na"]
    )
    assert (numbered.counts == annotations.counts).all()
    assert numbered.annotators == ("1", "3", "2")


@pytest.mark.parametrize(
    ("text", "options", "error", "match"),
    [
        (WIDE, {}, AnnotationError, "lacks the columns.*'image'"),
        (WIDE, {"image": "ID", "annotators": ["x"]}, AnnotationError, "lacks.*'x'"),
        (WIDE, {"image": "ID", "annotators": "first"}, TypeError, "list of columns"),
        (WIDE, {"image": 0}, ValueError, "must number the columns"),
        ("image\na\n", {}, AnnotationError, "no column of an annotator"),
        ("image,x,x\na,1,2\n", {}, AnnotationError, "more than one column 'x'"),
        ("image,x\na,1\n,2\n", {}, AnnotationError, "line 3: the image has no name"),
        ("image,x\na,\n", {}, AnnotationError, "holds no annotation"),
        ("image,x\na,1\na,2\n", {"repeated": "error"}, AnnotationError, "lines 2, 3"),
        ("image,x\na,1\nb,3\n", {"class_names": ["1", "2"]}, AnnotationError, "line 3"),
    ],
)
def test_wide_files_that_cannot_be_read(tmp_path, text, options, error, match):
    with pytest.raises(error, match=match):
        Annotations.from_wide(write(tmp_path, text), **options)


@pytest.mark.filterwarnings("ignore:The data frame:")
def test_wide_frame(tmp_path):
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"ID": ["a", "b"], "x": [1, np.nan], "y": [2, 1]})
    annotations = Annotations.from_wide(frame, image="ID")
    assert counted(annotations) == {"a": {"1": 1, "2": 1}, "b": {"1": 1}}
    assert annotations.annotators == ("x", "y")
    with pytest.raises(TypeError, match="a file or a pandas data frame"):
        Annotations.from_wide([["a", 1]])


# -- matrices


@given(hnp.arrays("int64", (5, 3), elements=st.integers(-1, 3)))
def test_matrix_against_a_loop(matrix):
    if (matrix < 0).all():
        matrix[0, 0] = 0
    answers = [
        (str(i), str(a), str(matrix[i, a]))
        for i in range(5)
        for a in range(3)
        if matrix[i, a] >= 0
    ]
    expected = {str(i): {} for i in range(5)} | tally(answers)
    annotations = Annotations.from_matrix(matrix, rows="images")
    assert counted(annotations) == expected
    assert Annotations.from_matrix(matrix.T, rows="annotators") == annotations
    gaps = np.where(matrix < 0, np.nan, matrix)
    assert Annotations.from_matrix(gaps, rows="images") == annotations
    marked = Annotations.from_matrix(
        np.where(matrix < 0, 99, matrix), rows="images", not_asked=99
    )
    assert marked == annotations
    texts = np.where(matrix < 0, "", matrix.astype(str))
    assert Annotations.from_matrix(texts, rows="images") == annotations
    objects = np.where(matrix < 0, None, texts)
    assert Annotations.from_matrix(objects, rows="images") == annotations


def test_matrix_with_names():
    options = {
        "rows": "annotators",
        "ids": ["a", "b"],
        "annotators": ["x", "y", "z"],
    }
    matrix = [[0, 1], [1, -1], [1, 1]]
    annotations = Annotations.from_matrix(matrix, **options, class_names=["cat", "dog"])
    assert counted(annotations) == {"a": {"cat": 1, "dog": 2}, "b": {"dog": 2}}
    assert annotations.annotators == ("x", "y", "z")
    numbers = [[1, 2], [10, -1], [10, 10]]
    by_name = Annotations.from_matrix(numbers, **options)
    assert by_name.class_names == ("1", "2", "10")
    again = Annotations.from_matrix(numbers, **options, class_names=["10", "2", "1"])
    assert counted(again) == counted(by_name) and again.class_names[0] == "10"


@pytest.mark.parametrize(
    ("matrix", "options", "error", "match"),
    [
        ([[0, 1]], {"rows": "columns"}, ValueError, "`rows` must be one of"),
        ([0, 1], {}, ValueError, r"Received: shape \(2,\)"),
        ([[0, 1]], {"ids": ["a", "b"]}, ValueError, "must be 1 `ids`"),
        ([[0, 1]], {"annotators": ["x"]}, ValueError, "must be 2 `annotators`"),
        ([[-1, -1]], {}, AnnotationError, "The matrix holds no annotation"),
        ([[0, 2]], {"class_names": ["a", "b"]}, AnnotationError, r"0\.\.1.*is 2"),
        ([[0, 2]], {"class_names": ["0", "1"]}, AnnotationError, "'2' .image 0"),
        ([[0.5, 1]], {"class_names": ["a", "b"]}, AnnotationError, "is 0.5, the ans"),
        ([[{}, 1]], {}, AnnotationError, "answer of '0' to '0' must be a number"),
    ],
)
def test_matrices_that_do_not_fit(matrix, options, error, match):
    with pytest.raises(error, match=match):
        Annotations.from_matrix(matrix, **{"rows": "images", **options})


# -- counts


def test_counts():
    annotations = Annotations.from_counts([[3, 1], [0, 0]], ["a", "b"], ["cat", "dog"])
    assert annotations.records is None and annotations.annotators == ()
    assert annotations.unannotated == ("b",) and annotations.ambiguous_fraction == 1
    assert repr(annotations) == (
        "<Annotations of 2 images: 4, 2 classes, 100.0% ambiguous>"
    )
    soft = Annotations.from_counts(np.array([[0.25, 0.75], [0.0, 2.0]]))
    assert soft.counts.dtype == np.float64 and soft.ids == ("0", "1")
    np.testing.assert_allclose(soft.soft_labels, [[0.25, 0.75], [0, 1]])
    assert Annotations.from_counts([[2.0, 1.0]]).counts.dtype == np.int64
    with pytest.raises(ValueError, match="There must be 2 `class_names`"):
        Annotations.from_counts([[1, 2]], class_names=["a"])
    with pytest.raises(ValueError, match="finite and at least 0"):
        Annotations.from_counts([[1, np.nan]])


def test_counts_as_a_dict():
    counts = {"a": {"cat": 3, "no": 0}, "b": {}, "c": {"dog": 0.5, "cat": 0.5}}
    annotations = Annotations.from_counts(counts)
    assert annotations.class_names == ("cat", "dog")
    assert annotations.counts.tolist() == [[3, 0], [0, 0], [0.5, 0.5]]
    assert annotations.ids == ("a", "b", "c")
    ordered = Annotations.from_counts(counts, class_names=["eel", "dog", "cat"])
    assert ordered.counts[0].tolist() == [0, 0, 3]
    with pytest.raises(AnnotationError, match=r"'dog', counted for 'c'.*mean 'Dog'"):
        Annotations.from_counts(counts, class_names=["cat", "Dog"])
    with pytest.raises(AnnotationError, match="holds no annotation"):
        Annotations.from_counts({"a": {"cat": 0}})
    with pytest.raises(ValueError, match="names its images"):
        Annotations.from_counts(counts, ["a", "b", "c"])
    with pytest.raises(ValueError, match="finite and at least 0"):
        Annotations.from_counts({"a": {"cat": float("nan")}})
    for wrong in ({"a": 3}, {"a": {"cat": "3"}}, {"a": {3: 3}}):
        with pytest.raises(TypeError, match="dict of image -> dict of class"):
            Annotations.from_counts(wrong)
