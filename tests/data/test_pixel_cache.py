"""Decoded images that are kept, in memory or on disk."""

import errno
import os
import pickle

import numpy as np
import pytest

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

from keras_dc3.data import ImageFileError, ImageFormat
from keras_dc3.data.pixel_cache import file_stamp
from tests.data.image_inputs import files, save, write


@pytest.fixture
def decoded(monkeypatch):
    """The paths of the files that are decoded."""
    paths, read = [], ImageFormat.read
    monkeypatch.setattr(
        ImageFormat, "read", lambda self, path: paths.append(path) or read(self, path)
    )
    return paths


@pytest.fixture
def folder(tmp_path):
    write(tmp_path / "images")
    return tmp_path / "images"


@pytest.mark.parametrize("kind", ["memory", "folder"])
def test_files_are_decoded_once(kind, folder, tmp_path, decoded):
    cache = "memory" if kind == "memory" else tmp_path / "cache"
    images = files(folder, cache=cache)
    first = images.read(range(24))
    assert len(decoded) == 24
    assert (images.read(range(24)) == first).all()
    assert (images.subset([7]).read([0]) == first[7]).all()
    assert len(decoded) == 24
    save(folder / "0" / "003.png", first[4])  # another image under the name
    assert (images.read([3]) == first[4]).all() and len(decoded) == 25
    os.remove(folder / "0" / "003.png")
    with pytest.raises(ImageFileError, match=r"003\.png"):
        images.read([3])


def test_a_later_run_goes_on(folder, tmp_path, decoded):
    first = files(folder, cache=tmp_path / "cache").read(range(10))
    decoded.clear()
    again = files(folder, cache=tmp_path / "cache")
    assert (again.read(range(12))[:10] == first).all() and len(decoded) == 2
    # Another size is another cache.
    other = files(folder, cache=tmp_path / "cache", image_size=(5, 5))
    assert other.read([0]).shape == (1, 5, 5, 3)
    assert len(list((tmp_path / "cache").iterdir())) == 4


def test_half_written_images_are_decoded_again(folder, tmp_path, decoded):
    first = files(folder, cache=tmp_path / "cache").read(range(24))
    path = next(p for p in (tmp_path / "cache").iterdir() if "sums" not in p.name)
    kept = np.lib.format.open_memmap(path, mode="r+")
    assert (kept == first).all()
    kept[5, 3:] = 0
    kept.flush()
    decoded.clear()
    again = files(folder, cache=tmp_path / "cache")
    assert (again.read(range(24)) == first).all() and len(decoded) == 1
    path.write_bytes(path.read_bytes()[:50])
    again = files(folder, cache=tmp_path / "cache")
    assert (again.read(range(24)) == first).all()


def test_no_room(folder, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full, raising=False)
    with pytest.raises(OSError, match=r"cache of 24 images.*No space left"):
        _ = files(folder, cache=tmp_path / "cache").image_shape
    assert not list((tmp_path / "cache").iterdir())


def test_sets_can_be_sent_to_other_processes(folder, tmp_path):
    for cache in (None, "memory", tmp_path / "cache"):
        images = files(folder, cache=cache)
        first = images.read([2])
        again = pickle.loads(pickle.dumps(images.subset([2])))
        assert (again.read([0]) == first).all()


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps no time of renaming")
def test_files_of_equal_size_and_time_that_change_places(tmp_path):
    first, second, aside = (tmp_path / name for name in "abc")
    for path in (first, second):
        path.write_bytes(path.name.encode())
        os.utime(path, ns=(10**18, 10**18))
    before = file_stamp(first), file_stamp(second)
    assert before == (file_stamp(first), file_stamp(second))
    for source, target in ((first, aside), (second, first), (aside, second)):
        source.rename(target)
    assert first.read_bytes() == b"b"
    assert file_stamp(first) not in before and file_stamp(second) not in before
