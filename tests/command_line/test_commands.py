"""`keras-dc3`: what each command takes, prints and answers with."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from keras_dc3 import Project
from keras_dc3._quiet import is_program
from keras_dc3.command_line import main
from keras_dc3.command_line.commands import COMMANDS
from keras_dc3.project.rounds import new_round
from tests.project.helpers import (
    answer,
    propose_by_hand,
    write_answers,
    write_images,
)

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def begun(tmp_path, monkeypatch, capsys):
    """A folder with a project, in which commands are called; the truth."""
    truth = write_images(tmp_path / "fish")
    write_answers(tmp_path / "answers.csv", truth, sorted(truth)[:30])
    monkeypatch.chdir(tmp_path)
    call = ["init", "--project", "p", "--images=fish", "--answers", "answers.csv"]
    assert main(call) == 0
    monkeypatch.chdir(tmp_path / "p")
    capsys.readouterr()
    return truth


def test_help_names_every_command_and_flag(capsys):
    assert main([]) == 0
    overview = capsys.readouterr().out
    for name, command in COMMANDS.items():
        assert f"  {name} " in overview
        assert main(["help", name]) == 0
        first = capsys.readouterr().out
        assert main([name, "--help"]) == 0
        assert capsys.readouterr().out == first
        for flag in command.flags().flag_values_dict():
            assert f"{flag}\n" in first
        assert max(map(len, first.splitlines())) <= 88


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (["trian"], "Did you mean 'train'?"),
        (["train", "--epoch", "3"], "Unknown command line flag 'epoch'"),
        (["train", "--epochs", "some"], "epochs"),
        (["train", "3"], "takes no '3'"),
        (["sheet", "--overlap", "2"], "overlap"),
        (["status", "--people=a"], "flag 'people'. `keras-dc3 help status` tells"),
        (["sheet", "--people", "anna", "ben"], "commas between, `--people anna,ben`."),
        (
            ["classes", "--add=eel", "red deer"],
            'commas between, `--add "eel,red deer"`',
        ),
        (["ask", "scores", "--answers="], "it is empty; say what it holds, or leave"),
        (["next", "round"], "takes no 'round': what it needs is given as flags."),
    ],
)
def test_wrong_calls_are_told_in_a_sentence(call, message, capsys):
    assert main(call) == 2
    printed = capsys.readouterr()
    assert message in printed.err.replace("\n", " ")
    assert "Traceback" not in printed.err
    assert not printed.out


def test_outside_of_a_project(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["status"]) == 1
    told = capsys.readouterr().err.replace("\n", " ")
    assert "is no project" in told
    assert "`cd FOLDER`" in told and "`--project FOLDER`" in told
    assert "keras-dc3 init" in told
    assert main(["init"]) == 1
    assert "--images" in capsys.readouterr().err
    assert main(["init", "--images", "nowhere", "--project", "p"]) == 1
    assert "nowhere" in capsys.readouterr().err
    write_images("fish")
    (tmp_path / "classes.csv").write_bytes("class\nForelle\nB\u00e4r".encode("cp1252"))
    for name, told in {
        "classes.csv": "not in UTF-8",
        "no.csv": "no.csv: No such",
    }.items():
        call = ["init", "--images", "fish", "--project", "p", "--classes", name]
        assert main(call) == 1
        assert told in capsys.readouterr().err.replace("\n", " ")
    assert not os.path.exists("p")


def test_a_round_by_commands(begun, tmp_path, capsys):
    assert main(["describe"]) == 0
    assert "60 images" in capsys.readouterr().out
    new_round(".", 1)
    propose_by_hand(Project("."), begun)
    assert main(["sheet", "--people", "anna,ben", "--budget", "30"]) == 0
    assert "anna:" in capsys.readouterr().out
    for person in ("anna", "ben"):
        answer(
            f"round-1/sheets/round-1-{person}.html",
            f"review-{person}.json",
            person,
            begun,
        )
    assert main(["read", "review-*.json"]) == 0
    assert "answers by ben" in capsys.readouterr().out
    assert main(["status"]) == 0
    printed = capsys.readouterr().out
    assert "Agreement on" in printed
    assert "Next: `keras-dc3 next`" in printed
    for name in ("labels.csv", "labels.jsonl", "by_class/"):
        assert main(["labels", "--output", name]) == 0
        assert os.path.exists(name)
    assert sum(len(files) for _, _, files in os.walk("by_class")) == 60
    assert main(["labels", "--output", "by_class/"]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert main(["labels", "--output", "labels.xls"]) == 1
    assert ".csv" in capsys.readouterr().err
    assert main(["report"]) == 0
    assert os.path.exists("report.html")
    assert main(["next"]) == 0
    assert "Round 2 begins" in capsys.readouterr().out


def test_classes_and_images_by_commands(begun, capsys):
    assert main(["classes", "--add", "ray", "--description", "flat"]) == 0
    assert main(["classes", "--rename", "eel=cod"]) == 0
    assert "cod, ling, ray" in capsys.readouterr().out
    assert main(["classes", "--rename", "eel"]) == 1
    assert "old=new" in capsys.readouterr().err
    assert main(["withdraw", "img_00.png", "img_01", "--reason", "dark"]) == 0
    assert "2 in all" in capsys.readouterr().out
    assert main(["withdraw", "img_01.png", "--undo"]) == 0
    assert "Back in the project" in capsys.readouterr().out
    assert main(["settings", "--ssl", "pi_model"]) == 0
    assert main(["settings"]) == 1
    assert "Name what is to be changed" in capsys.readouterr().err


def test_every_command_ends_with_the_next_step(begun, tmp_path, capsys):
    def last(*call):
        assert main(list(call)) == 0
        line = capsys.readouterr().out.splitlines()[-1]
        assert line.startswith("Next: ")
        assert line.count("Next") == 1
        return line

    assert "keras-dc3 train" in last("describe")
    assert "keras-dc3 train" in last("withdraw", "img_00.png")
    assert "keras-dc3 train" in last("withdraw", "img_00.png", "--undo")
    assert "keras-dc3 train" in last("withdraw", "--gone")
    assert "keras-dc3 train" in last("classes", "--add", "ray")
    assert "keras-dc3 train" in last("settings", "--ssl", "pi_model")
    new_round(".", 1)
    propose_by_hand(Project("."), begun)
    assert "keras-dc3 sheet" in last("train")  # is trained already
    assert "keras-dc3 sheet" in last("propose")  # likewise
    assert "keras-dc3 read" in last("sheet", "--people=anna", "--budget=20")
    answer("round-1/sheets/round-1-anna.html", "anna.json", "anna", begun)
    assert "keras-dc3 next" in last("read", "anna.json")
    for call in (["status"], ["labels"], ["report"]):
        assert "keras-dc3 next" in last(*call)
    assert "keras-dc3 read" in last("read", "--remove", "anna.json")
    last("read", "anna.json")
    os.rename("../fish", "../pictures")
    assert main(["status"]) == 1
    assert "keras-dc3 settings --images FOLDER" in capsys.readouterr().err
    assert main(["settings", "--images", "../pictures"]) == 0
    told = capsys.readouterr().out
    assert "60 images in '../pictures', among them all that the project knows" in told
    assert main(["settings", "--backbone=small_cnn", "--ssl=fixmatch"]) == 0
    assert "ssl: 'pi_model' -> 'fixmatch', from the next" in capsys.readouterr().out
    os.remove("../pictures/img_00.png")
    assert "keras-dc3 withdraw --gone" in last("settings", "--ssl", "pi_model")
    assert main(["next"]) == 0  # round 2 has begun
    assert "keras-dc3 withdraw --gone" in capsys.readouterr().out
    assert "keras-dc3 train" in last("withdraw", "--gone")


def test_train_without_answers_says_whom_to_ask(tmp_path, monkeypatch, capsys):
    write_images(tmp_path / "fish")
    monkeypatch.chdir(tmp_path)
    call = ["init", "--project=p", "--images=fish", "--class_names=cod,eel"]
    assert main(call) == 0
    assert main(["train", "--project", "p"]) == 1
    assert "Ask people" in capsys.readouterr().err
    assert main(["propose", "--project", "p"]) == 1
    assert "keras-dc3 train" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "call", "quiet"),
    [
        ("/usr/bin/keras-dc3", ["python", "/usr/bin/keras-dc3", "help"], True),
        ("keras-dc3.exe", ["keras-dc3.exe", "help"], True),
        ("-m", ["python", "-X", "dev", "-m", "keras_dc3", "help"], True),
        ("-m", ["python", "-m", "keras_dc3.backbones", "fetch"], True),
        ("-m", ["python", "-m", "keras_dc3_mine"], False),
        ("-m", ["python", "-Im", "mine"], False),
        ("-c", ["python", "-c", "import keras_dc3"], False),
        ("mine.py", ["python", "mine.py", "-m", "keras_dc3"], False),
        ("", ["python"], False),
    ],
)
def test_only_as_a_program_it_quiets_tensorflow(name, call, quiet):
    assert is_program(name, call) == quiet


@pytest.mark.slow
@pytest.mark.parametrize("given", [None, "1"])
def test_the_level_is_set_before_tensorflow_reads_it(tmp_path, given):
    """It is the first that the package imports, and keeps what a user has set."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name in ('keras', 'tensorflow'):\n"
        "            print('level', os.environ.get('TF_CPP_MIN_LOG_LEVEL'))\n"
        "sys.meta_path.insert(0, Finder())\n"
    )
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    level = {} if given is None else {"TF_CPP_MIN_LOG_LEVEL": given}
    known = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    for call, expected in {
        ("-m", "keras_dc3", "help"): given or "3",
        ("-c", "import keras_dc3"): str(given),
    }.items():
        done = subprocess.run(
            [sys.executable, *call],
            capture_output=True,
            text=True,
            env={**known, "PYTHONPATH": paths, **level},
        )
        assert done.returncode == 0
        levels = [x for x in done.stdout.splitlines() if x.startswith("level")]
        assert levels and set(levels) == {f"level {expected}"}


def test_a_reader_that_has_gone_is_no_error(monkeypatch):
    read, write = os.pipe()
    os.close(read)
    with open(write, "w") as stream, pytest.MonkeyPatch.context() as patched:
        patched.setattr(sys, "stdout", stream)
        assert main(["help"]) == 141  # and nothing fails when it is closed


@pytest.mark.slow
def test_as_a_program(tmp_path):
    for call in (["-m", "keras_dc3"], ["-m", "keras_dc3.command_line.main"]):
        done = subprocess.run(
            [sys.executable, *call, "help"],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert done.returncode == 0
        assert "keras-dc3 COMMAND" in done.stdout


@pytest.mark.slow
def test_rounds_with_training(begun, capsys):
    """The whole way: a model is trained, stopped, gone on with, and trained again."""
    people = ("anna", "ben")
    for number, start in enumerate(("new", "previous", "better"), 1):
        for more in range(8):  # so that some have no answer yet
            name = f"of_round_{number}_{more}.png"
            shutil.copy(f"../fish/img_{more:02d}.png", f"../fish/{name}")
            begun[name] = begun[f"img_{more:02d}.png"]
        call = ["train", "--epochs", "2", "--from", start]
        assert main(call) == 0
        printed = capsys.readouterr().out
        assert ("Kept the model" in printed) == (start == "better")
        assert f"Round {number} is trained" in printed
        assert main(["train"]) == 0
        assert "trained already" in capsys.readouterr().out
        assert main(["propose"]) == 0
        assert main(["sheet", "--people", ",".join(people), "--budget", "4"]) == 0
        files = []
        for person in people:
            page = f"round-{number}/sheets/round-{number}-{person}.html"
            if os.path.exists(page):  # else this person has answered all before
                files.append(f"{number}-{person}.json")
                answer(page, files[-1], person, begun)
        assert main(["read", *files]) == 0
        if number == 1:
            assert main(["classes", "--add", "ray", "--rename", "eel=Eel"]) == 0
            begun.update({i: n.replace("eel", "Eel") for i, n in begun.items()})
        assert main(["next"]) == 0
    capsys.readouterr()
    assert main(["labels"]) == 0
    assert "Labels of 84 images" in capsys.readouterr().out


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = [
    (path.name, shlex.split(line.strip(), comments=True))
    for path in PAGES
    for line in path.read_text("utf-8").splitlines()
    if line.strip().startswith("keras-dc3 ")
]


@pytest.mark.parametrize(("page", "call"), SHOWN, ids=lambda part: str(part[:2]))
def test_commands_that_pages_show_are_there(page, call):
    _, name, *rest = call
    assert name in COMMANDS, page
    COMMANDS[name].flags()([name, *rest])
