"""Models that are of little use: what a sheet tells of them, and asking without."""

import re
import shlex

import numpy as np
import pytest

from keras_dc3 import Project, Proposals
from keras_dc3.command_line import main
from keras_dc3.metrics import verdict
from keras_dc3.project import learning, stored_proposals
from keras_dc3.project.rounds import new_round, rounds_of
from keras_dc3.project.workspace import Workspace
from keras_dc3.review import gallery
from tests.project.helpers import CLASSES, new_project, propose_by_hand
from tests.review import helpers

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")
NONE, MANY = (0, 1, 2) * 20, (0,) * 60


def propose(project, truth, called, judged):
    """Puts proposals of a class for each image into a round, all of them certain."""
    propose_by_hand(project, truth)
    one = rounds_of(project.folder)[-1]
    names = sorted(truth)
    p = 0.05 + 0.85 * np.eye(len(CLASSES))[list(called)]
    found = Proposals(names, np.full(len(names), 0.2), p, p, CLASSES, verdict=judged)
    stored_proposals.write(one.path("propose.npz"), found)


def judged(right, n=60):
    """A verdict on a model that is right for so many of 60, of three classes alike."""
    truth = np.arange(n) % 3
    guess = np.where(np.arange(n) < right * n, truth, (truth + 1) % 3)
    return verdict(truth, np.eye(3)[guess], class_names=CLASSES)


@pytest.fixture
def begun(tmp_path):
    project, truth = new_project(tmp_path)
    new_round(project.folder, 1)
    return project, truth


def test_the_size_of_images_goes_to_the_pages(begun, monkeypatch):
    """By the command, with and without proposals; what is no size is refused."""
    project, truth = begun
    monkeypatch.chdir(project.folder)
    propose(project, truth, NONE, judged(0.9))
    with pytest.raises(ValueError, match="`full_size` must be a number of pixels"):
        project.sheet(["ben"], budget=5, full_size="large")
    asked, check = [], gallery.checked_size
    monkeypatch.setattr(
        gallery, "checked_size", lambda size: asked.append(size) or check(size)
    )
    for person, control in {"anna": "0.1", "ben": "1"}.items():
        words = ["sheet", f"--people={person}", "--budget=5", f"--control={control}"]
        assert main([*words, "--full_size=16"]) == 0
    assert main(["sheet", "--people=cem", "--full_size=beside"]) == 0
    assert main(["sheet", "--people=dan"]) == 0
    assert asked == [16, 16, "beside", None]


@pytest.mark.parametrize(
    ("called", "right", "told"),
    [
        (NONE, 0.1, "is no better than always the commonest class; of 60 validation"),
        (NONE, 0.45, "its class is right for 45.0%"),
        (MANY, 0.9, "calls 30 of the 30 certain images that nobody has answered 'cod'"),
        (NONE, 0.9, ""),
        (NONE, None, ""),
    ],
)
def test_a_sheet_tells_what_speaks_against_proposals(begun, called, right, told):
    project, truth = begun
    propose(project, truth, called, None if right is None else judged(right))
    said = project.sheet(["anna", "ben"], budget=20)
    assert told in said
    assert ("Images alone" in said) == bool(told)
    assert said.count("--control 1") == bool(told)


def test_what_is_recommended_asks_about_each_image_alone(begun, monkeypatch, capsys):
    project, truth = begun
    propose(project, truth, NONE, judged(0.1))
    said = project.sheet(["Anna B", "ben"], budget=20, overlap=0.5)
    command = shlex.split(re.search("`keras-dc3 (.*?)`", " ".join(said.split()))[1])
    monkeypatch.chdir(project.folder)
    assert main([*command, "--budget", "20", "--overlap", "0.5"]) == 0
    told = capsys.readouterr().out
    assert "each alone, without a proposal, for about 27 clicks" in told
    assert "of little use" not in told
    sheets = rounds_of(project.folder)[-1].record["sheets"]["sheets"]
    assert [one["person"] for one in sheets.values()] == ["Anna B", "ben"] * 2
    for one in list(sheets.values())[2:]:
        assert one["images"] == one["actions"] and 18 <= one["images"] <= 22
        (page,) = one["pages"]
        path = f"{project.folder}/round-1/sheets/{page}"
        shown = helpers.content(path)
        assert {step["kind"] for step in shown["steps"]} == {"blind"}
        assert any(step["again"] for step in shown["steps"])
        assert shown["verdict"] == []  # of proposals that are not on the page


def test_rounds_of_asking_are_known_to_the_next_training(begun):
    project, truth = begun
    folder = project.folder
    assert learning.rounds_of_asking(Workspace(folder)) == 0
    rounds_of(folder)[-1].note("answers", files={})  # before any proposal
    new_round(folder, 2)
    propose_by_hand(Project(folder), truth)
    assert learning.rounds_of_asking(Workspace(folder)) == 0
    rounds_of(folder)[-1].note("answers", files={})
    new_round(folder, 3)
    assert learning.rounds_of_asking(Workspace(folder)) == 1
    rounds_of(folder)[-1].note("answers", files={})  # asked by proposals of round 2
    assert learning.rounds_of_asking(Workspace(folder)) == 2
    data, _ = learning.data_of(Workspace(folder), verbose=0)
    assert data.rounds == 2
