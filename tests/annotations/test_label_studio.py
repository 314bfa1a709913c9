"""Annotations in a Label Studio export."""

import copy
import json

import numpy as np
import pytest

from keras_dc3.annotations import AnnotationError, Annotations
from keras_dc3.annotations.reading.label_studio_fields import file_of
from tests.annotations.helpers import counted, told
from tests.cases import case


def choice(label, question="shape", **value):
    return {
        "id": "r",
        "type": "choices",
        "from_name": question,
        "to_name": "image",
        "value": {"choices": [label] if isinstance(label, str) else label, **value},
    }


def answer(number, person, *results, seconds=4.2, **changes):
    return {
        "id": number,
        "completed_by": person,
        "result": [choice(r) if isinstance(r, str) else r for r in results],
        "was_cancelled": False,
        "lead_time": seconds,
        **changes,
    }


def task(number, image, *answers, **changes):
    data = {"image": f"/data/local-files/?d={image}"}
    empty = {"predictions": [], "drafts": []}
    return {
        "id": number,
        "data": data,
        "annotations": list(answers),
        **empty,
        **changes,
    }


def write(tmp_path, tasks):
    path = tmp_path / "export.json"
    path.write_text(tasks if isinstance(tasks, str) else json.dumps(tasks), "utf-8")
    return path


def read(tmp_path, tasks, **options):
    return Annotations.from_label_studio(write(tmp_path, tasks), **options)


def source_of(source, name, tmp_path, tasks):
    return case(name) / "export.json" if source == "case" else write(tmp_path, tasks)


@pytest.mark.parametrize("source", ["made up", "case"])
def test_skipped_and_empty_answers(tmp_path, source):
    tasks = [
        task(1, "k0.png", answer(1, 5, "ring"), answer(2, 6, "ring")),
        task(2, "k1.png", answer(3, 5, "bar"), answer(4, 6, was_cancelled=True)),
        task(3, "k2.png", answer(5, 5)),
        task(4, "k3.png", predictions=[{"result": [choice("ring")]}]),
        task(5, "k4.png", drafts=[{"result": [choice("bar")]}]),
        task(6, "k5.png", answer(6, 5, "bar", was_cancelled=True)),
        task(7, "k6.png"),
        task(8, "k7.png", answer(7, 6, "bar")),
    ]
    path = source_of(source, "12-label-studio-skipped-and-empty", tmp_path, tasks)
    with told() as texts:
        annotations = Annotations.from_label_studio(path)
    found = counted(annotations)
    assert {k: v for k, v in found.items() if v} == {
        "k0.png": {"ring": 2},
        "k1.png": {"bar": 1},
        "k7.png": {"bar": 1},
    }
    assert annotations.unannotated == ("k2.png", "k3.png", "k4.png", "k5.png", "k6.png")
    assert annotations.annotators == ("5", "6")
    assert (annotations.records.label == -1).sum() == 3  # asked, without an answer
    assert len(texts) == 1 and len(texts[0].splitlines()) == 2
    assert "2 skipped and 1 empty" in texts[0]
    assert "predictions only: 1, with drafts only: 1, untouched: 1" in texts[0]


@pytest.mark.parametrize("source", ["made up", "case"])
def test_times(tmp_path, source):
    times = [3.1, None, 0, 43200.0, 2.7, -4.0, 4.4, 1e9, None, 5.0]
    tasks = [
        task(i, f"z{i}.png", answer(i, 5, ("ring", "bar")[i % 2], seconds=t))
        for i, t in enumerate(times)
    ]
    del tasks[8]["annotations"][0]["lead_time"]
    path = source_of(source, "13-label-studio-times", tmp_path, tasks)
    with told() as texts:
        annotations = Annotations.from_label_studio(path)
    assert annotations.counts.sum() == 10
    seconds = annotations.records.seconds
    assert sorted(seconds[~np.isnan(seconds)]) == [2.7, 3.1, 4.4, 5.0]
    assert np.nanmedian(seconds) == 3.75
    assert "2 are missing, 1 zero, 1 negative and 2 above 3,600 s" in texts[0]
    assert "3.75 per answer (median of 4 known times of 10)" in annotations.summary()


@pytest.mark.parametrize("source", ["made up", "case"])
def test_tasks_that_stand_there_twice(tmp_path, source):
    def double(i, label, *more):
        first, second = answer(10 * i, 5, label), answer(10 * i + 1, 6, label)
        return task(i, f"h{i - 1}.png", first, second, *more)

    tasks = [double(1, "ring"), double(2, "bar"), double(1, "ring"), double(3, "ring")]
    tasks += [double(4, "bar"), task(9, "h3.png", answer(90, 8, "ring"))]
    tasks += [double(5, "ring")]
    path = source_of(source, "14-label-studio-double-tasks", tmp_path, tasks)
    with told() as texts:
        annotations = Annotations.from_label_studio(path)
    assert counted(annotations) == {
        "h0.png": {"ring": 2},
        "h1.png": {"bar": 2},
        "h2.png": {"ring": 2},
        "h3.png": {"bar": 2, "ring": 1},
        "h4.png": {"ring": 2},
    }
    assert "more than once: 1." in texts[0]
    assert "several tasks: 'h3.png' (tasks 4, 9)" in texts[0]


def test_answers_that_choose_nothing_are_counted(tmp_path):
    textarea = {"type": "textarea", "from_name": "why", "value": {"text": ["hm"]}}
    tasks = [
        task(number, f"{number}.png", answer(number, 5, result))
        for number, result in enumerate(["ring", choice([]), choice([""]), textarea])
    ]
    with told() as texts:
        found = read(tmp_path, tasks)
    assert "3 submitted answers choose no class" in texts[0]
    assert any("3 submitted answers" in note for note in found.notes)
    assert len(found.records) == 4 and found.counts.sum() == 1


def test_who_answered(tmp_path):
    tasks = [
        task(1, "a.png", answer(1, {"id": 7, "email": "a@b.invalid"}, "ring")),
        task(2, "b.png", answer(2, {"email": "a@b.invalid"}, "ring")),
        task(3, "c.png", answer(3, None, "bar"), answer(4, 7, "bar")),
    ]
    with told():
        annotations = read(tmp_path, tasks)
    assert annotations.annotators == ("7", "a@b.invalid")
    assert annotations.records.annotator.tolist() == [0, 1, -1, 0]


def test_the_same_person_in_two_tasks_of_an_image(tmp_path):
    tasks = [
        task(1, "a.png", answer(1, 5, "ring")),
        task(2, "a.png", answer(2, 5, "bar")),
    ]
    with told() as texts:
        annotations = read(tmp_path, tasks)
    assert "'a.png' by '5' (task 1, annotation 1; task 2, annotation 2)" in texts[0]
    assert annotations.counts.tolist() == [[0.5, 0.5]]
    with told():
        assert read(tmp_path, tasks, repeated="last").counts.tolist() == [[1, 0]]


def test_several_questions(tmp_path):
    both = answer(1, 5, choice("ring"), choice("sharp", "focus"))
    tasks = [
        task(1, "a.png", both),
        task(2, "b.png", answer(2, 5, choice("dull", "focus"))),
    ]
    with pytest.raises(AnnotationError, match="the choices 'shape', 'focus'"):
        read(tmp_path, tasks)
    with told():
        assert read(tmp_path, tasks, question="shape").unannotated == ("b.png",)
        assert read(tmp_path, tasks, question="focus").majority.tolist() == [1, 0]
    with pytest.raises(AnnotationError, match="Say which one"):
        read(tmp_path, tasks, question="color")


def test_what_names_the_image(tmp_path):
    tasks = [task(1, "a.png", answer(1, 5, "ring"))]
    tasks[0]["data"] = {"id": "plankton_7", "photo": "s3://bucket/x/y.png", "size": 3}
    assert read(tmp_path, tasks, image="id").ids == ("plankton_7",)
    assert read(tmp_path, tasks, image="photo").ids == ("y.png",)
    whole = read(tmp_path, tasks, image=lambda data: data["photo"])
    assert whole.ids == ("y.png",)
    with pytest.raises(AnnotationError, match="no 'image', only 'id', 'photo', 'size'"):
        read(tmp_path, tasks)
    with pytest.raises(AnnotationError, match="`image` fails with KeyError"):
        read(tmp_path, tasks, image=lambda data: data["name"])
    tasks.append(copy.deepcopy(tasks[0]))
    tasks[1].update(id=2, data={"photo": "s3://bucket/z/y.png"})
    with pytest.raises(AnnotationError, match=r"'s3://bucket/x/y.png' are both called"):
        read(tmp_path, tasks, image="photo")


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("plain.png", "plain.png"),
        ("folder/a b.png", "folder/a b.png"),
        ("/data/local-files/?d=folder/a%20b.png", "folder/a b.png"),
        ("http://host:8080/data/local-files/?d=a.png", "a.png"),
        ("/data/upload/3/0a1b2c3d-my-image.png", "my-image.png"),
        ("/data/upload/3/my-image.png", "my-image.png"),
        ("https://host/folder/a%20b.png?token=3", "a b.png"),
        ("gs://bucket/a.png", "a.png"),
        ("http://[broken", "http://[broken"),
    ],
)
def test_names_from_addresses(address, name):
    assert file_of(address) == name


RECTANGLE = {
    "type": "rectanglelabels",
    "from_name": "label",
    "value": {"x": 9, "y": 9, "width": 8, "height": 8, "rectanglelabels": ["open"]},
}


@pytest.mark.parametrize(
    ("tasks", "match"),
    [
        ("[", "line 1: this is no JSON"),
        ({"id": 1}, "must hold a list of tasks"),
        ([], "holds no annotation"),
        ([task(1, "a.png")], "holds no annotation"),
        ([{"id": 1, "image": "a", "choice": "ring"}], "position 0 .*this is JSON-MIN"),
        ([{"id": 1, "data": {"image": "a"}, "completions": []}], "'annotations'. Exp"),
        (
            [task(1, "a", answer(1, 5, RECTANGLE))],
            "only results of the types rectangle",
        ),
        (
            [task(1, "a", answer(1, 5, choice("r", x=1, y=2)))],
            "types choices of regions: they label",
        ),
        ([task(1, "a", answer(1, 5, choice(["b", "c"])))], "annotation 1 chooses 2 cl"),
        (
            [task(1, "a", answer(1, 5, choice([3])))],
            "`choices` must be a list of texts",
        ),
        ([task(1, "a", answer(1, 5, {"type": "choices"}))], "object with a `value`"),
        ([task(1, "a", answer(1, 5, result=3))], "task 1, annotation 1: there must be"),
        ([task(1, "a", 3)], "task 1, annotation 0: there must be an object"),
        ([task(1, "a", answer(1, [5], "r"))], "`completed_by` must be a number"),
        (
            [task(1, "a", answer(1, 5, "r", seconds="3"))],
            "`lead_time` must be a number",
        ),
        ([task([1], "a", answer(1, 5, "r"))], "`id` must be a number"),
        ([task(1, "", answer(1, 5, "r"))], "must be named by text"),
        (
            [task(1, "a", answer(1, 5, "r")), task(2, "b", answer(1, 5, "r"))],
            r"task 2, annotation 1 stands in .*\(task 1, annotation 1\)",
        ),
    ],
)
def test_exports_that_cannot_be_read(tmp_path, tasks, match):
    with told(), pytest.raises(AnnotationError, match=match) as caught:
        read(tmp_path, tasks)
    assert "export.json" in str(caught.value)


def test_wrong_arguments(tmp_path):
    with pytest.raises(TypeError, match="the name of an entry of the data"):
        read(tmp_path, [], image=3)
    with pytest.raises(AnnotationError, match=r"'bar' \(task 1, annotation 1"):
        read(tmp_path, [task(1, "a", answer(1, 5, "bar"))], class_names=["ring", "baz"])


@pytest.mark.parametrize(
    "signatures",
    [
        ("X-Sig=1", "X-Sig=2"),
        ("X-Amz-Date=1&X-Amz-Signature=a", "X-Amz-Date=2&X-Amz-Signature=b"),
        ("Expires=1&Signature=a&Key-Pair-Id=K", "Expires=2&Signature=b&Key-Pair-Id=K"),
        ("sv=1&se=2024&sr=b&sp=r&sig=a", "sv=1&se=2025&sr=b&sp=r&sig=b"),
        ("v=3&token=1", "v=3&token=2"),
    ],
)
def test_addresses_signed_twice_are_one_image(tmp_path, signatures):
    tasks = [
        task(
            i, "", answer(i, i, "cat"), data={"image": f"https://host/a/x.png?{query}"}
        )
        for i, query in enumerate(signatures)
    ]
    with told() as texts:
        annotations = read(tmp_path, tasks)
    assert counted(annotations) == {"x.png": {"cat": 2}}
    assert "several tasks: 'x.png'" in texts[0]


@pytest.mark.parametrize("queries", [("id=1", "id=2"), ("id=1&sig=3", "id=2&sig=3")])
def test_addresses_of_two_images_are_refused(tmp_path, queries):
    tasks = [
        task(
            i, "", answer(i, i, "cat"), data={"image": f"https://host/show.png?{query}"}
        )
        for i, query in enumerate(queries)
    ]
    with pytest.raises(AnnotationError, match=r"are both called 'show\.png'"):
        read(tmp_path, tasks)


ADDRESSES = [
    ("https://host/x/a%20b.png?token=3", "a b.png", "x/a b.png"),
    ("s3://bucket/x/a.png", "a.png", "x/a.png"),
    ("/data/local-files/?d=x/a%20b.png", "x/a b.png", "x/a b.png"),
    ("/data/upload/3/0a1b2c3d-a.png", "a.png", "3/0a1b2c3d-a.png"),
    ("x/a 50%+#&.png", "x/a 50%+#&.png", "x/a 50%+#&.png"),
]


@pytest.mark.parametrize(("address", "whole", "folder"), ADDRESSES)
def test_a_function_refines_what_is_read_from_an_address(
    tmp_path, address, whole, folder
):
    tasks = [task(1, "", answer(1, 5, "ring"), data={"image": address, "n": 7})]
    assert read(tmp_path, tasks).ids == (whole,)
    assert read(tmp_path, tasks, image=lambda d: d["image"]).ids == (whole,)
    last = read(tmp_path, tasks, image=lambda d: d["image"].split("/")[-1]).ids
    assert last == (whole.split("/")[-1].removeprefix("?d="),)
    two = read(tmp_path, tasks, image=lambda d: "/".join(d["image"].split("/")[-2:]))
    assert two.ids == (folder,)
    free = read(tmp_path, tasks, image=lambda d: f"plate {d['n']}+1 50%.png")
    assert free.ids == ("plate 7+1 50%.png",)


def test_two_files_that_a_function_does_not_tell_apart(tmp_path):
    tasks = [
        task(i, "", answer(i, i, "cat"), data={"image": f"s3://b/{i}/a.png"})
        for i in range(2)
    ]
    with pytest.raises(AnnotationError, match=r"are both called 'a\.png'"):
        read(tmp_path, tasks, image=lambda data: data["image"])
    two = read(tmp_path, tasks, image=lambda d: "/".join(d["image"].split("/")[-2:]))
    assert two.ids == ("0/a.png", "1/a.png")
    with told():  # the function says that they are one
        assert read(tmp_path, tasks, image=lambda data: "a.png").ids == ("a.png",)


def result(kind, value, question="q"):
    return {"type": kind, "from_name": question, "value": {kind: value}}


def test_taxonomies_and_ratings_are_classes(tmp_path):
    tasks = [
        task(1, "a.png", answer(1, 5, result("taxonomy", [["fish", "cod"]]))),
        task(2, "b.png", answer(2, 5, result("taxonomy", [["fish"]]))),
    ]
    assert read(tmp_path, tasks).class_names == ("fish", "fish/cod")
    tasks[0]["annotations"][0]["result"][0]["value"]["taxonomy"].append(["bird"])
    with pytest.raises(AnnotationError, match="2 classes, fish/cod, bird: an answer"):
        read(tmp_path, tasks)
    tasks = [task(1, "a.png", answer(1, 5, result("rating", 4)))]
    assert read(tmp_path, tasks).class_names == ("4",)


def test_a_rating_beside_choices_is_told(tmp_path):
    sure = result("rating", 3, "sure")
    tasks = [task(1, "a.png", answer(1, 5, "ring", sure))]
    with pytest.warns(UserWarning, match="not read: 'sure'"):
        assert read(tmp_path, tasks).class_names == ("ring",)
    with told():
        assert read(tmp_path, tasks, question="sure").class_names == ("3",)


@pytest.mark.parametrize(
    ("kind", "value", "why"),
    [
        ("textarea", ["hm"], "ask for free text, not for a class"),
        ("number", 3, "ask for a number, not for a class"),
        ("polygonlabels", ["open"], "label regions in an image, not for"),
    ],
)
def test_why_other_results_are_no_answers(tmp_path, kind, value, why):
    tasks = [task(1, "a.png", answer(1, 5, result(kind, value)))]
    with told(), pytest.raises(AnnotationError, match=why):
        read(tmp_path, tasks)
