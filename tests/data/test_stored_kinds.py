"""Values are read as they are stored, whatever Pillow makes of them, or not at all."""

import struct

import numpy as np
import pytest

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

from keras_dc3.data import ImageFileError, ImageFormat, read_image
from tests.data.image_inputs import gray_tiff

RAMP = np.linspace(0, 999, 64).reshape(8, 8)
COLORS = np.stack([RAMP, RAMP.T, 999 - RAMP], axis=-1)


def color_tiff(values, planes):
    """Returns the bytes of a TIFF of color (h, w, 3), in planes of their own or not."""
    height, width, channels = values.shape
    number = channels if planes else 1
    stored = np.moveaxis(values, -1, 0) if planes else values
    order = ">" if values.dtype.byteorder == ">" else "<"
    size = values.nbytes // number
    long, short = (
        lambda *many: struct.pack(f"{order}{len(many)}I", *many),
        lambda *many: struct.pack(f"{order}{len(many)}H", *many),
    )
    extra = b""
    lists = {
        258: (3, short(*[8 * values.itemsize] * channels), channels),
        273: (4, long(*[8 + size * i for i in range(number)]), number),
        279: (4, long(*[size] * number), number),
        339: (3, short(*[{"u": 1, "i": 2}[values.dtype.kind]] * channels), channels),
    }
    single = {256: width, 257: height, 259: 1, 262: 2, 277: channels, 278: height}
    single[284] = 2 if planes else 1
    directory = short(len(lists) + len(single))
    for tag in sorted([*lists, *single]):
        if tag in single:
            directory += short(tag, 4) + long(1, single[tag])
            continue
        kind, content, count = lists[tag]
        if len(content) > 4:
            place = 8 + values.nbytes + len(extra)
            extra, content = extra + content, long(place)
        directory += short(tag, kind) + long(count) + content
    start = long(8 + values.nbytes + len(extra))
    mark = b"II*\0" if order == "<" else b"MM\0*"
    return mark + start + stored.tobytes() + extra + directory + bytes(4)


def portable(values, most, text=False):
    """Returns the bytes of a PGM (h, w) or PPM (h, w, 3) of values up to `most`."""
    kind = (2 if text else 5) + (values.ndim == 3)
    height, width = values.shape[:2]
    head = f"P{kind} {width} {height} {most}\n".encode()
    if text:
        return head + " ".join(map(str, values.ravel().astype(int))).encode()
    return head + values.astype(">u2").tobytes()


@pytest.fixture
def read(tmp_path):
    def read(content, **options):
        path = tmp_path / "image"
        path.write_bytes(content)
        return read_image(path, **options)

    return read


def expected(values, high):
    return np.rint((values.astype(int) / high * 255).clip(0, 255))


@pytest.mark.parametrize("dtype", ["<u2", ">u2"])
def test_deep_colors_in_planes(dtype, read):
    with pytest.raises(ImageFileError, match=r"a plane of its own.*Convert it"):
        read(color_tiff(COLORS.astype(dtype), planes=True))
    pixels = read(color_tiff(COLORS.astype(dtype), planes=False), value_range=(0, 999))
    assert np.abs(pixels - expected(COLORS, 999)).max() <= 1


def test_colors_of_bytes_in_planes(read):
    values = (COLORS / 4).astype("uint8")
    for planes in (False, True):
        assert (read(color_tiff(values, planes)) == values).all()


@pytest.mark.parametrize("most", [1000, 4095, 65535])
@pytest.mark.parametrize("values", [RAMP.astype(int), COLORS.astype(int)])
@pytest.mark.parametrize("high", [500, 4095])
def test_portable_maps_keep_their_values(most, values, high, read):
    wanted = expected(values, high).reshape(8, 8, -1)
    found = read(portable(values, most), value_range=(0, high))
    assert np.abs(found - wanted).max() <= 1
    alone = read(portable(values, most))  # white is 1023, whatever it could be
    assert np.abs(alone - expected(values, 1023).reshape(8, 8, -1)).max() <= 1


def test_portable_maps_of_text(read):
    gray, color = RAMP.astype(int), COLORS.astype(int)
    found = read(portable(gray, 4095, text=True), value_range=(0, 500))[..., 0]
    assert (found == expected(gray, 500)).all()
    with pytest.raises(ImageFileError, match=r"values up to 4095.*Convert it"):
        read(portable(color, 4095, text=True))
    assert read(portable(color // 4, 255, text=True)).max() == 249


def test_a_cut_portable_map(read):
    for values in (RAMP, COLORS):
        with pytest.raises(ImageFileError, match=r"cut short|not enough|Repair"):
            read(portable(values.astype(int), 4095)[:-3])


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize(
    ("content", "told"),
    [
        (gray_tiff(np.ones((2, 2), "<f8")), "64 bits per value, fractions"),
        (gray_tiff(np.ones((2, 2), ">f2")), "16 bits per value, fractions"),
        (gray_tiff(np.ones((2, 2), ">u4")), "32 bits per value, whole numbers"),
        (color_tiff(COLORS.astype("<i2"), False), "signed .*and 3 values per pixel"),
    ],
)
def test_intact_files_are_not_called_damaged(content, told, read):
    with pytest.raises(ImageFileError, match=told) as caught:
        read(content)
    assert "Convert it" in str(caught.value) and "damaged" not in str(caught.value)
    with pytest.raises(ImageFileError, match=r"damaged TIFF.*Repair"):
        read(content[:12])


def test_the_range_is_shown_as_it_was_given():
    with pytest.raises(ValueError, match=r"value_range=\(0\.0, 5\.0\)$"):
        ImageFormat(max_value=3, value_range=(0, 5))
