"""Annotations in CSV files with one answer per line."""

import gzip
from collections import Counter

import numpy as np
import pytest

from keras_dc3.annotations import AnnotationError, Annotations
from tests.annotations.helpers import LONG, counted, dict_rows, tally, told, write


def read(tmp_path, text, **options):
    return Annotations.from_csv(write(tmp_path, text), **options)


PLAIN = LONG + "a.png,x,cat\na.png,y,dog\nb.png,x,cat\n"
EXPECTED = {"a.png": {"cat": 1, "dog": 1}, "b.png": {"cat": 1}}


@pytest.mark.parametrize(
    "text",
    [
        PLAIN,
        PLAIN.rstrip(),
        PLAIN.replace("\n", "\r\n"),
        PLAIN.replace("\n", "\r"),
        "\ufeff" + PLAIN,
        PLAIN.replace(",", ";"),
        PLAIN.replace(",", "\t"),
        PLAIN.replace(",", "|"),
        PLAIN.replace("cat", '"cat"'),
        PLAIN.replace("\n", ",,\n"),  # empty columns behind the others
        PLAIN.replace("\n", "\n\n") + ",,\n",  # empty lines
        gzip.compress(PLAIN.encode(), mtime=0),
        "label;image;place;annotator\ncat;a.png;1,2;x\ndog;a.png;;y\ncat;b.png;3,4,5;x",
    ],
)
def test_forms_of_the_same_table(tmp_path, text):
    with told() as texts:
        annotations = read(tmp_path, text)
    assert counted(annotations) == EXPECTED and not texts
    assert annotations.annotators == ("x", "y")


def test_columns_by_name_number_and_function(tmp_path):
    text = "x/a.png_1 cat\nx/a.png_2 dog\nx/b.png_1 cat\n"
    by_number = read(tmp_path, text, image=0, annotator=None, label=1, separator=" ")
    assert by_number.majority.tolist() == [0, 1, 0] and by_number.annotators == ()
    assert by_number.records.annotator.tolist() == [-1, -1, -1]
    by_function = read(
        tmp_path,
        "3 lines\nof words\n" + text,
        image=lambda row: row[0].split("/")[1].rsplit("_", 1)[0],
        annotator=lambda row: row[0].rsplit("_", 1)[1],
        label=1,
        separator=" ",
        skip=2,
    )
    assert counted(by_function) == EXPECTED
    named = read(
        tmp_path,
        "file,who,what\na.png,1,cat\na.png,2,dog\nb.png,1,cat\n",
        image="file",
        annotator="who",
        label=lambda row: row["what"],
    )
    assert counted(named) == EXPECTED and named.annotators == ("1", "2")
    lines = read(tmp_path, "cat\ndog\n\n", image=None, annotator=None, label=0)
    assert counted(lines) == {"0": {"cat": 1}, "1": {"dog": 1}}


def test_several_files_with_several_separators(tmp_path):
    first = write(tmp_path, LONG + "a,x,cat\n", "1.csv")
    second = write(tmp_path, "label;image;annotator\ndog;a;y\n", "2.csv")
    both = Annotations.from_csv([first, second])
    assert counted(both) == {"a": {"cat": 1, "dog": 1}}
    third = write(tmp_path, LONG + "a,x,dog\n", "3.csv")
    with pytest.raises(AnnotationError, match=r"1\.csv', line 2; .*3\.csv', line 2"):
        Annotations.from_csv([first, third], repeated="error")
    with pytest.raises(ValueError, match="each once"):
        Annotations.from_csv([first, first])
    with pytest.raises(ValueError, match="one file or more"):
        Annotations.from_csv([])


def test_seconds(tmp_path):
    header = "image,annotator,label,seconds\n"
    text = header + "a,x,cat,1.5\na,y,cat,\nb,x,dog,NaN\n"
    seconds = read(tmp_path, text).records.seconds
    np.testing.assert_array_equal(seconds, [1.5, np.nan, np.nan])
    assert np.isnan(read(tmp_path, text, seconds=None).records.seconds).all()
    with told() as texts:
        odd = header + "a,x,cat,0\nb,x,cat,-1\nc,x,cat,99\nd,x,cat,inf\ne,x,cat,\n"
        strange = read(tmp_path, odd, longest_seconds=60)
    assert "Of 5 times, 1 are missing, 1 zero, 1 negative and 2 above 60 s" in texts[0]
    assert len(strange.records) == 5 and np.isnan(strange.records.seconds).all()
    with pytest.raises(AnnotationError, match=r"a\.csv', line 3: `seconds` .*'1,5'"):
        read(tmp_path, header + 'a,x,cat,1\nb,x,cat,"1,5"\n')
    with pytest.raises(AnnotationError, match=r"lacks the columns \['rt'\]"):
        read(tmp_path, text, seconds="rt")


def test_what_is_no_answer(tmp_path):
    text = LONG + "a,x,na\na,y,cat\nb,x,\nc,x,cat\n"
    with told() as texts:
        naive = read(tmp_path, text)
    assert naive.class_names == ("cat", "na")
    assert "1 label is 'na', which is a class here" in texts[0]
    with told() as texts:
        annotations = read(tmp_path, text, no_answer=["na"])
    assert counted(annotations) == {"a": {"cat": 1}, "b": {}, "c": {"cat": 1}}
    assert annotations.records.label.tolist() == [-1, 0, -1, 0] and not texts
    assert annotations.unannotated == ("b",)


def test_unknown_annotators_are_different_people(tmp_path):
    text = LONG + "a,,cat\na,,cat\na,x,dog\n"
    with pytest.warns(UserWarning, match="2 answers name no annotator"):
        annotations = read(tmp_path, text)
    assert counted(annotations) == {"a": {"cat": 2, "dog": 1}}
    assert annotations.annotators == ("x",)
    with pytest.warns(UserWarning, match="1 answer names no annotator"):
        read(tmp_path, LONG + "a,,cat\na,x,dog\nb,,\n")  # of b there is no answer


# -- bad input


@pytest.mark.parametrize(
    ("text", "options", "match"),
    [
        ("", {}, "is empty"),
        ("\n\n", {}, "is empty"),
        (LONG, {}, "holds no annotation: there are 0 answers"),
        (LONG + "a,x,\nb,y, \n", {}, "holds no annotation: there are 2 answers"),
        (
            "image,label\na,cat\n",
            {},
            r"lacks the columns \['annotator'\].*annotator=No",
        ),
        ("Image,annotator,label\na,x,cat\n", {}, "Did you mean `image='Image'`"),
        ("a.png,x,cat\nb.png,y,dog\n", {}, "all columns by number"),
        (LONG.replace("label", "image"), {}, "lacks"),
        (
            "image,image,annotator,label\na,b,x,cat\n",
            {},
            "more than one column 'image'",
        ),
        (LONG + "a,x,cat\n,x,cat\n", {}, "line 3: the image has no name"),
        (LONG + "a,x,cat\nb,x\n", {}, "line 3: there are 2 cells instead of 3"),
        (LONG + "a,x,cat\nb,x,cat,dog\n", {}, "line 3: there are 4 cells"),
        (LONG + 'a,x,cat\nb,x,"ca', {}, "line 3: this is no table"),
        (LONG + f"a,x,{'c' * 200_000}\n", {}, "line 2: this is no table"),
        (LONG + "a,x,cät\n", {"encoding": "ascii"}, "line 2: this is not ascii"),
        (
            LONG + 'a,x,"{""Label"":""Up""}"\n',
            {},
            "line 2: the label is not a class but",
        ),
        (
            "0,x,cat\n",
            {"image": 0, "annotator": 1, "label": 7},
            "has 3 columns, 0 to 2",
        ),
        (
            "cat\n\ndog\n",
            {"image": None, "annotator": None, "label": 0},
            "line 2 is empty, but the number of the line tells the image",
        ),
        (
            LONG + "a,x,cat\n",
            {"label": lambda row: row["lable"]},
            "line 2: the function `label` fails with KeyError: 'lable'",
        ),
        (
            LONG + "a,x,cat\n",
            {"label": lambda row: [3]},
            r"must be text or a number.*\[3",
        ),
        (
            "filename,region_shape_attributes,region_attributes\na,{},cat\n",
            {"image": "filename", "annotator": None, "label": "region_attributes"},
            "labels regions, not images",
        ),
    ],
)
def test_files_that_cannot_be_read(tmp_path, text, options, match):
    with pytest.raises(AnnotationError, match=match) as caught:
        read(tmp_path, text, **options)
    assert "a.csv" in str(caught.value)


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        ({"repeated": "first"}, ValueError, "`repeated` must be one of"),
        ({"separator": ", "}, ValueError, "one character"),
        ({"encoding": "utf-9"}, ValueError, "name of a text encoding"),
        ({"encoding": "hex"}, ValueError, "name of a text encoding"),
        ({"skip": -1}, ValueError, "number of lines"),
        ({"no_answer": "na"}, TypeError, "list of the texts"),
        ({"no_answer": ["cat"], "class_names": ["cat"]}, ValueError, "in `no_answer`"),
        ({"class_names": [0, 1]}, TypeError, "non-empty strings"),
        ({"class_names": ["a", "a"]}, ValueError, "must differ"),
        ({"image": 0}, ValueError, "all by number"),
        ({"image": -1, "annotator": None, "label": 0}, ValueError, "from 0"),
        ({"label": None}, TypeError, "where the labels are"),
        ({"label": 3.5}, TypeError, "the name of a column, its number, or a function"),
        ({"longest_seconds": 0}, ValueError, "above 0"),
    ],
)
def test_wrong_arguments(tmp_path, options, error, match):
    with pytest.raises(error, match=match):
        read(tmp_path, PLAIN, **options)


def test_files_that_are_not_there_or_damaged(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        Annotations.from_csv(tmp_path / "nowhere.csv")
    with pytest.raises(AnnotationError, match="is damaged"):
        read(tmp_path, gzip.compress(PLAIN.encode())[:-9])


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16", "utf-16-le"])
def test_other_encodings(tmp_path, encoding):
    text = LONG + "a,x,cat\nb,x,Bär\n"
    path = write(tmp_path, text, encoding=encoding)
    with pytest.raises(AnnotationError) as caught:
        Annotations.from_csv(path)
    assert "a.csv" in str(caught.value)
    if encoding != "utf-16-le":  # which is UTF-8 with many zeros, but no table
        assert "this is not utf-8" in str(caught.value)
        assert ("utf-16" if encoding == "utf-16" else "cp1252") in str(caught.value)
    if encoding in ("latin-1", "cp1252"):
        assert "line 3" in str(caught.value)
    assert Annotations.from_csv(path, encoding=encoding).class_names == ("Bär", "cat")


def test_labels_that_look_like_numbers(tmp_path):
    text = LONG + "1,x,10\n1,y,9\n2,x,9\n2,y,10\n"
    assert read(tmp_path, text).class_names == ("9", "10")
    with told() as texts:
        mixed = read(tmp_path, text + "3,x,9.0\n3,y,010\n")
    assert mixed.class_names == ("9", "9.0", "010", "10")
    assert "'010' and '10', '9' and '9.0'" in texts[0]
    with pytest.raises(AnnotationError, match=r"'9.0' \(line 6; did you mean"):
        read(tmp_path, text + "3,x,9.0\n", class_names=["9", "10"])


def test_a_label_column_that_is_none(tmp_path):
    rows = "".join(f"{i},x,{i}\n" for i in range(30_000))
    with pytest.raises(AnnotationError, match="Is `label` the right column"):
        read(tmp_path, LONG + rows)


# -- real data


@pytest.mark.slow
def test_150_000_real_rows(data_dir):
    path = data_dir / "cifar10n_annotations.csv.gz"
    if not path.is_file():
        pytest.skip(f"{path} does not exist")
    annotations = Annotations.from_csv(path)
    with gzip.open(path, "rt") as file:
        rows = [line.rstrip("\n").split(",") for line in file][1:]
    classes = [f"{r[0]} {r[2]}" for r in rows]
    counts = Counter(classes)
    names = {f"{image} {c}" for image, row in counted(annotations).items() for c in row}
    assert names == set(counts) and annotations.counts.sum() == len(rows) == 150_000
    assert annotations.ambiguous_fraction == pytest.approx(0.396, abs=0.001)
    assert annotations.records.seconds.sum() == pytest.approx(
        sum(float(r[3]) for r in rows)
    )


@pytest.mark.slow
def test_made_up_table_of_that_size_against_a_loop(tmp_path, rng):
    rows = [
        (f"{i:05d}", f"w{rng.integers(700)}", "abcdefghij"[rng.integers(10)])
        for i in range(20_000)
        for _ in range(3)
    ]
    path = write(tmp_path, LONG + "\n".join(map(",".join, rows)))
    with told():
        assert counted(Annotations.from_csv(path)) == tally(rows)
    assert len(dict_rows(path)) == 60_000
