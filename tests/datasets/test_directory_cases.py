"""Folders after public complaints about readers of such folders."""

import json
import os
import shutil

import numpy as np
import pytest

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

from PIL import Image

from keras_dc3 import datasets
from keras_dc3.annotations import AnnotationError
from keras_dc3.data import ImageFileError, list_images
from tests.cases import case
from tests.data.image_inputs import picture, save
from tests.datasets.folders import answers, ids, quiet, table


@pytest.mark.parametrize("channels", [1, 3])
def test_case_of_16_bit_gray(channels):
    folder = case("01")
    data, told = quiet(
        folder / "images",
        folder / "annotations.csv",
        channels=channels,
        labeled=12,
        validation=None,
    )
    assert len(told) == 1 and "12 of the 12 images have more than 8 bits" in told[0]
    pixels = data.labeled.read(range(12))
    assert pixels.shape == (12, 32, 32, channels)
    assert all(len(np.unique(image)) >= 20 for image in pixels)


def test_case_of_odd_jpeg():
    folder = case("02")
    data = datasets.from_directory(
        folder / "images", folder / "annotations.csv", labeled=10, validation=None
    )
    assert data.labeled.read(range(10)).shape == (10, 40, 40, 3)


def test_case_of_moving_images():
    folder = case("03")
    expected = json.loads((folder / "expected.json").read_text())
    data, told = quiet(
        folder / "images", folder / "annotations.csv", labeled=14, validation=None
    )
    number = len(expected["with_more_than_one_frame"])
    assert len(told) == 1 and f"{number} of the 14 images" in told[0]
    assert data.labeled.read(range(14)).shape == (14, 32, 32, 3)


def test_case_of_spellings():
    folder = case("04")
    expected = json.loads((folder / "expected.json").read_text())
    data, told = quiet(folder / "images", labeled=8)
    unused = expected["image_files"] - len(data.labeled) - len(data.validation)
    assert not told and unused == 2 and data.class_names == ("bar", "ring")


def test_case_of_clutter(tmp_path):
    folder = case("05")
    expected = json.loads((folder / "expected.json").read_text())
    data, told = quiet(folder / "images", labeled=6)
    assert not told and list(data.class_names) == expected["classes"]
    listed = list_images(folder / "images").files
    assert len(listed) == expected["images"] == len(ids(data))
    path = table(tmp_path / "answers.csv", answers(listed))
    data, told = quiet(folder / "images", path, labeled=6)
    assert not told and len(ids(data)) == 8


def test_case_of_numbered_classes():
    folder = case("06")
    expected = json.loads((folder / "expected.json").read_text())
    of_folders = datasets.from_directory(folder / "folders", labeled=9)
    of_table = datasets.from_directory(
        folder / "images", folder / "annotations.csv", labeled=9
    )
    assert of_folders.class_names == of_table.class_names == tuple(expected["or"])


@pytest.mark.parametrize(
    ("images", "options", "match"),
    [
        (
            "images",
            {"labeled": 0.5, "validation": 0.05},
            "validation part of 10",
        ),
        ("images", {"labeled": 0.5, "stratify": True}, "class 'rare' has 1 of the 10"),
        ("images", {"labeled": 0.2, "seed": 1}, "are of class 'common'"),
        ("two", {"labeled": 0.9, "validation": 0.05}, "validation part of 2"),
    ],
)
def test_case_of_too_few_images(images, options, match):
    with pytest.raises(ValueError, match=match):
        datasets.from_directory(case("07") / images, **options)


def test_case_of_names_without_extension(tmp_path):
    folder = case("10")
    data, told = quiet(folder / "images", folder / "annotations.csv", labeled=8)
    assert len(told) == 1 and "10 images" in told[0] and len(data.labeled) == 8
    shutil.copytree(folder / "images", tmp_path / "twin")
    os.chmod(tmp_path / "twin", 0o755)
    assert not (tmp_path / "twin" / "w03.png").exists()
    save(tmp_path / "twin" / "w03.png", picture((32, 32)))
    with pytest.raises(AnnotationError, match=r"'w03\.jpg', 'w03\.png'"):
        datasets.from_directory(tmp_path / "twin", folder / "annotations.csv")
    with pytest.raises(AnnotationError, match="None of the 10"):
        datasets.from_directory(
            folder / "images", folder / "annotations_nothing_fits.csv"
        )


def test_case_of_two_unicode_forms():
    data, told = quiet(case("39") / "folders", labeled=0.8)
    assert not told and data.num_classes == 3 and len(ids(data)) == 12


def test_case_of_a_large_scan(tmp_path):
    case("29")
    for i in range(5):
        for name in "ab":
            save(tmp_path / name / f"{i}.png", picture((20, 20), i))
    Image.new("1", (14_000, 14_000)).save(tmp_path / "a" / "scan.png")
    data, told = quiet(tmp_path, image_size=(32, 32), labeled=0.8)
    assert len(told) == 1 and "a/scan.png" in told[0] and len(ids(data)) == 11
    with pytest.raises(ImageFileError, match="196,000,000 pixels") as caught:
        datasets.from_directory(tmp_path, image_size=(32, 32), max_pixels=10**8)
    told = str(caught.value)
    assert "limit is 100,000,000" in told and "`max_pixels=196000000`" in told
    assert "Repair" not in told


def test_case_of_empty_and_cut_files(capsys):
    folder = case("38")
    expected = json.loads((folder / "expected.json").read_text())
    where = folder / "images", folder / "annotations.csv"
    with pytest.raises(ImageFileError, match="3 of 16 image files") as caught:
        datasets.from_directory(*where)
    assert sorted(caught.value.files) == expected["bad"]
    for name in expected["bad"]:
        assert f"'{name}' (" in str(caught.value)
    assert "it is empty" in caught.value.files["ring_90.jpg"]
    data, told = quiet(*where, on_error="skip", labeled=0.5, unlabeled=0.3)
    assert len(told) == 1 and ids(data) == sorted(expected["good"])
    capsys.readouterr()
    described = datasets.describe(data)
    assert sorted(described.skipped) == expected["bad"]
    printed = capsys.readouterr().out
    assert "Image files left out: 3." in printed
    assert all(f"{name} cannot be read (" in printed for name in expected["bad"])
