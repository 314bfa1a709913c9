"""Names in several files and Unicode forms; columns and labels that are no answers."""

import unicodedata

import numpy as np
import pytest

from keras_dc3 import Annotations, Proposals
from keras_dc3.annotations import AnnotationError
from keras_dc3.annotations.class_weights import check_class_weights
from keras_dc3.datasets import from_arrays
from tests.annotations.helpers import LONG, told, write

NAME = "M\u00fcll"
NFD = unicodedata.normalize("NFD", NAME)


def two_files(tmp_path, first, second):
    rows = [
        LONG + "".join(f"{name},{person},cat\n" for name in names)
        for person, names in (("anna", first), ("ben", second))
    ]
    return [write(tmp_path, text, f"{i}.csv") for i, text in enumerate(rows)]


@pytest.mark.parametrize("extension_first", [True, False])
def test_several_files_write_images_with_and_without_extension(
    tmp_path, extension_first
):
    names = [[f"i{n}.png" for n in range(6)], [f"i{n}" for n in range(6)]]
    files = two_files(tmp_path, *names[:: 1 if extension_first else -1])
    with pytest.warns(UserWarning, match="6 images were written with"):
        found = Annotations.from_csv(files)
    assert len(found) == 6 and (found.annotations_per_image == 2).all()
    assert found.ids == tuple(names[0 if extension_first else 1])
    files = two_files(tmp_path, ["a.png", "a.jpg"], ["a"])
    with pytest.raises(AnnotationError, match="'a' can be any of"):
        Annotations.from_csv(files)


@pytest.mark.parametrize(
    ("first", "second"),
    [(["cod/1.png"], ["1.png"]), (["cod/1"], ["sea/cod/1"]), (["x/1"], ["y/1"])],
)
def test_folders_that_differ_are_told(tmp_path, first, second):
    files = two_files(tmp_path, first, second)
    with pytest.warns(UserWarning, match="1 image differs .* in its folder alone"):
        found = Annotations.from_csv(files)
    assert len(found) == 2
    one, two = map(Annotations.from_csv, files)
    with pytest.warns(UserWarning, match="in its folder alone"):
        one.merge(two)
    with told() as texts:
        Annotations.from_csv(two_files(tmp_path, ["x/1", "y/1"], ["x/1", "y/2"]))
    assert not texts


@pytest.mark.parametrize("written", [NAME, NFD])
@pytest.mark.parametrize("asked", [NAME, NFD])
def test_columns_in_any_unicode_form(tmp_path, written, asked):
    path = write(tmp_path, f"{written},annotator,label\na,x,cat\n")
    for image in (asked, lambda row: row[asked]):
        assert Annotations.from_csv(path, image=image).ids == ("a",)
    path = write(tmp_path, f"image,{written},ben\na,cat,dog\n")
    found = Annotations.from_wide(path, annotators=[asked, "ben"])
    assert found.annotators == (NAME, "ben")
    path = write(tmp_path, f"{written},cat,dog\na,1,2\n")
    assert Annotations.from_counts(path, image=asked).ids == ("a",)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({written: ["a"], "annotator": ["x"], "label": ["y"]})
    assert Annotations.from_frame(frame, image=asked).ids == ("a",)


def test_two_columns_that_look_alike_are_refused(tmp_path):
    path = write(tmp_path, f"image,{NAME},{NFD}\na,1,2\n")
    with pytest.raises(AnnotationError, match="more than one column"):
        Annotations.from_counts(path)


def test_class_weights_in_any_unicode_form():
    assert check_class_weights({NFD: 2}, 2, ["a", NAME]) == {0: 1.0, 1: 2.0}
    assert check_class_weights({NAME: 2}, 2, ["a", NFD]) == {0: 1.0, 1: 2.0}
    with pytest.raises(ValueError, match="differ only in Unicode form"):
        check_class_weights({NFD: 2, NAME: 1}, 2, ["a", NAME])


def test_ids_that_look_alike_are_told():
    with pytest.warns(UserWarning, match="differ only in their Unicode form"):
        from_arrays(
            np.zeros((4, 4, 4, 3), "uint8"),
            [[1, 0], [0, 1]] * 2,
            ids=[NAME, NFD, "a", "b"],
            labeled=3,
            validation=None,
        )
    with pytest.warns(UserWarning, match="differ only in their Unicode form"):
        Proposals(
            ids=[NAME, NFD],
            class_names=["a", "b"],
            ambiguity=[0.1, 0.2],
            class_probabilities=[[0.5, 0.5]] * 2,
            cluster_probabilities=[[0.5, 0.5]] * 2,
        )


# -- columns and labels that are no answers


@pytest.mark.parametrize("title", ["count", "n", "num_votes", "Anzahl"])
def test_a_column_that_counts_answers_is_told(tmp_path, title):
    path = write(tmp_path, f"image,label,{title}\na,cat,3\na,dog,1\nb,cat,4\n")
    with pytest.warns(UserWarning, match=f"column '{title}' are not read.*from_counts"):
        Annotations.from_csv(path, annotator=None)
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(path)
    with told() as texts:
        Annotations.from_frame(frame, annotator=None)
    table = eval(texts[0].split("pass `")[1].split("` of a data")[0])
    assert Annotations.from_counts(table).counts.tolist() == [[3, 1], [4, 0]]


@pytest.mark.parametrize("separator", [";", "|", ",", " + ", "/"])
def test_several_choices_are_told(separator):
    joint = f"cat{separator}dog"
    rows = [("a", "x", "cat"), ("a", "y", "dog"), ("b", "x", joint)]
    with pytest.warns(UserWarning, match="Labels of several classes at once"):
        Annotations.from_records(rows)
    with told() as texts:
        Annotations.from_records(rows, class_names=["cat", "dog", joint])
        Annotations.from_records([("a", "x", "fish/cod"), ("a", "y", "fish/eel")])
    assert not texts


@pytest.mark.parametrize("cell", ["['cat', 'dog']", '["cat", "dog"]', "('cat', 'dog')"])
def test_a_list_is_no_class(cell):
    with pytest.raises(AnnotationError, match="the label is not a class"):
        Annotations.from_records([("a", "x", "cat"), ("b", "x", cell)])


def test_ordered_categories():
    pandas = pytest.importorskip("pandas")

    def column(labels, *order):
        return pandas.Categorical(labels, categories=order, ordered=True)

    scale = ("none", "mild", "bad")
    frame = pandas.DataFrame({"image": ["a", "b"], "annotator": ["x", "x"]})
    frame["label"] = column(["none", "mild"], *scale)
    with told() as texts:
        assert Annotations.from_frame(frame).class_names == scale
    assert not texts  # "none" is declared
    frame = pandas.DataFrame({"image": ["a", "b"]})
    frame["anna"] = column(["none", "mild"], *scale)
    frame["ben"] = column(["none", "mild"], *scale[::-1])
    with pytest.warns(UserWarning, match="'anna' and 'ben' order .* differently"):
        Annotations.from_wide(frame)


@pytest.mark.parametrize(
    "name",
    [
        *("I can't tell", "unable to tell", "no data", "no_data", "N/D", "undefined"),
        *("inconclusive", "illegible", "not clear", "unrecognised", "other/unknown"),
        *("unidentifiable fish", "blurry", "none of the above", "-9", "-99", "-999"),
    ],
)
def test_more_names_that_mean_no_answer(name):
    with pytest.warns(UserWarning, match="which is a class here"):
        Annotations.from_records([("a", "x", "cod"), ("b", "x", name)])
