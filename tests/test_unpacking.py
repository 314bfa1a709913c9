"""Packed files unfold within bounds: tables, arrays and archives."""

import gzip
import zipfile

import numpy as np
import pytest

from keras_dc3 import Annotations, Proposals, _unpacking
from keras_dc3._unpacking import UnpackingError, check_unpacked
from keras_dc3.annotations import AnnotationError
from keras_dc3.data.feature_files import read_features
from keras_dc3.datasets.archives import ArchiveError, unpack
from keras_dc3.datasets.npz_files import npz_arrays

TABLE = b"image,annotator,label\n1.png,ann,cod\n1.png,ben,ling\n"


@pytest.fixture
def small(monkeypatch):
    """The bounds as if files were small."""
    monkeypatch.setattr(_unpacking, "MOST_BYTES", 10_000)


def test_both_bounds_must_be_passed():
    for packed, unpacked in ((1, 1 << 30), (1 << 30, 50 << 30)):
        check_unpacked("a", packed, unpacked, "unpack it.")
    with pytest.raises(
        UnpackingError, match=r"'a' of 1,000 bytes .* If you trust it, u"
    ):
        check_unpacked("a", 1000, (1 << 30) + 1, "unpack it.")


@pytest.mark.filterwarnings("ignore:.*a.csv.gz")
def test_tables(small, tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(TABLE))
    assert Annotations.from_csv(path).class_names == ("cod", "ling")
    long = TABLE + b"".join(b"%d.png,ann,cod\n" % i for i in range(2000))
    path.write_bytes(gzip.compress(long))  # 30 kB, but not 100 times its size
    assert len(Annotations.from_csv(path).ids) > 1000
    path.write_bytes(gzip.compress(TABLE + b" " * 1_000_000))
    with pytest.raises(
        AnnotationError, match=r"a\.csv\.gz' of .*unpack it by yourself"
    ):
        Annotations.from_csv(path)


def test_not_all_of_a_bomb_is_unfolded(small, monkeypatch):
    asked = []
    read = gzip.GzipFile.read
    monkeypatch.setattr(
        gzip.GzipFile, "read", lambda self, n=-1: asked.append(n) or read(self, n)
    )
    with pytest.raises(UnpackingError):
        _unpacking.gunzip(gzip.compress(bytes(10_000_000)), "a")
    assert 0 < asked[0] < 1_100_000


def test_archives(small, tmp_path):
    path = tmp_path / "a.zip"
    for size, packing in ((500_000, zipfile.ZIP_STORED), (9000, zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(path, "w", packing) as file:
            file.writestr("mark", bytes(size))
        unpack(path, tmp_path / f"out{size}", ["mark"])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("mark", "1")
        file.writestr("x", bytes(1_000_000))
    with pytest.raises(ArchiveError, match=r"unpack it by yourself, to '.*out'"):
        unpack(path, tmp_path / "out", ["mark"])
    assert not (tmp_path / "out").exists()


def test_arrays(small, tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, images=np.zeros(1_000_000, "uint8"))
    assert npz_arrays(path)["images"].size == 1_000_000
    np.savez_compressed(path, images=np.zeros(1_000_000, "uint8"))
    with pytest.raises(
        UnpackingError, match=r"a\.npz' of .*write it with `numpy\.savez`"
    ):
        npz_arrays(path)


@pytest.mark.filterwarnings("ignore:50% of the images")
def test_arrays_of_predictions_and_features(small, tmp_path):
    p, ids = np.full((50_000, 2), 0.5), np.arange(50_000).astype(str)
    p[::2] = [0.75, 0.25]
    names = {"ids": ids, "class_names": ["cod", "ling"]}
    readers = {
        "probabilities": lambda path: Proposals.from_predictions(path, **names),
        "features": read_features,
    }
    for array, read in readers.items():
        path = tmp_path / f"{array}.npz"
        np.savez(path, **{array: p})
        read(path)
        np.savez_compressed(path, **{array: p})
        with pytest.raises(
            UnpackingError, match=rf"{array}\.npz' of .*write it with `numpy\.savez`"
        ):
            read(path)


def test_one_array_under_the_name_of_several(tmp_path):
    np.save(tmp_path / "a.npy", np.eye(3))
    (tmp_path / "a.npy").rename(tmp_path / "a.npz")
    with pytest.raises(ValueError, match=r"a\.npz' cannot .* one array alone"):
        read_features(tmp_path / "a.npz")
