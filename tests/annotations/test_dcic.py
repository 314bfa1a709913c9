"""Annotations of the DCIC data sets."""

import json

import pytest

from keras_dc3.annotations import AnnotationError, Annotations
from tests.annotations.helpers import counted, told, write


def dcic(*answers, mail="INVALID"):
    """A set of answers (path, label)."""
    return {
        "name": "INVALID-1",
        "dataset_name": "Toy",
        "user_mail": mail,
        "annotation_time": -1,
        "annotations": [
            {
                "image_path": path,
                "class_label": label,
                "created_at": "01-01-2022-00-00-00",
            }
            for path, label in answers
        ],
    }


A, B, C = (f"Toy/fold{i}/{name}.png" for i, name in ((1, "a"), (1, "b"), (2, "c")))


def test_dcic(tmp_path):
    sets = [
        dcic((A, "cop"), (A, "cop"), (B, "dia"), (A, "dia"), (C, None)),  # all in one
        dcic((B, "cop"), (A, "cop")),
    ]
    path = write(tmp_path, json.dumps(sets), "annotations.json")
    annotations = Annotations.from_dcic(path)
    assert annotations.ids == (A, B, C) and annotations.unannotated == (C,)
    assert counted(annotations) == {
        A: {"cop": 3, "dia": 1},
        B: {"dia": 1, "cop": 1},
        C: {},
    }
    assert annotations.annotators == () and not annotations.notes
    named = Annotations.from_dcic(path, image=lambda p: p.rsplit("/", 1)[1][:-4])
    assert named.ids == ("a", "b", "c")
    people = [dcic((A, "cop"), mail="one"), dcic((A, "dia"), (A, "cop"), mail="two")]
    path = write(tmp_path, json.dumps(people), "people.json")
    with told() as texts:
        annotations = Annotations.from_dcic(path)
    assert annotations.annotators == ("one", "two")
    assert "set 1, annotation 0; " in texts[0]
    assert counted(annotations) == {A: {"cop": 1.5, "dia": 0.5}}


@pytest.mark.parametrize(
    ("content", "options", "match"),
    [
        ("[{", {}, "line 1: this is no JSON"),
        ("{}", {}, "must hold a list of sets"),
        ("[]", {}, "holds no annotation"),
        ("[3]", {}, "set 0: there must be an object with 'annotations'"),
        ('[{"annotations": [{"class_label": "a"}]}]', {}, "annotation 0.*'image_path'"),
        (
            json.dumps([dcic((A, 3))]),
            {},
            "`class_label` must be text or null. Found: 3",
        ),
        (json.dumps([dcic((A, None))]), {}, "holds no annotation"),
        (json.dumps([dcic((A, "x"))]), {"class_names": ["y"]}, "'x' .*annotation 0"),
        (json.dumps([dcic((A, "x"))]), {"image": lambda p: p[99]}, "IndexError"),
        (json.dumps([dcic((A, "x"))]), {"image": len}, "must return text"),
        ("[" * 100_000, {}, "this JSON cannot be read"),
    ],
)
def test_dcic_files_that_cannot_be_read(tmp_path, content, options, match):
    path = write(tmp_path, content, "annotations.json")
    with pytest.raises(AnnotationError, match=match) as caught:
        Annotations.from_dcic(path, **options)
    assert "annotations.json" in str(caught.value)
    with pytest.raises(TypeError, match="a function from the path"):
        Annotations.from_dcic(path, image="name")
