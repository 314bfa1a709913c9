"""Whatever a file holds, it becomes an image or one error that names it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

from keras_dc3.data import ImageFileError, read_image
from keras_dc3.data.decoding import read_header
from tests.data.image_inputs import deep_png, encode, frames, picture

PICTURE = picture()
GRAY = PICTURE[..., 0]
VALID = {
    form: encode(PICTURE, form)
    for form in ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "PPM")
}


@pytest.mark.parametrize("form", VALID)
def test_a_file_cut_short_is_named(form, tmp_path):
    path = tmp_path / "scan 7.png"
    path.write_bytes(VALID[form][: len(VALID[form]) // 2])
    with pytest.raises(ImageFileError, match=r"scan 7\.png' cannot be read \(.+\)"):
        read_image(path)


@pytest.mark.parametrize("content", [b"", b"not an image", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_image_is_named(content, tmp_path):
    path = tmp_path / "image"
    path.write_bytes(content)
    with pytest.raises(ImageFileError, match=r"image' cannot be read"):
        read_image(path)


def test_files_that_cannot_be_opened(tmp_path):
    with pytest.raises(ImageFileError, match=r"none\.png.*No such file"):
        read_image(tmp_path / "none.png")
    with pytest.raises(ImageFileError, match="cannot be read"):
        read_image(tmp_path)
    with pytest.raises(ImageFileError, match="cannot be read"):
        read_image("a\0b")


def test_formats_that_start_programs_are_never_opened(tmp_path):
    path = tmp_path / "image"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    with pytest.raises(ImageFileError, match="it is no JPEG"):
        read_image(path)


def reads_or_tells(path):
    """The contract of the decoder, whatever the file holds."""
    for options in ({}, {"image_size": (8, 8), "channels": 3, "fit": "pad"}):
        try:
            pixels = read_image(path, **options)
        except ImageFileError as error:
            assert str(path) in str(error)
        else:
            assert pixels.dtype == "uint8" and pixels.ndim == 3
            assert pixels.shape[-1] in (1, 3) and pixels.size
    try:
        header = read_header(path)
    except ImageFileError as error:
        assert str(path) in str(error)
    else:
        assert min(header.size) >= 1


KINDS = {
    **VALID,
    "deep": deep_png(np.arange(192, dtype="uint16").reshape(8, 8, 3) * 9),
    "deep gray": encode(GRAY.astype("uint16") * 16, "TIFF"),
    "moving": frames("GIF"),
    "moving PNG": frames("PNG"),
    "pages": frames("TIFF"),
    "CMYK": encode(PICTURE, "JPEG", "CMYK"),
    "palette": encode(PICTURE, "PNG", "P"),
    "packed": encode(PICTURE, "TIFF", compression="tiff_lzw"),
}


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@given(st.sampled_from(sorted(KINDS)), st.data())
def test_damaged_files(tmp_path_factory, kind, data):
    content = bytearray(KINDS[kind])
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, min(len(content), 400) - 1))
        content[place] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    path = tmp_path_factory.mktemp("damaged") / "image"
    path.write_bytes(content)
    reads_or_tells(path)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@given(
    st.sampled_from([b"", *(content[:8] for content in VALID.values())]),
    st.binary(max_size=300),
)
def test_random_bytes(tmp_path_factory, start, rest):
    path = tmp_path_factory.mktemp("random") / "image"
    path.write_bytes(start + rest)
    reads_or_tells(path)
