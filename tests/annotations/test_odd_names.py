"""Names that may not be meant as they are written: told, and with a way out."""

import ast
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.annotations import AnnotationError, Annotations
from keras_dc3.annotations.names import essence
from tests.annotations.helpers import LONG, told, write

COMPOSED, APART = unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")


def labels(*names):
    """Annotations with these labels, one per image, and what was warned of."""
    with told() as texts:
        annotations = Annotations.from_records(
            [(f"{i}.png", "x", name) for i, name in enumerate(names)]
        )
    return annotations, "".join(texts)


# -- people


@pytest.mark.parametrize("form", ["long", "wide", "matrix"])
def test_people_in_several_spellings_are_told(tmp_path, form):
    with told() as texts:
        if form == "long":
            rows = "a,Ann,cat\na,ann,dog\na,ANN,cat\na,Ben,cat\n"
            annotations = Annotations.from_csv(write(tmp_path, LONG + rows))
        elif form == "wide":
            table = write(tmp_path, "image,Ann,ann,ANN,Ben\na,cat,dog,cat,cat\n")
            annotations = Annotations.from_wide(table)
        else:
            people = ["Ann", "ann", "ANN", "Ben"]
            annotations = Annotations.from_matrix(
                [[0, 1, 0, 0]], rows="images", annotators=people
            )
    assert annotations.counts.sum() == 4 and len(annotations.annotators) == 4
    assert len(texts) == 1 and "'ANN' and 'Ann' and 'ann'" in texts[0]
    assert "Annotators that differ only in case" in annotations.notes[0]
    assert "Ben" not in texts[0]


def test_different_people_are_not_told():
    with told() as texts:
        Annotations.from_records(
            [("a", "10000000000000000001", "x"), ("a", "10000000000000000002", "x")]
        )
    assert not texts


# -- classes


@pytest.mark.parametrize(
    "names",
    [
        ("cat", "ca\u200bt"),
        ("cat", "ca\u00adt"),
        ("cat", "c\u200eat"),
        ("cat", "c\u202eat"),
        ("12", "\uff11\uff12"),
        ("12", "\u0661\u0662"),
        ("grade 1", "grade \uff11"),
        ("1", "1."),
        ("1", "1e0"),
        ("1", "1,0"),
        ("100", "1E2"),
        ("0.5", ".50"),
        ("0", "-0.0"),
    ],
)
def test_classes_that_look_the_same_are_told(names):
    annotations, text = labels(*names)
    assert len(annotations.class_names) == 2
    assert "differ only in case" in text and annotations.notes
    # What is shown must tell them apart, on any screen.
    pair = text.split("written: ")[1].split(". They stay")[0].split(" and ")
    assert unicodedata.normalize("NFKC", pair[0]) != unicodedata.normalize(
        "NFKC", pair[1]
    )
    assert all(part.isprintable() for part in pair)


@pytest.mark.parametrize(
    "names",
    [("1", "10"), ("1", "-1.5"), ("1,000", "1"), ("e1", "1e"), (".", ","), ("a", "b")],
)
def test_classes_that_differ_are_not_told(names):
    assert "differ only" not in labels(*names)[1]


@given(
    st.decimals(-(10**12), 10**12, allow_nan=False, places=3),
    st.decimals(-(10**12), 10**12, allow_nan=False, places=3),
)
def test_numbers_are_the_same_if_their_values_are(one, other):
    assert (essence(f"{one:f}") == essence(f"{other:f}")) == (one == other)
    assert essence(f"{one:f}") == essence(f"{one:e}") == essence(f"{one:f}00")


def test_the_way_out_unites_all_variants_of_all_groups():
    names = ("01", "1", "1.0", "Cat", "cat", "CAT", "dog", "Dog", "2", "2.0")
    annotations, text = labels(*names)
    change = text.split("use `rename_classes(")[1].split(")`")[0]
    united = annotations.rename_classes(ast.literal_eval(change))
    assert len(united.class_names) == 4
    assert "`rename_classes({'ca\\u200bt': 'cat'})`" in labels("cat", "ca\u200bt")[1]
    many = [f"{word}{i}x" for i in range(15) for word in ("a", "A")]
    assert "likewise for the others" in labels(*many)[1]


@pytest.mark.parametrize("name", ["#N/A", "<NA>", "#n/a", "NaT", "#REF!", "NULL", "?"])
def test_what_other_tools_write_for_no_answer_is_told(name):
    with told() as texts:
        Annotations.from_records([("a", "x", name), ("b", "x", "cat")])
    assert f"`no_answer=['', '{name}']`" in texts[0]
    answers = [("a", "x", name), ("b", "x", "cat")]
    with told() as texts:
        annotations = Annotations.from_records(answers, no_answer=["", name])
    assert annotations.class_names == ("cat",) and not texts


def test_the_way_out_is_one_that_the_reader_has(tmp_path):
    with told() as texts:
        annotations = Annotations.from_matrix([["?", "cat"]], rows="images")
    assert "`no_answer=['', '?']`" in texts[0]
    assert "`rename_classes({'?': None})`" in texts[0]
    assert annotations.rename_classes({"?": None}).class_names == ("cat",)
    with told() as texts:
        left = Annotations.from_matrix(
            [["?", "a"]], rows="images", class_names=["a", "b"], no_answer=["?"]
        )
    assert left.counts.tolist() == [[1, 0]] and not texts
    with told() as texts:
        counts = Annotations.from_counts({"a": {"X": 1, "x": 2, "nan": 3}})
    assert "'X' and 'x'" in texts[0] and "3 labels are 'nan'" in texts[0]
    assert "`no_answer=['', 'nan']`" in texts[0] and len(counts.notes) == 2
    with told():
        left = Annotations.from_counts({"a": {"X": 1, "nan": 3}}, no_answer=["", "nan"])
    assert left.class_names == ("X",)


# -- names of files


@pytest.mark.parametrize(("table", "disk"), [(COMPOSED, APART), (APART, COMPOSED)])
@pytest.mark.parametrize("end", ["", ".png"])
def test_names_in_another_unicode_form_find_their_file(table, disk, end):
    annotations = Annotations.from_records([(f"{table}{end}", "x", "cat")])
    with pytest.warns(UserWarning, match="without the Unicode form"):
        matched = annotations.match(["b.png", f"{disk}.png"])
    assert matched.ids == ("b.png", f"{disk}.png") and matched.counts[1, 0] == 1
    with told():
        in_folder = annotations.match([f"c/{disk}.png"])
    assert in_folder.ids == (f"c/{disk}.png",)


def test_unicode_forms_that_are_not_unique():
    both = [f"{COMPOSED}.png", f"{APART}.png"]
    annotations = Annotations(tuple(both), ("cat",), counts=[[1], [1]])
    with told() as texts:
        assert annotations.match(both).ids == tuple(both) and not texts
    with pytest.raises(AnnotationError, match=r"'e\\u0301\.png' and '\\xe9\.png'"):
        annotations.match(both[:1])
    mixed = Annotations.from_records([("\u1e69.png", "x", "cat")])  # s, two dots
    files = ["\u1e61\u0323.png", "s\u0323\u0307.png"]
    with pytest.raises(AnnotationError, match=r"any of the files 's\\u0323.*Unicode"):
        mixed.match(files)


@pytest.mark.parametrize(
    ("image", "file", "hint"),
    [
        ("A.png", "a.png", "in capital letters"),
        ("a.PNG", "a.png", "in capital letters"),
        ("x/A.png", "X/a.png", "in capital letters"),
        ("A", "x/a.png", "in capital letters and the extension"),
        ("a.jpg", "a.png", "in the extension"),
        ("a.jpg", "x/a.png", "in the extension"),
        ("A.jpg", "a.png", "in capital letters and the extension"),
    ],
)
def test_near_misses_of_file_names_are_hinted_at(image, file, hint):
    annotations = Annotations.from_records([(image, "x", "cat")])
    with pytest.raises(AnnotationError) as caught:
        annotations.match(["other.png", file])
    assert f"difference {hint}, such as {image!r} and {file!r}" in str(caught.value)


def test_no_hint_where_nothing_is_near():
    annotations = Annotations.from_records([("q.png", "x", "cat")])
    with pytest.raises(AnnotationError) as caught:
        annotations.match(["a.png"])
    assert "difference" not in str(caught.value)


def test_files_with_a_backslash_are_found_by_their_own_id():
    files = ["a/x\\y.png", "b\\c.png", "b/c.png", "d/e.png"]
    own = Annotations(tuple(files), ("cat",), counts=[[1]] * 4)
    with told() as texts:
        assert own.match(files).ids == tuple(files) and not texts
        windows = Annotations.from_records([("d\\e.png", "x", "cat")])
        assert windows.match(files).counts[3, 0] == 1 and not texts
    with pytest.warns(UserWarning, match="without the extension"):
        stem = Annotations.from_records([("a/x\\y", "x", "cat")]).match(files)
    assert stem.counts[0, 0] == 1
