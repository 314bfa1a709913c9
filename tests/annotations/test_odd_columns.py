"""Columns that are no classes, no people, or answers to another question: told."""

import json
import unicodedata

import pytest

from keras_dc3 import Annotations
from keras_dc3.annotations import AnnotationError
from tests.annotations.helpers import counted, told, write

MUELL = "M\u00fcll"
NFD = unicodedata.normalize("NFD", MUELL)
ROWS = range(25)


def table(titles, row, rows=ROWS):
    lines = [",".join(["image", *titles])]
    return "\n".join([*lines, *(f"i{n}," + ",".join(map(str, row(n))) for n in rows)])


ODD = {
    "width": (["width", "height", "cat", "dog"], lambda n: [640, 480, n % 4, 3], "wid"),
    "n": (["n", "cat", "dog"], lambda n: [9, n % 4, 3], "'n' has a name"),
    "row": (["cat", "dog", "row"], lambda n: [n % 4, 3, n], "'row' has a name"),
    "answer": (
        ["annotator", "label"],
        lambda n: [n % 3, n % 4],
        "Annotations.from_csv",
    ),
    "seconds": (["label", "seconds"], lambda n: [n % 4, 3.5], "from_csv`"),
    "sky": (
        ["ra", "dec", "cat", "dog"],
        lambda n: [150.2, 2.1, n % 4, 3],
        "'ra', 'dec'",
    ),
    "twice": (
        ["cat_count", "dog_count", "cat_fraction", "dog_fraction"],
        lambda n: [n % 4, 4 - n % 4, n % 4 / 4, 1 - n % 4 / 4],
        "'cat_count', 'dog_count' holds whole numbers beside shares",
    ),
    "partial": (
        ["cat", "dog", "unsharp", "valid"],
        lambda n: [n % 4, n % 3, n % 2, n % 4 + n % 3],
        "'valid' is the sum of others",
    ),
    "people": (["ann1", "ann2", "ann3"], lambda n: [n % 4, n % 3, 1], "from_wide"),
    "counter": (
        ["cat", "dog", "eel"],
        lambda n: [1000 + 7 * n, n % 3, 1],
        "'cat' holds whole numbers that are all different",
    ),
}


@pytest.mark.parametrize("kind", ODD)
def test_columns_that_are_no_classes_are_told(tmp_path, kind):
    titles, row, match = ODD[kind]
    path = write(tmp_path, table(titles, row))
    with told() as texts:
        Annotations.from_counts(path)
    assert len(texts) == 1 and match in texts[0]
    assert "may be no classes" in texts[0] and "`class_names=[" in texts[0]
    with told() as texts:
        Annotations.from_counts(path, class_names=titles)
    assert not any("may be no classes" in text for text in texts)


@pytest.mark.parametrize(
    ("titles", "row"),
    [
        (["cat", "dog", "eel"], lambda n: [n % 7, n % 5, n % 3]),
        (["0", "1", "2"], lambda n: [n % 7, n % 5, n % 3]),
        (["cat", "dog", "eel"], lambda n: [n % 4 + 0.5, n % 3 + 0.5, 2 * (n % 2)]),
        (["cat", "dog", "eel"], lambda n: [0.25, 0.75, 0]),
        (["cat", "dog", "eel"], lambda n: [33.3, 66.7, 0] if n % 2 else [0, 0, 100]),
        ([f"rating_{i}" for i in range(1, 4)], lambda n: [n % 3, 2 - n % 3, 1]),
    ],
)
def test_columns_of_classes_are_not_told(tmp_path, titles, row):
    with told() as texts:
        Annotations.from_counts(write(tmp_path, table(titles, row)))
    assert not any("may be no classes" in text for text in texts)


SEEN = {
    "sum of a few rows": (
        ["cat", "dog", "eel", "asked"],
        lambda n: [n % 4, n % 3, 1, n % 4 + n % 3 + 1],
        range(6),
        "'asked' is the sum of the others",
    ),
    "other title": (
        ["votes_cod", "votes_eel", "seen_by"],
        lambda n: [n % 3, 2 - n % 2, 4],
        range(3),
        "'seen_by' is in no row less than the sum",
    ),
    "many rows": (
        ["cod", "eel", "asked"],
        lambda n: [n % 3, 2 - n % 2, 4],
        range(25),
        "'asked' is in no row less than the sum",
    ),
}


@pytest.mark.parametrize("kind", SEEN)
def test_a_column_that_tells_how_many_were_asked(tmp_path, kind):
    titles, row, rows, match = SEEN[kind]
    with told() as texts:
        Annotations.from_counts(write(tmp_path, table(titles, row, rows)))
    assert len(texts) == 1 and match in texts[0]
    assert f"`class_names={titles[:-1]}".replace('"', "'") in texts[0]


@pytest.mark.parametrize(
    ("titles", "row", "rows"),
    [
        # One class is the most frequent: by chance, or as it is with two classes.
        (
            ["sea_star", "sea_urchin", "crab"],
            lambda n: [3 * (n % 2), 1, n % 4],
            range(6),
        ),
        (["sea_star", "sea_urchin", "crab"], lambda n: [1, 0, 5 + n % 2], range(1)),
        (["cod", "eel", "dab"], lambda n: [4, n % 2, 2], range(9)),
        (["cod", "eel"], lambda n: [4 + n % 2, n % 2], range(30)),
        (["cod", "eel", "dab"], lambda n: [7 - n % 3, n % 2, n % 3], range(40)),
    ],
)
def test_a_frequent_class_is_not_told(tmp_path, titles, row, rows):
    with told() as texts:
        Annotations.from_counts(write(tmp_path, table(titles, row, rows)))
    assert not any("may be no classes" in text for text in texts)


@pytest.mark.parametrize("title", ["id", "image_id", "subject", "Nr"])
def test_a_column_of_numbers_that_names_the_images(tmp_path, title):
    path = write(tmp_path, f"{title},cat,dog\n101,3,1\n102,0,4\n107,2,2\n")
    for given in (path, str(path)):
        with pytest.raises(AnnotationError, match=f"with `image='{title}'`"):
            Annotations.from_counts(given)
    with told() as texts:
        Annotations.from_counts(path, image=title)
    assert not texts


def test_an_index_without_a_name_is_proposed():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"cat": [3, 0], "dog": [1, 4]}, index=["a.png", "b.png"])
    with pytest.raises(AnnotationError, match=r"'a\.png'.*`frame\.rename_axis\("):
        Annotations.from_counts(frame)
    found = Annotations.from_counts(frame.rename_axis("image"))
    assert found.ids == ("a.png", "b.png")


def test_an_index_names_the_images_everywhere():
    pandas = pytest.importorskip("pandas")
    wide = pandas.DataFrame({"image": ["a", "b"], "ann": ["x", "y"], "ben": ["y", "y"]})
    indexed = Annotations.from_wide(wide.set_index("image"))
    assert indexed == Annotations.from_wide(wide)
    long = wide.rename(columns={"ann": "annotator", "ben": "label"})
    indexed = Annotations.from_frame(long.set_index("image"))
    assert indexed == Annotations.from_frame(long)


# -- image -> person -> label


PERSON_LABEL = {"a": {"0": 1, "2": 3}, "b": {"1": 2}, "c": {"0": 0, "1": 1}}


def test_a_file_of_numbers_by_name_can_be_read_in_two_ways(tmp_path):
    path = write(tmp_path, json.dumps(PERSON_LABEL), "a.json")
    with pytest.raises(AnnotationError, match=r"from_counts.*people.*from_records"):
        Annotations.from_csv(path)


@pytest.mark.parametrize(
    "counts",
    [PERSON_LABEL, {"a": {"ann1": 3, "ann2": 1}, "b": {"ann1": 1, "ann2": 2}}],
)
def test_a_dict_of_labels_by_person_is_told(counts):
    with pytest.warns(UserWarning, match="person -> label.*from_records"):
        Annotations.from_counts(counts)
    names = sorted({name for row in counts.values() for name in row})
    with told() as texts:
        Annotations.from_counts(counts, class_names=names)
        Annotations.from_counts({"a": {"cat": 3}, "b": {"dog": 1, "cat": 2}})
        Annotations.from_counts({"a": {"cat": 3, "dog": 0}, "b": {"dog": 1, "cat": 2}})
    assert not texts


# -- what `no_answer` says


@pytest.mark.parametrize("form", ["file", "dict"])
def test_a_class_that_is_no_answer_is_left_out(tmp_path, form):
    counts = {"a": {"cod": 3, "unknown": 1}, "b": {"cod": 0, "unknown": 2}}
    path = write(tmp_path, "image,cod,unknown\na,3,1\nb,0,2\n")
    given = path if form == "file" else counts
    with pytest.warns(UserWarning, match="No answers, by `no_answer`: 'unknown'"):
        found = Annotations.from_counts(given, no_answer=["unknown"])
    assert found.class_names == ("cod",) and found.unannotated == ("b",)
    with pytest.warns(UserWarning, match=r"`no_answer=\['', 'unknown'\]`"):
        Annotations.from_counts(given)
    with pytest.raises(ValueError, match="in `class_names` and in `no_answer`"):
        Annotations.from_counts(
            given, class_names=["cod", "unknown"], no_answer=["unknown"]
        )


@pytest.mark.parametrize("no_answer", [None, 3, "na"])
def test_no_answer_must_be_a_list(no_answer):
    for read in (Annotations.from_counts, Annotations.from_records):
        with pytest.raises(TypeError, match="`no_answer` must be a list"):
            read([("a", "x", "cat")], no_answer=no_answer)


def test_shares_of_which_one_does_not_add_up():
    with pytest.warns(UserWarning, match="3 images add up to 1.*of 1 do not.* 0.8"):
        Annotations.from_counts([[0.5, 0.5], [0.25, 0.75], [1, 0], [0.5, 0.3]])


# -- two Unicode forms


def test_images_of_a_dict_that_differ_in_unicode_form():
    with pytest.raises(AnnotationError, match="differ only in Unicode form"):
        Annotations.from_counts({MUELL: {"x": 1}, NFD: {"x": 2}})


def test_classes_of_a_dict_in_any_unicode_form():
    counts = {"a": {MUELL: 2}, "b": {NFD: 1}}
    for names in (None, [NFD], [MUELL]):
        found = Annotations.from_counts(counts, class_names=names)
        assert counted(found) == {"a": {MUELL: 2}, "b": {MUELL: 1}}


# -- tables of numbers given to the reader of people


NUMBERS = {
    "a column of text": "cat,dog,comment\n1,0,good\n0,3,dark\n",
    "a cell without a number": "cat,dog\n1,?\n0,3\n2,2\n",
    "yes and no": "cat,dog\nyes,no\nno,yes\n",
    "marks": "cat,dog\nx,\n,x\n",
    "of all": "cat,dog\n9/10,1/10\n0/10,10/10\n",
    "stars": "rating_1,rating_2,rating_3\n0,3,2\n1,4,0\n5,0,0\n",
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_by_class_are_told(tmp_path, kind):
    header, *rows = NUMBERS[kind].splitlines()
    text = "\n".join([f"image,{header}", *(f"i{n},{r}" for n, r in enumerate(rows))])
    path = write(tmp_path, text)
    with told() as texts:
        Annotations.from_wide(path)
    assert len(texts) == 1 and "from_counts(" in texts[0]
    with told() as texts:
        Annotations.from_wide(path, annotators=header.split(","))
    assert not any("from_counts" in text for text in texts)


def test_numbers_that_answer_several_questions_are_told(tmp_path):
    text = "image,shape_1_1,shape_1_2,edge_1_1,edge_1_2\na,0,1,2,2\nb,1,1,0,2\n"
    with told() as texts:
        Annotations.from_wide(write(tmp_path, text))
    assert len(texts) == 1 and "several questions" in texts[0]
    assert "from_counts" in texts[0]


@pytest.mark.parametrize(
    "header",
    [
        "anna_schmidt,ben_schmidt,anna_meyer",
        "lab1_anna,lab1_ben,lab2_anna,lab2_ben",
        "lab1_anna,lab1_ben,lab2_cleo",
    ],
)
def test_people_of_families_and_places_answer_one_question(tmp_path, header):
    k = header.count(",") + 1
    answers = [["cod", "eel"][(n + n * c // 3) % 2] for n in ROWS for c in range(k)]
    lines = [",".join([f"i{n}", *answers[k * n : k * n + k]]) for n in ROWS]
    rows = "\n" + "\n".join(lines)
    with told() as texts:
        Annotations.from_wide(write(tmp_path, f"image,{header}{rows}"))
    assert not texts
