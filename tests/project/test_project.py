"""A project: what its steps do, what they keep, and what they refuse."""

import errno
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from keras_dc3 import Annotations, Project, _locking
from keras_dc3.data import FileImages
from keras_dc3.project import ClassDescription
from keras_dc3.project.answers import read_answers
from keras_dc3.project.rounds import new_round, rounds_of
from keras_dc3.project.settings import Settings
from keras_dc3.project.training import TimeLeft, held_out
from keras_dc3.project.workspace import Workspace
from tests.project.helpers import (
    CLASSES,
    answer,
    asked_project,
    new_project,
    propose_by_hand,
    write_images,
)

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def asked(tmp_path):
    """A project of which one round is asked about; its folder, and the truth."""
    return asked_project(tmp_path, ["anna", "ben"], budget=30, overlap=0.5)


def page(project, person, number=1):
    name = f"round-{number}-{person}.html"
    return os.path.join(project.folder, f"round-{number}", "sheets", name)


def test_create_keeps_answers_and_images(tmp_path):
    project, truth = new_project(tmp_path)
    work = Workspace(project.folder)
    assert work.settings.class_names == CLASSES
    assert len(work.files) == len(truth)
    given = Annotations.from_csv(tmp_path / "answers.csv")
    kept = work.answers.all.select(given.ids)
    np.testing.assert_array_equal(kept.counts, given.counts)
    assert work.settings.images == "../fish"
    assert not os.path.exists(tmp_path / "fish" / "project.json")


def test_a_moved_project_finds_its_images(tmp_path):
    new_project(tmp_path / "here")
    shutil.move(tmp_path / "here", tmp_path / "there")
    assert Project(tmp_path / "there" / "project").status().images == 60
    shutil.move(tmp_path / "there" / "fish", tmp_path / "elsewhere")
    moved = Project(tmp_path / "there" / "project")
    with pytest.raises(ValueError, match=r"is not there.*settings --images"):
        moved.status()
    moved.change_settings(images=tmp_path / "elsewhere")
    assert moved.status().images == 60


def test_folders_of_classes_are_answers(tmp_path, capsys):
    truth = write_images(tmp_path / "all")
    for name, kind in truth.items():
        os.makedirs(tmp_path / "fish" / kind, exist_ok=True)
        shutil.move(tmp_path / "all" / name, tmp_path / "fish" / kind / name)
    project = Project.create(tmp_path / "project", tmp_path / "fish")
    assert "Folders are classes" in capsys.readouterr().out
    assert project.status().answered == 60


def test_without_answers_people_are_asked_from_the_start(tmp_path):
    truth = write_images(tmp_path / "fish")
    project = Project.create(
        tmp_path / "project", tmp_path / "fish", class_names=CLASSES
    )
    assert "keras-dc3 sheet" in project.status().next_step
    told = project.sheet(["anna", "ben"], budget=15, overlap=0.2)
    assert "each comes alone" in told
    for person in ("anna", "ben"):
        file = answer(page(project, person), tmp_path / f"{person}.json", person, truth)
        project.read(file)
    status = project.status()
    assert status.costs[1].answers == 32  # each was shown an image again
    assert status.costs[1].images == 25  # of 15 each, a fifth of 25 by both
    assert (status.agreement.answers, status.agreement.repeated) == (32, 2)
    assert "(2 of them from people who had answered the image)" in str(status)
    assert (status.stopping.answers, status.stopping.answered) == (30, 25)
    assert "keras-dc3 next" in status.next_step
    assert "begins. `keras-dc3 train`" in project.next()


def test_a_round_from_proposals_to_labels(asked, tmp_path):
    project, truth = asked
    for person in ("anna", "ben"):
        file = answer(page(project, person), tmp_path / f"{person}.json", person, truth)
        assert f"answers by {person}" in project.read(file)
    status = project.status(resamples=20)
    assert 0.8 < status.agreement.raw.value < 1.0  # both say the truth, ben not before
    assert status.costs[1].people == ("anna", "ben")
    labels = project.labels(tmp_path / "labels.csv")
    assert len(labels) == len(truth)
    by_people = labels.source == "people"
    right = np.array([truth[name] for name in labels.ids]) == labels.class_name
    assert right[by_people].mean() > 0.95
    assert by_people.sum() > 40
    with open(tmp_path / "labels.csv", encoding="utf-8") as file:
        assert len(file.readlines()) == 61
    with open(project.report(), encoding="utf-8") as file:
        report = file.read()
    assert len(report) > 2000
    assert "<td>kappa between annotators</td>" in report
    assert report.count("<table>") == report.count('<div class="wide"><table>') > 2


def test_pages_are_divided_and_nobody_is_asked_twice(asked, tmp_path):
    project, truth = asked
    work = Workspace(project.folder)
    sheets = work.current.record["sheets"]["sheets"]
    of = {
        name: set(np.load(work.current.path("sheets", f"{name}.npz"))["ids"].tolist())
        for name in sheets
    }
    assert of["anna"] & of["ben"]  # the overlap
    assert of["anna"] - of["ben"]
    assert of["ben"] - of["anna"]
    for person in ("anna", "ben"):
        project.read(
            answer(page(project, person), tmp_path / f"{person}.json", person, truth)
        )
    project.next()
    propose_by_hand(project, truth)
    project.sheet(["anna", "ben"], budget=60, overlap=0.5)
    work = Workspace(project.folder)
    for name in work.current.record["sheets"]["sheets"]:
        now = np.load(work.current.path("sheets", f"{name}.npz"))["ids"].tolist()
        assert not of[name] & set(now)


def test_validation_images_stay_and_are_not_asked_about(asked):
    project, truth = asked
    work = Workspace(project.folder)
    held = tuple(sorted(truth)[:6])
    settings = Settings.read(work.path("project.json"))
    work.save(Settings(**{**vars(settings), "validation": held}))
    project.sheet(["anna"], budget=200, again=True)
    ids = np.load(work.current.path("sheets", "anna-2.npz"))["ids"].tolist()
    assert ids
    assert not set(held) & set(ids)


def test_reading_again_changes_nothing_and_later_states_count(asked, tmp_path):
    project, truth = asked
    file = answer(page(project, "anna"), tmp_path / "a.json", "anna", truth)
    with open(file, encoding="utf-8") as opened:
        whole = json.load(opened)
    early = {**whole, "annotations": whole["annotations"][:5], "rows": 5}
    early["saved"] = "2026-01-01T09:00:00.000Z"
    with open(tmp_path / "early.json", "w", encoding="utf-8") as opened:
        json.dump(early, opened)
    project.read(tmp_path / "early.json")
    assert project.status(resamples=20).costs[1].answers == 5
    project.read(file)
    number = project.status(resamples=20).costs[1].answers
    assert number == len(whole["annotations"])
    assert "read before" in project.read([file, tmp_path / "early.json"])
    assert project.status(resamples=20).costs[1].answers == number


def test_files_of_other_pages_are_refused_and_nothing_is_kept(asked, tmp_path):
    project, truth = asked
    other, _ = new_project(tmp_path / "other")
    new_round(other.folder, 1)
    propose_by_hand(other, truth, right=0.7)
    other.sheet(["anna"], budget=20)
    file = answer(page(other, "anna"), tmp_path / "x.json", "anna", truth)
    with pytest.raises(ValueError, match="none of the 2 of this project"):
        project.read(file)
    with open(tmp_path / "x.json", encoding="utf-8") as opened:
        text = opened.read()
    (tmp_path / "cut.json").write_text(text[: len(text) // 2], encoding="utf-8")
    with pytest.raises(ValueError, match=r"cut\.json"):
        project.read(tmp_path / "cut.json")
    with pytest.raises(ValueError, match="No file is called like"):
        project.read(str(tmp_path / "nobody-*.json"))
    assert not Workspace(project.folder).current.done("answers")


def test_answers_of_a_removed_round(asked, tmp_path):
    project, truth = asked
    file = answer(page(project, "anna"), tmp_path / "a.json", "anna", truth)
    shutil.rmtree(os.path.join(project.folder, "round-1"))
    with pytest.raises(ValueError, match="none of the 0 of this project"):
        project.read(file)


def test_classes_are_added_renamed_and_united(asked, tmp_path):
    project, truth = asked
    project.read(answer(page(project, "anna"), tmp_path / "a.json", "anna", truth))
    before = Workspace(project.folder).answers.all
    project.change_classes([ClassDescription("ray", "flat")], {"eel": "cod"})
    work = Workspace(project.folder)
    assert work.settings.class_names == ("cod", "ling", "ray")
    after = work.answers.all
    np.testing.assert_allclose(
        after.counts[:, 0], before.counts[:, :2].sum(axis=1), atol=1e-9
    )
    assert after.counts[:, 2].sum() == 0
    with pytest.raises(ValueError, match="was the name of 'cod' before"):
        project.change_classes(["eel"])
    with pytest.raises(ValueError, match="no class of the project"):
        project.change_classes((), {"shark": "ray"})
    with pytest.warns(UserWarning, match="new class 'Ray' differs from 'ray' only in"):
        project.change_classes(["Ray"])
    project.change_classes((), {"Ray": "ray"})
    project.change_classes((), {"cod": "Cod"})
    assert Workspace(project.folder).answers.all.class_names[0] == "Cod"
    labels = project.labels()
    assert labels.class_names == ("Cod", "ling", "ray")


def test_withdrawn_images_play_no_part(asked):
    project, truth = asked
    names = sorted(truth)[:3]
    assert "3 in all" in project.withdraw(names, "blurred")
    assert len(project.labels()) == 57
    status = project.status(resamples=20)
    assert (status.images, status.answered) == (57, 27)
    assert status.agreement.answers == status.stopping.answers == 54
    project.restore(names[:1])
    assert len(project.labels()) == 58
    with pytest.raises(ValueError, match="no image of"):
        project.withdraw(["whale.png"])


def test_images_that_are_gone_are_told_and_new_ones_join(asked, tmp_path):
    project, truth = asked
    name = sorted(truth)[0]  # it has answers
    os.rename(tmp_path / "fish" / name, tmp_path / name)
    with pytest.raises(ValueError, match=r"no longer in .*withdraw --gone"):
        project.status()
    project.withdraw(gone=True)
    assert project.status(resamples=20).images == 59
    os.rename(tmp_path / name, tmp_path / "fish" / "new.png")
    assert project.status(resamples=20).images == 60


def test_another_process_is_named(asked):
    project, _ = asked
    hold = (
        "import runpy, sys\n"
        f"locked = runpy.run_path({_locking.__file__!r})['locked']\n"
        "with locked(sys.argv[1], 'train'):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    path = os.path.join(project.folder, "project.lock")
    process = subprocess.Popen(
        [sys.executable, "-c", hold, path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout.readline() == "held\n"
        with pytest.raises(OSError, match=rf"in use by .*process {process.pid}, train"):
            project.next()
    finally:
        process.kill()
        process.communicate()
    with pytest.raises(ValueError, match="Nobody has answered"):
        project.next()  # the lock of a dead process holds nobody up


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: os.remove(f / "project.json"), "is no project"),
        (lambda f: (f / "project.json").write_text("{"), "changed or cut off"),
        (
            lambda f: (f / "project.json").write_text(
                json.dumps({"format": "keras_dc3 project", "version": 9})
            ),
            "of version 9",
        ),
        (lambda f: os.remove(f / "round-1" / "record.json"), "copied in part"),
        (lambda f: (f / "round-1" / "record.json").write_text("["), "cut off"),
    ],
)
def test_damaged_projects_say_so(asked, change, message, tmp_path):
    project, _ = asked
    change(tmp_path / "project")
    with pytest.raises(ValueError, match=message):
        Project(project.folder)


def test_lost_and_damaged_proposals_say_so(asked, tmp_path):
    project, _ = asked
    path = tmp_path / "project" / "round-1" / "propose.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="is damaged"):
        project.labels()
    os.remove(path)
    with pytest.raises(ValueError, match=r"is missing.*copied in part"):
        project.labels()


def test_a_full_disk_loses_nothing(asked, monkeypatch, tmp_path):
    project, truth = asked
    file = answer(page(project, "anna"), tmp_path / "a.json", "anna", truth)

    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("keras_dc3.project.taking_in.shutil.copy2", full)
        with pytest.raises(OSError, match="Nothing that was done before is lost"):
            project.read(file)
    assert not Workspace(project.folder).current.done("answers")
    assert "answers by anna" in project.read(file)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"class_names": ["cod"]}, "cod"),
        ({"backbone": "alexnet"}, "alexnet"),
        ({"ssl": "pie_model"}, "ssl"),
        ({"classes": [ClassDescription("cod", "", "x.png")]}, "."),
    ],
)
def test_wrong_arguments_leave_no_folder(tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        new_project(tmp_path, **options)
    assert not os.path.exists(tmp_path / "project")


def test_a_folder_that_holds_something_is_not_touched(tmp_path):
    new_project(tmp_path)
    with pytest.raises(FileExistsError, match="is a project already"):
        Project.create(tmp_path / "project", tmp_path / "fish", class_names=CLASSES)
    with pytest.raises(FileExistsError, match="holds something already"):
        Project.create(tmp_path / "fish", tmp_path / "fish", class_names=CLASSES)


def test_classes_from_a_table(tmp_path):
    (tmp_path / "classes.csv").write_text(
        "class;description;example\ncod;three fins;img_00.png\neel;long\nling;\n",
        encoding="utf-8",
    )
    project, _ = new_project(tmp_path, classes=tmp_path / "classes.csv")
    first = Workspace(project.folder).settings.classes[0]
    assert first == ClassDescription("cod", "three fins", "img_00.png")
    new_round(project.folder, 1)
    with open(project.report(), encoding="utf-8") as file:
        assert "three fins" in file.read()


def test_answers_of_rounds_are_corrected_for_the_bias_of_proposals(asked, tmp_path):
    project, truth = asked
    for person in ("anna", "ben"):
        project.read(
            answer(page(project, person), tmp_path / f"{person}.json", person, truth)
        )
    rounds = rounds_of(project.folder)
    settings = Workspace(project.folder).settings
    found = read_answers(
        os.path.join(project.folder, "first-answers.csv"), rounds, settings
    )
    labels, told = found.corrected()
    assert "blind" in told
    total = {
        name: row.sum() for name, row in zip(labels.ids, labels.counts, strict=True)
    }
    for name, row in zip(found.all.ids, found.all.counts, strict=True):
        assert total.get(name, 0) == pytest.approx(row.sum(), abs=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{"epochs": 2}, {"time_limit": 40.0}])
def test_a_stopped_training_goes_on_unless_answers_have_changed(
    options, tmp_path, capsys
):
    project, truth = new_project(tmp_path)

    class Stop(Exception):
        pass

    def stop(self, epoch, logs=None):
        kept(self, epoch, logs)
        if epoch == 1:  # the one before was backed up
            TimeLeft.on_epoch_begin = kept
            raise Stop

    kept = TimeLeft.on_epoch_begin
    for changed in (False, True):
        TimeLeft.on_epoch_begin = stop
        with pytest.raises(Stop):
            project.train(**options, again=True)
        backup = os.path.join(project.folder, "round-1", "backup")
        assert os.listdir(backup)
        if changed:
            project.withdraw(sorted(truth)[:1])
        capsys.readouterr()
        project.train(**options, again=True)
        printed = capsys.readouterr().out
        assert ("it begins anew" in printed) == changed
        assert ("Epoch 1/" in printed) == changed
        assert not os.path.isdir(backup)


def test_images_that_stood_alone_tell_nothing_of_bias(tmp_path):
    """With a weak model nearly all images are asked about alone."""
    project, truth = new_project(tmp_path)
    new_round(project.folder, 1)
    propose_by_hand(project, truth, right=0.34)
    project.sheet(["anna", "ben"], budget=40)
    for person in ("anna", "ben"):
        project.read(
            answer(page(project, person), tmp_path / f"{person}.json", person, truth)
        )
    status = project.status(resamples=20)
    assert status.agreement.raw.images > 0
    assert "Of two people who answered the same image" in str(status)
    assert len(project.labels()) == 60


def test_a_third_person_joins_and_pages_that_are_out_stay_valid(asked, tmp_path):
    project, truth = asked
    file = answer(page(project, "anna"), tmp_path / "a.json", "anna", truth)
    with pytest.raises(ValueError, match="'Anna' has a page of round 1 already"):
        project.sheet(["Anna", "carla"])
    with pytest.raises(ValueError, match="named twice"):
        project.sheet(["carla", "Carla"])
    assert "carla" in project.sheet(["carla"], budget=20)
    assert "answers by anna" in project.read(file)
    project.read(answer(page(project, "carla"), tmp_path / "c.json", "carla", truth))
    assert set(project.status(resamples=20).costs[1].people) == {"anna", "carla"}


def test_who_types_another_spelling_is_the_same_person(asked, tmp_path):
    project, truth = asked
    project.read(answer(page(project, "anna"), tmp_path / "a.json", " Anna", truth))
    told = project.sheet(["anna"], budget=200, again=True)
    work = Workspace(project.folder)
    first = np.load(work.current.path("sheets", "anna.npz"))["ids"].tolist()
    if "No page" not in told:
        more = np.load(work.current.path("sheets", "anna-2.npz"))["ids"].tolist()
        assert not set(first) & set(more)


def test_labels_without_a_model_are_of_answered_images_alone(tmp_path, capsys):
    project, _ = new_project(tmp_path)
    labels = project.labels()
    assert len(labels) == 30
    assert set(labels.source) == {"people"}
    assert "the 30 images with answers" in capsys.readouterr().out


def test_images_that_came_since_are_told_and_labeled(asked, tmp_path, capsys):
    project, truth = asked
    name = sorted(truth)[-1]
    shutil.copy(tmp_path / "fish" / name, tmp_path / "fish" / "new.png")
    labels = project.labels()
    assert len(labels) == 61
    assert "has not seen 1 image" in capsys.readouterr().out


def test_lost_answers_and_rounds_are_told(asked, tmp_path):
    project, _ = asked
    new_round(project.folder, 2)
    shutil.rmtree(tmp_path / "project" / "round-1")
    with pytest.raises(ValueError, match=r"Round 1 of .* is missing"):
        project.status()
    shutil.rmtree(tmp_path / "project" / "round-2")
    os.remove(tmp_path / "project" / "first-answers.csv")
    with pytest.raises(ValueError, match=r"first-answers\.csv.* is missing"):
        project.status()


def test_of_several_files_the_good_ones_are_read(asked, tmp_path):
    project, truth = asked
    (tmp_path / "inbox").mkdir()
    answer(page(project, "anna"), tmp_path / "inbox" / "a.json", "anna", truth)
    (tmp_path / "inbox" / "b.json").write_text("{", encoding="utf-8")
    with pytest.raises(ValueError, match=r"(?s)answers by anna.*Not read.*b\.json"):
        project.read(tmp_path / "inbox")
    assert project.status(resamples=20).costs[1].people == ("anna",)


def test_a_rename_can_be_taken_back(asked):
    project, _ = asked
    project.change_classes((), {"eel": "conger"})
    project.change_classes((), {"conger": "eel"})
    assert Workspace(project.folder).settings.class_names == CLASSES


def test_a_damaged_image_can_be_withdrawn(asked, tmp_path):
    project, truth = asked
    name = sorted(truth)[-1]
    (tmp_path / "fish" / name).write_bytes(b"no image")
    with pytest.raises(ValueError, match=f"withdraw {name}"):
        project.describe()
    project.withdraw([name])
    project.describe()


def test_copies_do_not_become_images(asked, tmp_path):
    project, _ = asked
    with pytest.raises(ValueError, match="lies in the folder of the images"):
        project.labels(f"{tmp_path}/fish/by_class/")
    with pytest.raises(ValueError, match=r"\.html"):
        project.report(tmp_path / "report.pdf")


def test_a_rare_class_stays_with_those_to_train_on(tmp_path):
    images = FileImages(
        tmp_path,
        [f"{i}.png" for i in range(21)],
        np.eye(3, dtype=int)[[0] * 15 + [1] * 5 + [2]],
        CLASSES,
    )
    settings = Settings("fish", tuple(map(ClassDescription, CLASSES)))
    held = held_out(images, settings)
    kinds = [0 if int(n[:-4]) < 15 else 1 if int(n[:-4]) < 20 else 2 for n in held]
    assert kinds == [0, 0, 0, 1]
