"""What the library advises in Python is said in flags and commands."""

import io
import re

import numpy as np
import pytest
from PIL import Image

from keras_dc3 import review
from keras_dc3.annotations import Annotations
from keras_dc3.annotations.selecting import match
from keras_dc3.command_line import main
from keras_dc3.command_line.commands import COMMANDS
from keras_dc3.command_line.wording import Translated, in_flags
from keras_dc3.data import FileImages
from keras_dc3.models.picked_length import PickedLength
from tests.annotations.helpers import told
from tests.project.helpers import write_images

INIT = COMMANDS["init"].flags().flag_values_dict()
TRAIN = COMMANDS["train"].flags().flag_values_dict()
PYTHON = re.compile(r"^\w+=|\w\(|Annotations")


def table(folder, labels, head="image,annotator,label"):
    path = folder / "answers.csv"
    rows = [
        f"img_{i % 24:02d}.png,person {i // 24},{label}"
        for i, label in enumerate(labels)
    ]
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    return path


def notes(path, **options):
    with told() as texts:
        Annotations.from_csv(path, **options)
    return "\n".join(texts)


def refused(function, *arguments, **options):
    with pytest.raises(ValueError) as caught:
        function(*arguments, **options)
    return str(caught.value)


def said(name, folder):
    """What the library says: (words, what stands in them, what the program says)."""
    if name == "length":
        return str(PickedLength(4, 10, "why")), "`--epochs` says otherwise", TRAIN
    if name == "typing slip":
        labels = ["horse"] * 90 + ["hores"] + ["red deer"] * 20
        found = notes(table(folder, labels))
        return found, "use `keras-dc3 classes --rename hores=horse`", INIT
    if name == "capitals":
        found = notes(table(folder, ["Red deer"] * 5 + ["red deer", "cat"] * 5))
        return found, '`keras-dc3 classes --rename "', INIT
    if name == "no answer":
        found = notes(table(folder, ["cat", "dog", "unknown"] * 5))
        return found, "pass `--no_answer unknown` to `keras-dc3 init`", INIT
    if name == "no files":
        answers = Annotations.from_csv(table(folder, ["cat", "dog"]))
        found = refused(match, answers, ["img_00.png"], "error")
        return found, "add the files, or pass `--drop_missing` to leave", INIT
    if name == "columns":
        path = table(folder, ["cat", "dog"], head="picture,who,class")
        return refused(Annotations.from_csv, path), "`--image_column ...`", INIT
    if name == "a dict as label":
        path = table(folder, ['"[""cat""]"', "dog"])
        return refused(Annotations.from_csv, path), "Give the class alone", INIT
    if name == "sizes":
        for number in (1, 2):
            pixels = np.zeros((8, 8 * number, 3), "uint8")
            Image.fromarray(pixels).save(folder / f"{number}.png")
        images = FileImages(folder, ["1.png", "2.png"])
        found = refused(lambda: images.image_shape)
        return found, "`--image_size HEIGHT,WIDTH` and, if they are not to be", INIT
    assert name == "another table"
    found = refused(review.read, table(folder, ["cat"]))
    return found, "given to `keras-dc3 init --answers FILE`", {}


@pytest.mark.parametrize(
    "name",
    [
        *("length", "typing slip", "capitals", "no answer", "no files", "columns"),
        *("a dict as label", "sizes", "another table"),
    ],
)
def test_python_becomes_flags(name, tmp_path):
    python, expected, flags = said(name, tmp_path)
    assert any(map(PYTHON.search, python.split("`")[1::2])), "it says something else"
    found = in_flags(python, flags)
    assert expected in found
    left = list(filter(PYTHON.search, found.split("`")[1::2]))
    assert all(piece.startswith("keras_dc3.Annotations.from_") for piece in left)
    assert "a function of" not in found


def test_values_are_quoted_for_the_shell():
    flags = ["class_names", "again", "time_limit", "annotator_column", "image_column"]
    for python, expected in {
        "`class_names=['red deer', 'cat']`": '`--class_names "red deer,cat"`',
        "`again=True`": "`--again`",
        "`time_limit=5`": "`--time_limit 5`",
        "`annotator=None`": "`--annotator_column=`",
        "`image='a $b'`": "`--image_column 'a $b'`",
        "`class_names=[...]`": "`--class_names ...`",
        "`other=3` and `other`": "`other=3` and `other`",
        "`rename_classes({'a': None})`": "`keras-dc3 classes --rename OLD=NEW`",
    }.items():
        assert in_flags(python, flags) == expected


def test_what_is_printed_is_translated_too():
    out = io.StringIO()
    stream = Translated(out, lambda text: in_flags(text, TRAIN))
    print(PickedLength(4, 10, "why"), file=stream, flush=True)
    assert out.getvalue().endswith("why. `--epochs` says otherwise.\n")
    assert not stream.isatty()


def test_warnings_and_errors_of_commands(tmp_path, monkeypatch, capsys):
    write_images(tmp_path / "fish", number=24)
    table(tmp_path, ["horse"] * 90 + ["hores"] + ["cat"] * 20)
    monkeypatch.chdir(tmp_path)
    call = ["init", "--images", "fish", "--answers", "answers.csv", "--project", "p"]
    assert main(call) == 0
    err = " ".join(capsys.readouterr().err.split())
    assert "use `keras-dc3 classes --rename hores=horse`" in err
    assert main(["read", "answers.csv", "--project", "p"]) == 1
    assert "`keras-dc3 init --answers FILE`" in " ".join(
        capsys.readouterr().err.split()
    )
