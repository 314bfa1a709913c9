"""Tables that are not quite tables, and numbers that are not quite counts."""

import numpy as np
import pytest

from keras_dc3.annotations import AnnotationError, Annotations
from tests.annotations.helpers import LONG, counted, told, write

ROWS = "a.png,x,cat\na.png,y,dog\nb.png,x,cat\n"
EXPECTED = {"a.png": {"cat": 1, "dog": 1}, "b.png": {"cat": 1}}
NUMBERED = {"image": 0, "annotator": 1, "label": 2}


def read(tmp_path, content, **options):
    return Annotations.from_csv(write(tmp_path, content), **options)


# -- what stands in front of a table


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_line_that_declares_the_separator(tmp_path, separator, end):
    text = f"sep={separator}\n" + (LONG + ROWS).replace(",", separator)
    annotations = read(tmp_path, text.replace("\n", end))
    assert counted(annotations) == EXPECTED
    assert read(tmp_path, text, separator=separator) == annotations
    assert read(tmp_path, text, skip=1) == annotations
    no_header = f"sep={separator}\n" + ROWS.replace(",", separator)
    assert counted(read(tmp_path, no_header, **NUMBERED)) == EXPECTED
    with pytest.raises(AnnotationError, match="line 6: there are 2 cells"):
        read(tmp_path, text + f"c.png{separator}x\n")


@pytest.mark.parametrize(
    ("front", "skip"),
    [
        ("# made by a tool\n", 1),
        ("# made by a tool\n# on a day\n", 2),
        ("survey 7\n\nfish,2024,north\n", 3),
        ("; ; ;\n", None),
    ],
)
def test_lines_in_front_are_named(tmp_path, front, skip):
    text = front + (LONG + ROWS).replace(",", ";")
    if skip is None:  # blanks alone are no line of the table
        assert counted(read(tmp_path, text.replace(front, "  ;  ; \n"))) == EXPECTED
        return
    with pytest.raises(AnnotationError, match=f"skip={skip}`") as caught:
        read(tmp_path, text)
    assert "a.csv" in str(caught.value) and f"line {skip + 1}" in str(caught.value)
    assert counted(read(tmp_path, text, skip=skip)) == EXPECTED


def test_a_comment_in_front_of_a_table_without_header(tmp_path):
    text = "# made by a tool\n" + ROWS
    with pytest.raises(AnnotationError, match=r"line 2: .*pass `skip=1`"):
        read(tmp_path, text, **NUMBERED)
    with pytest.raises(AnnotationError, match=r"line 5: .*Remove the comment"):
        read(tmp_path, LONG + ROWS + "# the end\n")


def test_rows_of_blanks_are_empty_lines(tmp_path):
    text = LONG + "a.png,x,cat\n   \n  , ,\t\n" + ROWS[12:] + " \n"
    with told() as texts:
        assert counted(read(tmp_path, text)) == EXPECTED and not texts


def test_a_class_called_image_makes_no_header(tmp_path):
    with pytest.raises(AnnotationError, match="lacks the columns"):
        Annotations.from_wide(write(tmp_path, "ID,x,y\na,image,b\n"))


# -- encodings


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32"])
@pytest.mark.parametrize("label", ["cat", "Bär"])
def test_wide_encodings_are_named(tmp_path, encoding, label):
    path = write(tmp_path, LONG + f"a.png,x,{label}\n", encoding=encoding)
    with pytest.raises(AnnotationError, match=f"probably '{encoding}'") as caught:
        Annotations.from_csv(path)
    assert "a.csv" in str(caught.value)
    assert Annotations.from_csv(path, encoding=encoding).class_names == (label,)


def test_one_zero_byte_is_no_encoding(tmp_path):
    assert read(tmp_path, LONG + "a,x,c\0t\n").class_names == ("c\0t",)


# -- headers, columns


@pytest.mark.parametrize(
    "header", [LONG, "File,Worker,Class\n", "Bild,Gutachter,Klasse\n"]
)
def test_a_header_read_as_an_answer_is_told(tmp_path, header):
    rows = ROWS + "c.png,y,dog\n"
    with told() as texts:
        annotations = read(tmp_path, header + rows, **NUMBERED)
    assert len(annotations) == 4 and "Line 1 reads like a header" in texts[0]
    assert "`skip=1`" in annotations.notes[0]
    with told() as texts:
        read(tmp_path, header + rows, **NUMBERED, skip=1)
        read(tmp_path, rows, **NUMBERED)
        read(tmp_path, "z.png,z,eel\n" + rows + "d.png,w,cod\n", **NUMBERED)
    assert not texts
    with told() as texts:
        wide = write(tmp_path, "image,ann,ben\na.png,cat,cat\n")
        Annotations.from_wide(wide, image=0, annotators=[1, 2])
    assert "Line 1 reads like a header ('image')" in texts[0]


def test_columns_without_a_name_are_no_annotators(tmp_path):
    text = "Unnamed: 0,image,x,y,\n0,a,cat,dog,7\n1,b,cat,cat,8\n"
    annotations = Annotations.from_wide(write(tmp_path, text))
    assert annotations.annotators == ("x", "y")
    asked = Annotations.from_wide(write(tmp_path, text), annotators=["Unnamed: 0"])
    assert asked.annotators == ("Unnamed: 0",)


@pytest.mark.parametrize("form", ["csv", "frame"])
def test_a_doubled_column_of_seconds(tmp_path, form):
    text = "image,annotator,label,seconds,seconds\na,x,cat,1,2\n"
    with pytest.raises(AnnotationError, match="more than one column 'seconds'"):
        if form == "csv":
            read(tmp_path, text)
        else:
            pd = pytest.importorskip("pandas")
            names = text.splitlines()[0].split(",")
            Annotations.from_frame(pd.DataFrame([["a", "x", "c", 1, 2]], columns=names))
    assert len(read(tmp_path, text, seconds=None)) == 1


def test_very_many_columns_are_not_compared_one_by_one(tmp_path, monkeypatch):
    def refuse(*args, **options):
        raise AssertionError("each comparison of two names takes its time")

    monkeypatch.setattr("difflib.get_close_matches", refuse)
    text = ",".join(f"gene_{i}" for i in range(10_000)) + ",IMAGE\n"
    with pytest.raises(AnnotationError, match="mean `image='IMAGE'`"):
        read(tmp_path, text + text)
    wide = Annotations.from_wide(write(tmp_path, text + text), image="IMAGE")
    assert wide.counts.sum() == 10_000


# -- arguments and values


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda p: Annotations.from_csv(None), TypeError, "`path` must be the name"),
        (lambda p: Annotations.from_csv([None]), TypeError, "`path` must be the name"),
        (lambda p: Annotations.from_dcic(None), TypeError, "`path` must be the name"),
        (
            lambda p: Annotations.from_label_studio(3),
            TypeError,
            "`path` must be the name of a file. Received: int",
        ),
        (
            lambda p: Annotations.from_records(None),
            TypeError,
            "`records` must be a list",
        ),
        (
            lambda p: Annotations.from_csv(p / "a.csv", encoding=None),
            TypeError,
            "`encoding` must be the name",
        ),
        (
            lambda p: Annotations.from_csv(p / "a.csv", encoding="u\0"),
            ValueError,
            "`encoding` must be the name",
        ),
        (lambda p: Annotations.from_csv(p), IsADirectoryError, "is a folder, not a"),
        (lambda p: Annotations.from_wide(p), IsADirectoryError, "is a folder, not a"),
        (
            lambda p: Annotations.from_csv(p / "b.csv"),
            FileNotFoundError,
            r"There is no file '.*b\.csv'\. Correct the name",
        ),
        (
            lambda p: Annotations.from_matrix([[0, 1], [1]], rows="images"),
            ValueError,
            "rows of one length",
        ),
        (
            lambda p: Annotations.from_counts([[0, 1], [1]]),
            ValueError,
            "rows of several lengths",
        ),
    ],
)
def test_wrong_arguments_are_told_in_a_sentence(tmp_path, call, error, match):
    write(tmp_path, LONG + ROWS)
    with pytest.raises(error, match=match) as caught:
        call(tmp_path)
    assert "Errno" not in str(caught.value)


def test_a_data_frame_for_a_file():
    pd = pytest.importorskip("pandas")
    with pytest.raises(TypeError, match="for a data frame use `from_frame`"):
        Annotations.from_csv(pd.DataFrame({"image": ["a"]}))


@pytest.mark.parametrize("value", [b"\xff", 10**5000], ids=["bytes", "digits"])
def test_values_that_are_no_text(value):
    match = "position 1: `label` must be text or a number"
    with pytest.raises(AnnotationError, match=match):
        Annotations.from_records([("a", "x", b"ok"), ("b", "x", value)])
    with pytest.raises(AnnotationError, match="must be a number or text"):
        answers = np.array([["ok", value]], dtype=object)
        Annotations.from_matrix(answers, rows="images")


# -- matrices and counts


MATRIX = np.array([[0, 1, -1], [-1, 1, 0]])


@pytest.mark.parametrize("rows", ["images", "annotators"])
def test_masked_answers_are_gaps(rows):
    masked = np.ma.masked_array(np.abs(MATRIX), mask=MATRIX < 0)
    if rows == "annotators":
        masked = masked.T
    assert Annotations.from_matrix(masked, rows=rows) == Annotations.from_matrix(
        MATRIX, rows="images"
    )
    free = np.ma.masked_array(MATRIX)
    assert len(Annotations.from_matrix(free, rows="images")) == 2


@pytest.mark.parametrize("gap", [-1, -1.0, np.int64(-1), np.float32(-1), "-1", None])
def test_gaps_in_matrices_of_objects(gap):
    answers = MATRIX.astype(object)
    for row, column in np.argwhere(MATRIX < 0):
        answers[row, column] = gap  # of its own type
    with told() as texts:
        annotations = Annotations.from_matrix(answers, rows="images")
    assert annotations == Annotations.from_matrix(MATRIX, rows="images") and not texts


def test_gaps_of_pandas():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(MATRIX, columns=list("xyz")).astype("Int64").replace(-1, pd.NA)
    expected = Annotations.from_matrix(MATRIX, rows="images", annotators=list("xyz"))
    answers = frame.to_numpy()
    assert answers.dtype == object
    read = Annotations.from_matrix(answers, rows="images", annotators=list("xyz"))
    assert read == expected
    records = Annotations.from_records([("a", "x", "cat"), ("b", "x", pd.NA)])
    assert records.unannotated == ("b",)


def test_masked_counts_are_refused():
    counts = np.ma.masked_array([[1, 2]], mask=[[True, False]])
    with pytest.raises(ValueError, match=r"counts\.filled\(0\)"):
        Annotations.from_counts(counts)
    assert Annotations.from_counts(counts.filled(0)).counts.tolist() == [[0, 2]]


@pytest.mark.parametrize("counts", [[[1e308, 1e308]], [[2**62, 2**62]], [[1e30, 0.5]]])
def test_counts_that_cannot_be_added_up(counts):
    with told() as texts, pytest.raises(ValueError, match="2\\*\\*53 at most, but row"):
        Annotations.from_counts(counts)
    assert not texts


def test_percentages_are_told():
    for percent in ([[60.0, 40.0], [0.0, 0.0]], [[66.6, 33.3], [50.0, 50.0]]):
        with told() as texts:
            annotations = Annotations.from_counts(percent)
        assert "seem to be percentages" in texts[0] and annotations.notes
        np.testing.assert_allclose(annotations.soft_labels[0].sum(), 1, rtol=1e-6)
    with told() as texts:
        Annotations.from_counts([[60, 40]])  # a hundred people
        Annotations.from_counts([[60.0, 40.0], [3.0, 1.0]])
    assert not texts
