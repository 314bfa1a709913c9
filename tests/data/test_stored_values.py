"""Values of odd types: no image comes out flat, and brightness keeps its order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

from keras_dc3.data import ImageFileError, ImageFormat, read_image
from keras_dc3.data.decoding import read_header
from keras_dc3.data.inspection import Inspection
from tests.data.image_inputs import deep_png, encode, gray_tiff

TYPES = ["uint8", "<u2", ">u2", "<u4", "int8", "<i2", ">i2", "<i4", ">i4", "<f4"]


def read(content, tmp_path, **options):
    path = tmp_path / "image"
    path.write_bytes(content)
    return read_image(path, **options)


def keeps_order(values, pixels):
    order = np.argsort(values, axis=None, kind="stable")
    return (np.diff(pixels.ravel()[order].astype(int)) >= 0).all()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("white_is_zero", [False, True])
@given(st.data())
def test_order_of_every_type(tmp_path_factory, dtype, white_is_zero, data):
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        elements = st.floats(-1e6, 1e6, width=32)
    else:
        limits = np.iinfo(dtype)
        elements = st.integers(int(limits.min), int(limits.max))
    values = data.draw(hnp.arrays(dtype.newbyteorder("="), (3, 4), elements=elements))
    content = gray_tiff(values.astype(dtype), white_is_zero)
    try:
        pixels = read(content, tmp_path_factory.mktemp("order"))[..., 0]
    except ImageFileError:  # of a kind that Pillow does not read
        assert white_is_zero
        return
    assert keeps_order(-values.astype("float64") if white_is_zero else values, pixels)


def test_white_is_zero(tmp_path):
    values = np.array([[0, 1000, 4095]], "uint16")
    content = gray_tiff(values, white_is_zero=True)
    pixels = read(content, tmp_path)[..., 0].tolist()
    assert pixels == [[255, 255 - round(1000 * 255 / 4095), 0]]
    pixels = read(content, tmp_path, max_value=2000)[..., 0].tolist()
    assert pixels == [[255, 127, 0]]


def test_large_and_signed_numbers(tmp_path):
    values = np.array([[0, 2**31, 2**32 - 1]], "uint32")
    assert read(gray_tiff(values), tmp_path)[..., 0].tolist() == [[0, 128, 255]]
    values = np.array([[-128, 0, 127]], "int8")
    assert read(gray_tiff(values), tmp_path)[..., 0].tolist() == [[0, 128, 255]]
    values = np.array([[0, 90, 127]], "int8")
    assert read(gray_tiff(values), tmp_path)[..., 0].tolist() == [[0, 90, 127]]


@given(st.floats(0.01, 300), st.booleans())
def test_fractions_are_never_flat(tmp_path_factory, top, whole):
    values = np.linspace(0, top, 64, dtype="float32").reshape(8, 8)
    if whole:
        values = np.rint(values)
    pixels = read(gray_tiff(values), tmp_path_factory.mktemp("fractions"))[..., 0]
    assert keeps_order(values, pixels)
    if 1 < values.max() <= 255 and whole:
        assert (pixels == values).all()  # bytes, written as fractions
    elif values.max() > 1:
        assert len(np.unique(pixels)) >= 16
    else:
        assert pixels.max() == round(255 * values.max())


def test_fractions_just_above_1(tmp_path):
    values = np.linspace(0, 1.02, 256, dtype="float32").reshape(16, 16)
    pixels = read(gray_tiff(values), tmp_path)[..., 0]
    assert pixels.ravel().tolist() == list(range(256))


@pytest.mark.parametrize("most", [65535, 4095, 900])
def test_16_bit_gray_with_alpha(most, tmp_path):
    values = np.zeros((8, 16, 2), "uint16")
    values[..., 0] = np.linspace(0, most, 128).reshape(8, 16)
    values[:, 3:, 1] = 65535
    pixels = read(deep_png(values), tmp_path, background=7)
    assert pixels.shape == (8, 16, 1) and (pixels[:, :3] == 7).all()
    white = 2 ** int(most).bit_length() - 1
    expected = np.rint(values[:, 3:, 0] * (255 / white))
    assert np.abs(pixels[:, 3:, 0].astype(int) - expected).max() <= 1
    assert len(np.unique(pixels[:, 3:])) >= 90
    header = read_header(tmp_path / "image")
    assert header.deep and not header.color


@pytest.mark.parametrize("most", [65535, 900])
def test_the_color_that_stands_for_transparent(most, tmp_path):
    gray = np.linspace(0, most, 32).astype("uint16").reshape(4, 8, 1)
    pixels = read(deep_png(gray, gray[1, 2, 0]), tmp_path, background=200)
    seen = pixels.copy()
    seen[1, 2] = 0
    assert pixels[1, 2] == 200
    assert (seen == read(deep_png(gray, 1), tmp_path) * (seen > 0)).all()
    color = np.concatenate([gray, gray[::-1], gray // 2], axis=-1)
    pixels = read(deep_png(color, color[1, 2]), tmp_path, background=(9, 8, 7))
    assert pixels[1, 2].tolist() == [9, 8, 7]
    other = read(deep_png(color), tmp_path)
    changed = (np.abs(pixels.astype(int) - other) > 1).any(axis=-1)
    assert changed.sum() == 1


def test_a_tiff_that_cannot_be_read_is_called_one(tmp_path):
    for dtype in ("<f8", "<f2", ">f8"):
        with pytest.raises(ImageFileError, match=r"a TIFF of .*fractions.*Convert it"):
            read(gray_tiff(np.ones((2, 2), dtype)), tmp_path)
    with pytest.raises(ImageFileError, match="it is no JPEG"):
        read(b"no image", tmp_path)


def test_max_value_holds_for_fractions_too(tmp_path):
    values = np.array([[0, 0.6, 1.2]], "float32")
    pixels = read(encode(values, "TIFF"), tmp_path, max_value=1.2)[..., 0]
    assert pixels.tolist() == [[0, 128, 255]]


def test_very_large_images_are_named():
    """Pillow warns of them, and does not say which."""
    sizes = {(10, 20): "a.png", (9000, 9000): "b.png", (12_000, 12_000): "c.png"}
    found = Inspection(3, 3, sizes, False, [], [], {})
    told = list(found.remarks())
    assert len(told) == 1 and "whole before it is made smaller: b.png, c.png" in told[0]


@pytest.mark.parametrize("size", [(10**6, 10**6), (1, 10**9)])
def test_a_size_that_no_image_has(size):
    """Before a file is read, which would take the blame."""
    with pytest.raises(ValueError, match=r"at most 100,000,000 pixels.*image_size="):
        ImageFormat(image_size=size)
