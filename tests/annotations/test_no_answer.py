"""Names that look like no answer: asked about at every reader, and left out there."""

import json
import warnings

import pytest

from keras_dc3 import Annotations
from keras_dc3.annotations import AnnotationError
from tests.annotations.helpers import LONG, counted, told, write

SAID = (
    *("unknown", "Unknown", " UNKNOWN ", "n/a", "N/A", "na", "NA", "n.a.", "-", "--"),
    *(
        "?",
        "??",
        "bad image",
        "Bad_Image",
        "none",
        "None",
        "null",
        "NULL",
        "nan",
        "NaN",
    ),
    *("skip", "Skipped", "unclear", "can't tell", "Can\u2019t tell", "cannot tell"),
    *("cant-tell", "unsicher", "Unsicher!", "not sure", "don't know", "unbekannt"),
    *("wei\u00df nicht", "keine Angabe", "(unknown)", "#N/A", "<NA>", "\u2013", "..."),
)
CLASSES = (
    *("cod", "haddock", "other", "banana", "nana", "Nanna", "skipjack", "-1.5", "0"),
    *(
        "unknown pleasures",
        "noneuclidean",
        "+",
        "C-",
        "A+",
        "=",
        "!",
        "no",
        "yes",
        "nose",
    ),
)
ROWS = [("a", "x", "cod"), ("a", "y", "haddock"), ("b", "x", "cod"), ("b", "y", "?")]


def studio(name):
    def result(label):
        return {"type": "choices", "from_name": "q", "value": {"choices": [label]}}

    return json.dumps(
        [
            {
                "id": i,
                "data": {"image": image},
                "annotations": [
                    {"id": i, "completed_by": 1, "result": [result(label)]}
                ],
            }
            for i, (image, label) in enumerate(
                [("a", "cod"), ("b", name), ("c", "cod")]
            )
        ]
    )


def dcic(name):
    sets = [("a", "cod"), ("b", name), ("c", "cod")]
    return json.dumps(
        [
            {
                "user_mail": "x",
                "annotations": [
                    {"image_path": image, "class_label": label} for image, label in sets
                ],
            }
        ]
    )


def frame(rows):
    pandas = pytest.importorskip("pandas")
    return pandas.DataFrame(rows, columns=["image", "annotator", "label"])


# Reader -> annotations of a: cod, b: the name, c: cod.
READERS = {
    "from_csv": lambda path, name, **options: Annotations.from_csv(
        write(path, f'{LONG}a,x,cod\nb,x,"{name}"\nc,x,cod\n'), **options
    ),
    "from_frame": lambda path, name, **options: Annotations.from_frame(
        frame([("a", "x", "cod"), ("b", "x", name), ("c", "x", "cod")]), **options
    ),
    "from_records": lambda path, name, **options: Annotations.from_records(
        [("a", "x", "cod"), ("b", "x", name), ("c", "x", "cod")], **options
    ),
    "from_wide": lambda path, name, **options: Annotations.from_wide(
        write(path, f'image,x\na,cod\nb,"{name}"\nc,cod\n'), **options
    ),
    "from_matrix": lambda path, name, **options: Annotations.from_matrix(
        [["cod"], [name], ["cod"]], rows="images", **options
    ),
    "from_label_studio": lambda path, name, **options: Annotations.from_label_studio(
        write(path, studio(name)), **options
    ),
    "from_dcic": lambda path, name, **options: Annotations.from_dcic(
        write(path, dcic(name)), **options
    ),
}


@pytest.mark.parametrize("reader", READERS)
def test_every_reader_asks_and_leaves_out(tmp_path, reader):
    read = READERS[reader]
    with told() as texts:
        found = read(tmp_path, "Unknown")
    assert len(texts) == 1 and found.class_names == ("Unknown", "cod")
    assert "1 label is 'Unknown', which is a class here (33.3%)" in texts[0]
    assert "`no_answer=['', 'Unknown']`" in texts[0]
    assert "`class_names=[...]`" in texts[0]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        left = read(tmp_path, "Unknown", no_answer=["Unknown"])
        same = read(tmp_path, "Unknown", class_names=["cod", "Unknown"])
    assert left.class_names == ("cod",) and left.counts.sum() == 2
    assert left.unannotated == left.ids[1:2]
    assert same.class_names == ("cod", "Unknown") and same.counts.sum() == 3
    assert found.rename_classes({"Unknown": None}).counts.sum() == 2


@pytest.mark.filterwarnings("ignore:The records:")
@pytest.mark.parametrize("name", SAID)
def test_names_that_look_like_no_answer(name):
    rows = [("a", "x", "cod"), ("b", "x", name)]
    with told() as texts:
        found = Annotations.from_records(rows)
    assert len(found.class_names) == 2
    assert "which is a class here (50.0%)" in "".join(texts), name
    given = Annotations.from_records(rows, no_answer=[name.strip()])
    assert given.class_names == ("cod",)


@pytest.mark.parametrize("name", CLASSES)
def test_names_that_are_classes(name):
    with told() as texts:
        Annotations.from_records([("a", "x", "cod"), ("b", "x", name)])
    assert not any("which is a class here" in text for text in texts)


def test_pictures_sorted_by_their_quality():
    with told() as texts:
        Annotations.from_records([("a", "x", "sharp"), ("b", "x", "Blurred")])
        Annotations.from_records([("a", "x", "good"), ("b", "x", "bad image")])
    assert not texts
    with told() as texts:
        Annotations.from_records([("a", "x", "sharp"), ("b", "x", "unknown")])
    assert "'unknown', which is a class here" in texts[0]


def test_several_names_are_told_together():
    rows = [*ROWS, ("c", "x", "unknown"), ("c", "y", "unknown"), ("d", "x", "")]
    with told() as texts:
        Annotations.from_records(rows)
    assert "1 label is '?', which is a class here (16.7%); 2 labels are 'un" in texts[0]
    assert "`no_answer=['', '?', 'unknown']`" in texts[0]
    with told() as texts:
        found = Annotations.from_records(rows, no_answer=["?", "unknown"])
    assert not texts and counted(found)["c"] == {} and counted(found)["b"] == {"cod": 1}


def test_columns_of_counts_that_are_no_answer(tmp_path):
    path = write(tmp_path, "image,cod,unknown\na,3,1\nb,2,2\n")
    with told() as texts:
        found = Annotations.from_counts(path)
    assert "3 labels are 'unknown', which is a class here (37.5%)" in texts[0]
    assert "`rename_classes({'unknown': None})`" in texts[0]
    assert found.rename_classes({"unknown": None}).counts.tolist() == [[3], [2]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Annotations.from_counts(path, class_names=["cod", "unknown"])


def test_a_name_cannot_be_both():
    with pytest.raises(
        ValueError, match=r"'\?' is in `class_names` and in `no_answer`"
    ):
        Annotations.from_records(ROWS, no_answer=["?"], class_names=["cod", "?"])
    with pytest.raises(AnnotationError, match="or to `no_answer` if they mean"):
        Annotations.from_records(ROWS, class_names=["cod", "haddock"])
