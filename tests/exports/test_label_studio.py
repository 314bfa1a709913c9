"""Tasks for Label Studio, and annotations back from it."""

import json
import os
import warnings
import xml.etree.ElementTree as ElementTree
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keras_dc3.annotations import Annotations
from keras_dc3.exports import to_label_studio
from keras_dc3.exports.label_studio import label_studio_config
from tests.cases import case
from tests.exports.helpers import NAMES, exported, make

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
BY_ID = {"image": lambda data: data["id"]}


def written(proposals, tmp_path, **options):
    path = tmp_path / "tasks.json"
    to_label_studio(proposals, path, **options)
    return json.loads(path.read_text("utf-8"))


def read_back(tasks, answers, tmp_path, **options):
    path = tmp_path / "export.json"
    path.write_text(json.dumps(exported(tasks, answers)), "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Annotations.from_label_studio(path, **options)


def predicted(task):
    (one,) = task["predictions"]
    (result,) = one["result"]
    return result["value"]["choices"][0]


def test_every_image_is_a_task(tmp_path):
    proposals = make()
    tasks = written(proposals, tmp_path)
    assert sorted(t["data"]["id"] for t in tasks) == sorted(proposals.ids)
    for task in tasks:
        one = proposals[task["data"]["id"]]
        assert task["data"]["ambiguity"] == one.ambiguity
        assert task["data"]["class"] == one.class_name
        assert task["data"]["cluster"] == one.cluster
        address = urlsplit(task["data"]["image"])
        assert address.path == "/data/local-files/"
        assert parse_qs(address.query) == {"d": [one.id]}
        (prediction,) = task["predictions"]
        assert set(prediction) == {"model_version", "score", "result"}
        assert prediction["model_version"] == "keras_dc3"
        assert 0 <= prediction["score"] <= 1
        (result,) = prediction["result"]
        assert result["type"] == "choices"
        assert (result["from_name"], result["to_name"]) == ("class", "image")


def test_groups_stand_together(tmp_path):
    proposals = make()
    tasks = iter(written(proposals, tmp_path))
    for group in proposals.groups():
        for place, name in enumerate(group.ids):
            task = next(tasks)
            assert task["data"]["id"] == name
            assert task["data"]["typical"] == place + 1
            assert task["data"]["group"] == group.name
            assert predicted(task) == NAMES[group.proposed_class]
            if group.kind == "cluster":
                text = f"{group.name}: {group.description}"
                assert task["data"]["proposal"] == text


def test_classes_alone(tmp_path):
    proposals = make()
    tasks = written(proposals, tmp_path, mode="classes", model_version="v2")
    labels = [predicted(task) for task in tasks]
    assert labels == sorted(labels, key=NAMES.index)
    for task in tasks:
        assert predicted(task) == proposals[task["data"]["id"]].class_name
        assert task["predictions"][0]["model_version"] == "v2"
        assert "cluster" not in json.dumps(task)


def test_blind_tasks_tell_nothing(tmp_path):
    proposals = make()
    first = written(proposals, tmp_path, mode="none", seed=1)
    assert all(set(task) == {"data"} for task in first)
    assert all(set(task["data"]) == {"id", "image"} for task in first)
    order = [task["data"]["id"] for task in first]
    assert sorted(order) == sorted(proposals.ids) and order != list(proposals.ids)
    again, other = (written(proposals, tmp_path, mode="none", seed=s) for s in (1, 2))
    assert again == first != other
    assert "$proposal" not in (tmp_path / "tasks.xml").read_text("utf-8")


def test_the_labeling_interface(tmp_path):
    written(make(), tmp_path)
    text = (tmp_path / "tasks.xml").read_text("utf-8")
    assert text == label_studio_config(NAMES)
    view = ElementTree.fromstring(text)
    assert view.find("Image").attrib["value"] == "$image"
    assert view.find("Header").attrib["value"] == "$proposal"
    choices = view.find("Choices")
    assert choices.attrib["name"] == "class"
    assert choices.attrib["toName"] == view.find("Image").attrib["name"] == "image"
    assert choices.attrib["choice"] == "single"
    assert [c.attrib["value"] for c in choices] == list(NAMES)
    assert [c.attrib["hotkey"] for c in choices] == ["1", "2", "3"]


@given(names=st.lists(TEXT, min_size=1, max_size=40, unique=True))
def test_any_class_name_stands_in_the_interface(names):
    assume = [n for n in names if not {"\ufffe", "\uffff"} & set(n)]
    choices = ElementTree.fromstring(label_studio_config(assume or ["a"])).find(
        "Choices"
    )
    assert [c.attrib["value"] for c in choices] == (assume or ["a"])
    keys = [c.attrib["hotkey"] for c in choices if "hotkey" in c.attrib]
    assert len(keys) == len(set(keys)) == min(len(choices), 36)


@pytest.mark.parametrize("mode", ["dc3", "classes", "none"])
@pytest.mark.parametrize("source", ["local", "remote", "function"])
def test_round_trip(tmp_path, rng, mode, source):
    images = {
        "local": "/data/local-files/?d=",
        "remote": "https://example.org/images/",
        "function": lambda name: f"s3://bucket/{name}",
    }[source]
    ids = [f"img {i}+ü?&#.png" for i in range(30)]
    if source == "function":
        ids = [f"img_{i}.png" for i in range(30)]
    if source == "local":
        ids = [f"sub/{name}" for name in ids]
    proposals = make(ids)
    tasks = written(proposals, tmp_path, mode=mode, images=images)
    labels = rng.choice(NAMES, (30, 2))
    answers = [[(3, a, 1.5), (7, b, 2.5)] for a, b in labels.tolist()]
    annotations = read_back(tasks, answers, tmp_path, class_names=NAMES)
    assert annotations.ids == tuple(task["data"]["id"] for task in tasks)
    assert set(annotations.ids) == set(proposals.ids)
    assert annotations.annotators == ("3", "7")
    assert annotations.class_names == proposals.class_names
    found = np.array(NAMES)[annotations.records.label].reshape(30, 2)
    np.testing.assert_array_equal(found, labels)
    assert np.nanmedian(annotations.records.seconds) == 2.0
    assert len(proposals.in_order_of(annotations.ids)) == 30


@example(ids=["A0://", "gs://a/b", "A0://x?y=1", "/upload/1/abcdefgh-x"], seed=0)
@given(
    ids=st.lists(TEXT.filter(lambda t: t == t.strip()), min_size=1, unique=True),
    seed=st.integers(0, 99),
)
def test_round_trip_of_any_id(tmp_path_factory, ids, seed):
    folder = tmp_path_factory.getbasetemp()
    proposals = make(ids, seed=seed)
    tasks = written(proposals, folder)
    answers = [[(1, predicted(task), 1.0)] for task in tasks]
    annotations = read_back(tasks, answers, folder, class_names=NAMES, **BY_ID)
    order = {name: row for row, name in enumerate(annotations.ids)}
    assert set(order) == set(proposals.ids)
    for group in proposals.groups():
        rows = [order[name] for name in group.ids]
        assert set(annotations.majority[rows]) == {group.proposed_class}


def test_skipped_empty_and_predicted_tasks_come_back_as_such(tmp_path):
    """Predictions that nobody confirmed are no annotations."""
    tasks = written(make(n=6), tmp_path)
    answers = [
        [(5, "cat", 4.2), (6, "cat", None)],
        [(5, "dog", 0), (6, None, 1.0)],
        [(5, "", 3.0)],
        [],
        [(5, None, -4.0)],
        [(6, "deer", 43200.0)],
    ]
    annotations = read_back(tasks, answers, tmp_path, class_names=NAMES)
    names = [task["data"]["id"] for task in tasks]
    assert annotations.ids == tuple(names)
    assert annotations.counts.tolist() == [
        [2, 0, 0],
        [0, 1, 0],
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 0],
        [0, 0, 1],
    ]
    assert annotations.unannotated == tuple(names[2:5])
    valid = annotations.records.label >= 0
    seconds = annotations.records.seconds[valid]
    assert seconds[~np.isnan(seconds)].tolist() == [4.2]
    (told,) = [note for note in annotations.notes if "Not annotations" in note]
    assert "2 skipped and 1 empty" in told and "predictions only: 1" in told


def test_tasks_imported_twice_come_back_once(tmp_path):
    proposals = make(n=4)
    tasks = written(proposals, tmp_path)
    answers = [[(1, "cat", 1.0)], [(1, "dog", 1.0)], [], []]
    # The same file imported into one project twice; another person met the copies.
    tasks, answers = tasks * 2, [*answers, [(2, "cat", 1.0)], [], [], []]
    annotations = read_back(tasks, answers, tmp_path, class_names=NAMES)
    assert len(annotations) == 4
    assert annotations.counts.sum(axis=1).tolist() == [2, 1, 0, 0]
    assert any("several tasks" in note for note in annotations.notes)


@pytest.mark.parametrize(
    "name",
    [
        "12-label-studio-skipped-and-empty",
        "13-label-studio-times",
        "14-label-studio-double-tasks",
    ],
)
def test_tasks_are_those_of_a_genuine_export(tmp_path, name):
    """Our addresses, answered elsewhere, find our proposals again."""
    folder = case(name)
    export = json.loads((folder / "export.json").read_text("utf-8"))
    proposals = make(sorted(os.listdir(folder / "images")))
    ours = {task["data"]["image"] for task in written(proposals, tmp_path)}
    assert ours == {task["data"]["image"] for task in export}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        annotations = Annotations.from_label_studio(folder / "export.json")
    assert len(proposals.in_order_of(annotations.ids)) == len(proposals)


def test_files_are_complete_or_not_there(tmp_path):
    written(make(n=3), tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in os.listdir(tmp_path)}
    assert set(before) == {"tasks.json", "tasks.xml"}
    for bad in (make(["a", "b\ud800"]), make(["a"], names=("x\0", "y", "z"))):
        with pytest.raises(ValueError, match=r"no XML can hold|valid Unicode"):
            written(bad, tmp_path)
        assert before == {n: (tmp_path / n).read_bytes() for n in os.listdir(tmp_path)}


def test_no_image(tmp_path):
    assert written(make([]), tmp_path) == []


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"mode": "blind"}, ValueError, "`mode` must be one of .'dc3', 'classes', 'no"),
        ({"seed": -1}, ValueError, "`seed` must be an integer of at least 0"),
        ({"model_version": ""}, TypeError, "`model_version` must be a non-empty text"),
        ({"images": 3}, TypeError, "`images` must be what stands before an id in the"),
        ({"images": lambda name: None}, TypeError, "must return the address of an im"),
        (
            {"images": lambda name: "x"},
            ValueError,
            "gives 'x' for .* and .*; it must",
        ),
        ({"path": "tasks.xml"}, ValueError, "`path` names the file of tasks"),
        ({"proposals": "p.csv"}, TypeError, "`proposals` must be a .*from_csv.*: str"),
    ],
)
def test_bad_arguments(tmp_path, monkeypatch, options, error, message):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=message):
        to_label_studio(**{"proposals": make(), "path": "tasks.json", **options})
    assert not os.listdir(tmp_path)


def test_bad_class_names():
    with pytest.raises(ValueError, match="'a\\\\x00b' holds '\\\\x00', which no XML"):
        label_studio_config(["a\0b"])
    with pytest.raises(ValueError, match="`class_names` must differ"):
        label_studio_config(["a", "a"])
