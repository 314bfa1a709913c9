"""Files of arrays: read, or one error that names the file."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import datasets
from keras_dc3.datasets.npz_files import npy_array, npz_arrays


@pytest.fixture
def path(tmp_path):
    np.savez(tmp_path / "a.npz", images=np.arange(300), labels=np.arange(3))
    return tmp_path / "a.npz"


def damaged(path, match=""):
    with pytest.raises(ValueError, match=rf"{path.name} is damaged or no.*{match}"):
        npz_arrays(path)


def test_an_empty_file(path):
    path.write_bytes(b"")
    damaged(path)
    (path.parent / "fashionmnist_h.npz").write_bytes(b"")
    with pytest.raises(ValueError, match=r"fashionmnist_h\.npz is damaged"):
        datasets.load("fashionmnist_h", path.parent)


def test_an_array_with_a_byte_that_has_changed(path):
    content = bytearray(path.read_bytes())
    content[600] ^= 255
    path.write_bytes(content)
    damaged(path, "CRC")


@given(st.data())
def test_whatever_is_damaged(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("npz") / "a.npz"
    np.savez_compressed(path, images=np.arange(30), labels=np.arange(3))
    content = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] ^= 255
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        npz_arrays(path)
    except ValueError as error:
        assert str(path) in str(error)


def test_objects_are_not_read(path):
    np.savez(path, images=np.array([{}, []], dtype=object))
    damaged(path, "it holds Python objects")
    path.write_bytes(b"no array")
    damaged(path, "or is no file of arrays")


def test_one_array_is_not_several(path):
    other = path.with_suffix(".npy")
    np.save(other, np.arange(3))
    assert npy_array(other).tolist() == [0, 1, 2]
    path.write_bytes(other.read_bytes())
    damaged(path, "one array alone")
    np.savez(path, images=np.arange(3))
    other.write_bytes(path.read_bytes())
    with pytest.raises(ValueError, match=r"a\.npy is damaged.*several arrays"):
        npy_array(other)
