"""Which files of a folder are images."""

import os
from pathlib import Path

import pytest

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

from keras_dc3.data import list_images
from tests.data.image_inputs import picture, save

CASES = Path(__file__).parents[3] / "shared" / "cases"


def test_every_spelling_counts_once(tmp_path):
    names = ["a.JPG", "b.Jpeg", "c.PNG", "d.tif", "f.webp", "g.jfif", "none"]
    names.append("x/e.TIFF")
    for name in names:
        save(tmp_path / name, picture(), format="PNG")
    for name in ("notes.txt", "list.csv", "README", "h.heic", "i.HEIC", "j.jp2"):
        (tmp_path / name).write_bytes(b"x")
    found = list_images(tmp_path)
    assert found.files == tuple(names)
    assert found.left_out == {".heic": 2, ".jp2": 1}


def test_clutter_is_passed_over(tmp_path):
    save(tmp_path / "bar" / "1.png", picture())
    for name in (
        *(".DS_Store", "bar/._1.png", "bar/Thumbs.db", "bar/desktop.ini"),
        *("__MACOSX/bar/._1.png", "__MACOSX/bar/1.png", "bar/@eaDir/1.png"),
        *(".ipynb_checkpoints/1.png", ".hidden.png", "lost+found/1.png"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    found = list_images(tmp_path)
    assert found.files == ("bar/1.png",)
    assert found.passed_over == 9  # a folder is one


def test_links(tmp_path):
    save(tmp_path / "store" / "1.png", picture())
    folder = tmp_path / "images"
    save(folder / "a" / "0.png", picture())
    (folder / "a" / "1.png").symlink_to(tmp_path / "store" / "1.png")
    (folder / "b").symlink_to(tmp_path / "store")
    assert list_images(folder).files == ("a/0.png", "a/1.png", "b/1.png")
    (folder / "a" / "loop").symlink_to(folder)
    with pytest.raises(ValueError, match=r"loop' is the same as '\.'"):
        list_images(folder)
    (folder / "a" / "loop").unlink()
    (folder / "c").symlink_to(folder / "a")
    with pytest.raises(ValueError, match="twice or without end"):
        list_images(folder)
    (folder / "c").unlink()
    (folder / "d.png").symlink_to(folder / "nowhere.png")
    with pytest.raises(ValueError, match=r"d\.png' leads nowhere"):
        list_images(folder)
    (folder / "d.png").unlink()
    (folder / "e.png").symlink_to(folder / "e.png")
    with pytest.raises(ValueError, match=r"e\.png' leads nowhere"):
        list_images(folder)


def test_a_name_that_is_no_text(tmp_path):
    save(tmp_path / "a.png", picture())
    try:
        os.rename(tmp_path / "a.png", os.fsencode(tmp_path) + b"/\xff.png")
    except OSError:
        pytest.skip("this file system has text as names only")
    with pytest.raises(ValueError, match="not text in UTF-8"):
        list_images(tmp_path)


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder of images"):
        list_images(tmp_path / "none")
    with pytest.raises(NotADirectoryError, match="There is no folder of images"):
        list_images(save(tmp_path / "a.png", picture()))


@pytest.mark.parametrize("name", ["04-extension-spelling", "05-clutter-in-the-fo"])
def test_cases(name):
    folder = next(CASES.glob(f"{name}*/images"), None)
    if folder is None:
        pytest.skip(f"there is no {name} in {CASES}")
    assert len(list_images(folder).files) == {"04": 12, "05": 8}[name[:2]]
