"""`examples/own_images.py` needs a folder and a table, no code."""

import csv
import importlib
import json
import sys

import numpy as np
import pytest

pytest.importorskip("PIL", reason="needs keras_dc3[images]")
pytest.importorskip("matplotlib", reason="needs keras_dc3[demo]")

from keras_dc3 import Proposals
from tests.data.image_inputs import frames, picture, save
from tests.examples.test_examples import ROOT, check_output, run

pytestmark = pytest.mark.tensorflow


@pytest.fixture
def folder(tmp_path):
    """60 images of several kinds and sizes, 40 of them annotated."""
    rows = []
    for i in range(60):
        end = ("png", "jpg", "tif")[i % 3]
        pixels = picture((20 + i % 4, 24), i)
        save(tmp_path / "images" / f"{i % 7}" / f"{i:02d}.{end}", pixels)
        if i < 40:
            name = f"{i % 7}/{i:02d}"
            kind = ("sharp", "blurred")[i % 2]
            rows += [(name, who, kind) for who in ("ann", "bob")]
            rows.append((name, "cleo", "sharp" if i % 5 else "no idea"))
    (tmp_path / "images" / "moving.gif").write_bytes(frames("GIF"))
    with open(tmp_path / "answers.tsv", "w", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerows([("photo", "who", "kind"), *rows])
    return tmp_path


def start(folder, *flags):
    return run(
        "own_images.py",
        f"--images={folder / 'images'}",
        f"--output={folder / 'out'}",
        "--image_size=16",
        "--epochs=1",
        "--steps_per_epoch=3",
        "--batch_size=8",
        "--nobaseline",
        *flags,
    )


def columns(folder):
    return [
        f"--annotations={folder / 'answers.tsv'}",
        "--image_column=photo",
        "--annotator_column=who",
        "--label_column=kind",
        "--no_answer=no idea",
    ]


@pytest.mark.slow
def test_own_images(folder):
    result = start(folder, *columns(folder))
    assert result.returncode == 0, result.stderr[-3000:]
    check_output(folder / "out", 21)
    assert (folder / "out" / "examples.png").stat().st_size > 10_000
    assert "61 images 16x16x3 (uint8), 2 classes" in result.stdout
    begin = {tuple(line.split()[:2]) for line in result.stdout.splitlines()}
    assert {("labeled", "32"), ("unlabeled", "21"), ("validation", "8")} <= begin
    notes = [line for line in result.stdout.splitlines() if line.startswith("Note: ")]
    assert notes[0] == "Note: Images and annotations:" and "1 of the 61" in notes[1]
    assert "40 images were written without the extension" in result.stdout
    assert "1 epoch of 3 steps" in result.stdout and "Warning" not in result.stderr
    proposals = Proposals.from_csv(folder / "out" / "proposals.csv")
    assert proposals.class_names == ("blurred", "sharp")
    assert "moving.gif" in proposals.ids and "5/40.jpg" in proposals.ids
    assert np.isfinite(proposals.ambiguity).all()


@pytest.mark.slow
def test_class_folders(folder):
    """One class per image: nothing is said of how much people's answers differ."""
    (folder / "images" / "6").rename(folder / "images" / "unlabeled")
    result = start(folder)
    assert result.returncode == 0, result.stderr[-3000:]
    scores = json.loads((folder / "out" / "scores.json").read_text())["scores"]
    assert {"f1", "accuracy"} <= set(scores["mean_teacher + dc3"])
    assert not {"d", "d_minus_f1"} & set(scores["mean_teacher + dc3"])
    proposals = Proposals.from_csv(folder / "out" / "proposals.csv")
    assert proposals.class_names == tuple("012345") and "moving.gif" in proposals.ids
    assert "unlabeled/06.png" in proposals.ids


def test_what_is_wrong_is_told_in_flags(folder):
    """Someone who writes no code reads a sentence, not a traceback."""
    (folder / "images" / "moving.gif").unlink()
    damaged = folder / "images" / "3" / "03.png"
    content = damaged.read_bytes()
    for cut, flags, message, flag in [
        (
            0,
            columns(folder)[:1],
            "lacks the columns ['image'",
            "`image` is --image_col",
        ),
        (0, ["--labeled=30"], "none to propose anything for", "`labeled` is --labeled"),
        (40, [], "3/03.png' cannot be read", "`on_error` is --skip_damaged"),
    ]:
        damaged.write_bytes(content[: len(content) - cut])
        result = start(folder, *flags)
        assert result.returncode == 1 and "Traceback" not in result.stderr
        assert message in result.stderr and flag in result.stderr


@pytest.mark.slow
def test_parts_of_folders(folder):
    """They are asked about in flags, and given by a flag."""
    images = folder / "images"
    for name in "456":
        for path in (images / name).iterdir():
            path.unlink()
    for top, inner in (("train", "012"), ("val", "012"), ("old", "3")):
        for name in inner:
            for path in sorted((images / name).glob("*")):
                (images / top / name).mkdir(parents=True, exist_ok=True)
                path.rename(images / top / name / path.name)
                if top == "train" and int(path.stem) > 20:
                    break
    result = start(folder)
    assert result.returncode == 1 and "Traceback" not in result.stderr
    assert "'train' and 'val' in" in result.stderr and "'old' beside" in result.stderr
    assert "`parts` is --parts" in result.stderr
    result = start(folder, "--parts=train=labeled,val=validation,old=unlabeled")
    assert result.returncode == 0, result.stderr[-3000:]
    assert "Of the " not in result.stdout and "3 classes" in result.stdout
    proposals = Proposals.from_csv(folder / "out" / "proposals.csv")
    assert proposals.class_names == tuple("012")
    assert {name.split("/")[0] for name in proposals.ids} == {"old", "moving.gif"}


def test_flags_of_no_answer_and_of_images_not_there(monkeypatch):
    from absl import flags

    known = set(flags.FLAGS)
    monkeypatch.syspath_prepend(ROOT / "examples")
    own_images = importlib.import_module("own_images")
    try:
        label = (
            "'Shirt' is none of the `class_names`. Correct it, or pass `no_answer=[]`"
        )
        assert own_images.in_flags(label).endswith(
            "Here `class_names` is --class_names, `no_answer` is --no_answer."
        )
        image = 'add the files, or pass `missing="drop"` to leave such images out'
        told = own_images.in_flags(image)
        assert told.endswith("Here `missing` is --drop_missing.")
    finally:
        for name in set(flags.FLAGS) - known:
            delattr(flags.FLAGS, name)
        for name in ("own_images", "runner"):
            sys.modules.pop(name, None)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "Flag --images must have a value"),
        (["--images=x", "--labeled=many"], "--labeled=many: must be a number"),
        (["--images=x", "--value_range=3"], "must be two numbers, such as 0,4095"),
        (["--images=x", "--max_pixels=-1"], "must be a whole number above 0, or none"),
        (["--images=x", "--parts=train"], "must be folder=part for each folder"),
    ],
)
def test_wrong_flags(flags, message):
    result = run("own_images.py", *flags)
    assert result.returncode != 0 and message in result.stderr


@pytest.mark.slow
def test_a_network_with_weights(folder):
    flags = ["--backbone=mobilenet-v3-small", "--weights=none", "--backbone_size=32"]
    result = start(folder, *columns(folder), *flags, "--trainable=2")
    assert result.returncode == 0, result.stderr[-3000:]
    check_output(folder / "out", 21)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (["--backbone=resnet55"], "Unknown backbone 'resnet55'. The nearest known"),
        (["--backbone=resnet50", "--weights=there.h5"], "There is no file 'there.h5'"),
        (["--backbone=xception", "--backbone_size=32"], "no images below 71x71"),
        (["--trainable=last"], "must be none, all, or a number of blocks"),
    ],
)
def test_backbones_that_cannot_be_had(folder, flags, told):
    result = start(folder, *columns(folder), *flags)
    assert result.returncode and told in result.stderr
    assert "Traceback" not in result.stderr or "--trainable" in flags[0]
