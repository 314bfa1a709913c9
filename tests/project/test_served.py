"""A project whose pages a server gives."""

import os

import pytest

from keras_dc3 import Project
from keras_dc3.command_line import main
from tests.project.helpers import asked_project
from tests.serving.clients import Client

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def asked(tmp_path):
    pytest.importorskip("aiohttp")
    return asked_project(tmp_path, ["anna", "ben"], budget=30, overlap=0.5)


def say(server, project, person, truth, name="first"):
    """Answers the page of a person with the truth."""
    page = os.path.join(project.folder, "round-1", "sheets", f"round-1-{person}.html")
    client = Client(server.addresses[person], page, person, f"session of {person}")
    client.open(name)
    for number, row in enumerate(client.whole["annotations"]):
        client.choose(number, truth[row["image"]])
    return client


def test_what_a_server_has_kept_is_read(asked):
    project, truth = asked
    with pytest.raises(ValueError, match="given by `keras-dc3 serve` yet"):
        project.read()
    with project.serve(["Anna"], port=0) as server:
        assert set(server.addresses) == {"anna"}
        with pytest.raises(ValueError, match="Nobody has answered yet"):
            project.read()
        client = say(server, project, "anna", truth)
        some = dict(list(client.labels.items())[:3])
        client.labels, whole = some, client.labels
        assert client.send()
        told = project.read()  # while it runs
        assert "3 answers by anna, to the page of anna in round 1" in told
        assert "Next: `keras-dc3 next`" in told
        assert "read before" in project.read()
        client.labels = whole
        client.changes += 1
        assert client.send()
        assert "the later state counts" in project.read()
    with project.serve(port=0) as server:
        assert say(server, project, "ben", truth).send()
    told = project.read(os.path.join(project.folder, "round-1/sheets/answers.sqlite"))
    assert "answers by ben" in told and "read before" in told
    assert project.status(resamples=20).costs[1].answers > 30
    with pytest.raises(ValueError, match="'carla' has no page in round 1; anna, ben"):
        project.serve(["carla"])
    project.sheet(["carla"], budget=10)
    with project.serve(["carla"], port=0) as server:
        assert set(server.addresses) == {"carla"}
    project.next()
    with pytest.raises(ValueError, match="no pages to serve in this round yet"):
        project.serve()


def test_by_commands(asked, monkeypatch, capsys):
    project, truth = asked
    monkeypatch.chdir(project.folder)
    with project.serve(port=0) as server:
        port = server.addresses["anna"].split(":")[2].split("/")[0]
        assert say(server, Project("."), "anna", truth).send()
        capsys.readouterr()
        assert main(["serve"]) == 1  # the file is in use
        assert "answers.sqlite' is in use by" in capsys.readouterr().err
        assert main(["serve", "no.html", "--people=anna", f"--port={port}"]) == 1
        assert "no.html: No such file" in capsys.readouterr().err
        call = ["--people=anna", f"--port={port}", "--answers=other.sqlite"]
        assert main(["serve", "round-1/sheets/round-1-anna.html", *call]) == 1
        told = capsys.readouterr().err.replace("\n", " ")
        assert f"Port {port} of this machine" in told
        assert f"such as `--port {int(port) + 1}`" in told
        assert main(["read"]) == 0
        assert "answers by anna" in capsys.readouterr().out
    assert main(["serve", "--answers=a"]) == 1
    assert main(["serve", "round-1/sheets/round-1-anna.html"]) == 1
    told = capsys.readouterr().err
    assert "goes with named files" in told and "`--people` must name" in told
