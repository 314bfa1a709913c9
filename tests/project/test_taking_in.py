"""Files of answers that are read into a project, in any number of sessions, or back."""

import json
import os

import pytest

from keras_dc3.agreement import measure
from keras_dc3.project.workspace import Workspace
from tests.project.helpers import (
    CLASSES,
    answer,
    asked_project,
)
from tests.review.test_kinds import as_kind

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def asked(tmp_path):
    """A project of which one round is asked about, with repetitions; the truth."""
    options = {"budget": 25, "overlap": 0.0, "control": 1.0, "repetitions": 0.5}
    return asked_project(tmp_path, ["Anna", "ben"], **options)


def said(project, person, path, truth, **changed):
    """What `person` downloads, with some of it changed; `rows` cuts it short."""
    name = f"round-1-{person}.html"
    page = os.path.join(project.folder, "round-1", "sheets", name)
    answer(page, path, changed.pop("annotator", person), truth)
    file = json.loads(path.read_text("utf-8"))
    file |= changed
    file["annotations"] = file["annotations"][: changed.get("rows")]
    path.write_text(json.dumps(file), encoding="utf-8")
    return file["annotations"]


def counted(project):
    """(image, repetition) -> label of all answers in round 1, and who gave them."""
    found = Workspace(project.folder).answers.by_round[1]
    answers = found.annotations
    rows = zip(
        (answers.ids[i] for i in answers.records.image),
        found.repetition.tolist(),
        (answers.class_names[i] for i in answers.records.label),
        strict=True,
    )
    rows = list(rows)
    labels = {(image, again): label for image, again, label in rows}
    assert len(labels) == len(rows), "an answer counts twice"
    return labels, answers.annotators


@pytest.mark.parametrize("half_is_later", [False, True])
def test_a_second_session_of_a_page_is_put_together(asked, tmp_path, half_is_later):
    project, truth = asked
    wrong = {image: CLASSES[CLASSES.index(label) - 1] for image, label in truth.items()}
    half, whole = tmp_path / "half.json", tmp_path / "whole.csv.json"
    saved = f"2026-01-0{3 if half_is_later else 1}T10:00:00.000Z"
    early = said(project, "Anna", half, wrong, rows=12, session="s1", saved=saved)
    saved = "2026-01-02T10:00:00.000Z"
    late = said(project, "Anna", whole, truth, session="s2", saved=saved)
    assert any(row["repetition"] for row in late)
    project.read(half)
    told = project.read(whole)
    assert "12 answers are in both, of which 12 differ" in told
    counts = half if half_is_later else whole
    assert f"those of {str(counts)!r} count" in told or half_is_later
    labels, people = counted(project)
    assert people == ("Anna",)
    expected = {(row["image"], row["repetition"]): row["label"] for row in late}
    if half_is_later:
        expected |= {(row["image"], row["repetition"]): row["label"] for row in early}
    assert labels == expected
    again = sum(repetition for _, repetition in labels)
    within = measure(Workspace(project.folder).answers.by_round[1].annotations)
    assert again and within.raw.images == 0  # one person, asked again on purpose alone


def test_capitals_make_no_second_person(asked, tmp_path):
    project, truth = asked
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    said(project, "Anna", first, truth, annotator="anna", session="s1", rows=9)
    assert "the page was made for" not in project.read(first)
    said(project, "Anna", second, truth, annotator=" ANNA ", session="s2")
    assert "the page was made for" not in project.read(second)
    assert counted(project)[1] == ("Anna",)
    said(project, "ben", tmp_path / "3.json", truth, annotator="carla")
    assert "was made for ben; the answers count for carla" in project.read(
        tmp_path / "3.json"
    )


def test_states_that_contradict_each_other_are_no_dead_end(asked, tmp_path):
    project, truth = asked
    wrong = dict.fromkeys(truth, "cod")
    first, other = tmp_path / "1.json", tmp_path / "2.json"
    lines = {"session": "s", "changes": 20}
    early = {"saved": "2026-01-01T10:00:00.000Z", "openings": [["a", 0], ["b", 3]]}
    late = {"saved": "2026-01-02T10:00:00.000Z", "openings": [["a", 0], ["c", 3]]}
    said(project, "Anna", first, wrong, **lines, **early)
    rows = said(project, "Anna", other, truth, **lines, **late)
    project.read(first)
    assert "contradict each other: those of" in project.read(other)
    labels, _ = counted(project)
    assert labels == {(r["image"], r["repetition"]): r["label"] for r in rows}


def test_a_file_is_taken_back_and_kept(asked, tmp_path):
    project, truth = asked
    with pytest.raises(ValueError, match="No file was read yet"):
        project.remove_answers("a.json")
    for person in ("Anna", "ben"):
        said(project, person, tmp_path / f"{person}.json", truth)
        project.read(tmp_path / f"{person}.json")
    with pytest.raises(ValueError, match=r"'c\.json' was not read; round-1/answers/An"):
        project.remove_answers("c.json")
    with pytest.raises(ValueError, match="Name the files"):
        project.remove_answers([])
    told = project.remove_answers("Anna.json")
    kept = tmp_path / "project" / "round-1" / "answers" / "removed" / "Anna.json"
    assert kept.exists() and str(kept) in told
    assert counted(project)[1] == ("ben",)
    assert "answers by Anna" in project.read(kept)
    assert set(counted(project)[1]) == {"Anna", "ben"}
    project.remove_answers(["round-1/answers/Anna.json", "ben.json"])
    assert (kept.parent / "Anna-2.json").exists()
    work = Workspace(project.folder)
    assert not work.current.done("answers") and work.answers.review is None
    assert "keras-dc3 read" in project.next_step()


def test_a_file_of_several_rounds_is_named_by_its_round(asked, tmp_path):
    project, truth = asked
    said(project, "Anna", tmp_path / "a.json", truth)
    project.read(tmp_path / "a.json")
    work = Workspace(project.folder)
    work.begin_round().note("answers", files={"a.json": "Anna"})
    with pytest.raises(
        ValueError, match=r"several rounds. Name one as round-1/answers"
    ):
        project.remove_answers("a.json")
    # A file that somebody has moved away is taken out of the record all the same.
    with pytest.raises(ValueError, match=r"`keras-dc3 read --remove a\.json` goes on"):
        project.status()
    assert "which is missing" in project.remove_answers("round-2/answers/a.json")
    assert project.next_step()


def test_a_session_under_two_names_says_how_to_go_on(asked, tmp_path):
    project, truth = asked
    said(project, "Anna", tmp_path / "a.json", truth, annotator="Anna", session="s")
    project.read(tmp_path / "a.json")
    said(project, "Anna", tmp_path / "b.json", truth, annotator="Eve", session="s")
    with pytest.raises(ValueError, match=r"of one session.*`keras-dc3 read --remove"):
        project.read(tmp_path / "b.json")
    project.remove_answers("a.json")
    project.read(tmp_path / "b.json")
    assert counted(project)[1] == ("Eve",)


def test_answers_that_are_none_of_the_classes(asked, tmp_path):
    """Bad images get no label; a typed class counts once it is one of the project."""
    project, truth = asked
    said(project, "ben", tmp_path / "ben.json", truth)
    file = json.loads((tmp_path / "ben.json").read_text("utf-8")) | {"version": 2}
    for row in file["annotations"]:
        as_kind(row, "class")
    once = [r["image"] for r in file["annotations"]]
    rows = [r for r in file["annotations"] if once.count(r["image"]) == 1][:4]
    bad, none, ray, split = (row["image"] for row in rows)
    as_kind(rows[0], "bad image", note="all black")
    as_kind(rows[1], "none of these")
    as_kind(rows[2], "new class", label="Sea ray")
    parts = {truth[split]: 0.6, "sea  ray": 0.4}
    as_kind(rows[3], "split", label=truth[split], split=parts)
    (tmp_path / "ben.json").write_text(json.dumps(file), encoding="utf-8")
    told = project.read(tmp_path / "ben.json")
    assert "answers in 'Sea ray' count without a class until `keras-dc3 cl" in told
    status = str(project.status(resamples=0))
    assert f'`keras-dc3 withdraw {bad} --reason "bad image"`' in status
    assert f"sees none of these classes: {none}" in status
    assert "'Sea ray' for 2 images" in status and "--add 'Sea ray'`" in status
    labels = project.labels(tmp_path / "labels.csv")
    assert labels.bad_images == (bad,) and bad not in labels.ids
    assert labels.notes_of == {bad: (("ben", "all black"),)}
    report = project.report()
    with open(report, encoding="utf-8") as page:
        assert "Answers that are none of the classes" in page.read()

    project.change_classes(["sea ray"])
    answers = Workspace(project.folder).answers
    assert not answers.typed and answers.all.class_names == (*CLASSES, "sea ray")
    places = [answers.all.ids.index(name) for name in (ray, split)]
    assert answers.all.counts[places, 3].tolist() == [1, pytest.approx(0.4)]
    assert "ray' for" not in str(project.status(resamples=0))
    project.change_classes(renamed={"sea ray": CLASSES[0]})
    everything = Workspace(project.folder).answers.all
    assert everything.class_names == CLASSES
    assert everything.counts[places[0], 0] == 1
