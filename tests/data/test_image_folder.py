"""Which files of a folder are images."""

import os

import pytest

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

from keras_dc3.data import ImageFileError, list_images, read_image
from tests.cases import case
from tests.data.image_inputs import picture, save


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


@pytest.mark.parametrize(
    "name",
    [
        *("#snapshot", "@Recently-Snapshot", "@SynoResource", "@tmp", "#recycle"),
        *("System Volume Information", "RECYCLER", "$RECYCLE.BIN", "found.007"),
        *("Network Trash Folder", "Temporary Items", "_gsdata_", "@Recycle"),
    ],
)
def test_folders_that_systems_and_storage_leave_behind(name, tmp_path):
    save(tmp_path / "bar" / "1.png", picture())
    save(tmp_path / name / "1.png", picture())
    save(tmp_path / "bar" / name / "1.png", picture())
    found = list_images(tmp_path)
    assert found.files == ("bar/1.png",) and found.passed_over == 2


def test_folders_with_names_like_these_are_kept(tmp_path):
    names = ["#1/1.png", "@home/1.png", "found.1/1.png", "recycler/1.png", "tmp/1.png"]
    for name in names:
        save(tmp_path / name, picture())
    assert list_images(tmp_path).files == tuple(names)


def test_what_is_no_file(tmp_path):
    """To open a pipe would wait until somebody writes into it."""
    save(tmp_path / "a" / "0.png", picture())
    open_ends = []
    for name in ("a/1.png", "a/none"):
        os.mkfifo(tmp_path / name)
        open_ends.append(os.open(tmp_path / name, os.O_RDWR))
        os.write(open_ends[-1], b"\x89PNG" * 16_384)
    (tmp_path / "a" / "2.png").symlink_to(tmp_path / "a" / "1.png")
    try:
        found = list_images(tmp_path)
        assert found.files == ("a/0.png",) and found.passed_over == 3
        with pytest.raises(ImageFileError, match=r"1\.png.*a pipe or the like"):
            read_image(tmp_path / "a" / "1.png")
    finally:
        for end in open_ends:
            os.close(end)


def test_jpegs_by_other_names(tmp_path):
    names = ["a.jif", "b.jpg_large", "c.jps", "d.mpo"]
    for name in names:
        save(tmp_path / name, picture(), format="JPEG")
    assert list_images(tmp_path).files == tuple(names)
    for name in names:
        assert read_image(tmp_path / name).shape == (24, 32, 3)


def test_images_that_cannot_be_read_are_counted(tmp_path):
    names = """sgi ras pfm qoi pef raf xbm pam cur fit mrc ims hdp heic dcm nii.gz
        tif.gz svgz exr webp.gz"""
    for name in names.split():
        (tmp_path / f"a.{name}").write_bytes(b"x")
    for name in ("a.csv.gz", "a.gz", "a.txt", "a.zip"):
        (tmp_path / name).write_bytes(b"x")
    found = list_images(tmp_path)
    assert not found.files
    assert found.left_out == {f".{name}": 1 for name in names.split()}


def test_no_path():
    for folder in (None, 3, ["a"], b"a"):
        with pytest.raises(TypeError, match=r"must be a path.*Received: "):
            list_images(folder)


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
    folder = case(name) / "images"
    assert len(list_images(folder).files) == {"04": 12, "05": 8}[name[:2]]
