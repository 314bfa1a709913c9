"""Image files of every kind become arrays, or one clear error."""

import io
import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

from PIL import Image

from keras_dc3.data import ImageFileError, ImageFormat, read_image
from keras_dc3.data.decoding import read_header
from tests.cases import case
from tests.data.image_inputs import deep_png, deep_tiff, encode, frames, picture

PICTURE = picture()
GRAY = PICTURE[..., 0]


def read(content, tmp_path=None, name="image", **options):
    path = tmp_path / name
    path.write_bytes(content)
    return read_image(path, **options)


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "PPM", "WEBP"])
@pytest.mark.parametrize("name", ["a", "a.PNG", "a.jpg", "a.txt"])
def test_lossless_formats_whatever_their_name(form, name, tmp_path):
    options = {"lossless": True} if form == "WEBP" else {}
    pixels = read(encode(PICTURE, form, **options), tmp_path, name)
    assert pixels.dtype == "uint8" and (pixels == PICTURE).all()
    if form != "WEBP":
        pixels = read(encode(GRAY, form), tmp_path, name)
        assert pixels.shape == (24, 32, 1) and (pixels[..., 0] == GRAY).all()


@pytest.mark.parametrize(
    ("mode", "options"),
    [
        ("RGB", {}),
        ("RGB", {"progressive": True}),
        ("RGB", {"optimize": True, "comment": b"x" * 2000, "dpi": (300, 300)}),
        ("CMYK", {}),
        ("L", {}),
    ],
)
def test_jpeg_of_every_kind(mode, options, tmp_path):
    pixels = read(encode(PICTURE, "JPEG", mode, quality=95, **options), tmp_path)
    expected = PICTURE
    if mode == "L":
        expected = np.asarray(Image.fromarray(PICTURE).convert("L"))[..., None]
    assert pixels.shape == expected.shape
    assert np.abs(pixels.astype(int) - expected).mean() < 4


def test_channels_are_as_asked(tmp_path):
    gray = np.asarray(Image.fromarray(PICTURE).convert("L"))
    color = encode(PICTURE, "PNG")
    assert (read(color, tmp_path, channels=1)[..., 0] == gray).all()
    three = read(encode(GRAY, "PNG"), tmp_path, channels=3)
    assert three.shape == (24, 32, 3) and (three == GRAY[..., None]).all()


def test_palettes_and_single_bits(tmp_path):
    few = (PICTURE // 128 * 255).astype("uint8")
    content = encode(few, "PNG", "P", colors=8)
    assert np.abs(read(content, tmp_path).astype(int) - few).max() < 60
    palette = Image.fromarray(GRAY).quantize(256)
    file = io.BytesIO()
    palette.save(file, "GIF")
    assert read(file.getvalue(), tmp_path).shape == (24, 32, 1)  # gray alone
    bits = read(encode(GRAY, "PNG", "1"), tmp_path)
    assert bits.shape == (24, 32, 1) and set(np.unique(bits)) == {0, 255}


@pytest.mark.parametrize("background", [255, 0, (10, 200, 30)])
def test_transparent_pixels_show_the_background(background, tmp_path):
    alpha = np.zeros((24, 32, 1), "uint8")
    alpha[:, 16:] = 255
    content = encode(np.concatenate([PICTURE, alpha], axis=-1), "PNG")
    pixels = read(content, tmp_path, background=background)
    assert pixels.shape == (24, 32, 3)
    assert (pixels[:, :16] == background).all()
    assert (pixels[:, 16:] == PICTURE[:, 16:]).all()
    gray = Image.merge("LA", [Image.fromarray(GRAY), Image.fromarray(alpha[..., 0])])
    file = io.BytesIO()
    gray.save(file, "PNG")
    pixels = read(file.getvalue(), tmp_path, background=200)
    assert pixels.shape == (24, 32, 1) and (pixels[:, :16] == 200).all()
    # A single color that stands for "transparent".
    content = encode(np.zeros((4, 4), "uint8"), "PNG", transparency=0)
    assert (read(content, tmp_path, background=77) == 77).all()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("tag", range(1, 9))
def test_images_are_turned_upright(form, tag, tmp_path):
    flip, turn = np.fliplr(PICTURE), np.rot90
    stored = {
        1: PICTURE,
        2: flip,
        3: turn(PICTURE, 2),
        4: np.flipud(PICTURE),
        5: PICTURE.transpose(1, 0, 2),
        6: turn(PICTURE, 1),
        7: turn(PICTURE.transpose(1, 0, 2), 2),
        8: turn(PICTURE, -1),
    }[tag]
    exif = Image.Exif()
    exif[0x0112] = tag
    path = tmp_path / "turned"
    path.write_bytes(encode(np.ascontiguousarray(stored), form, exif=exif, quality=95))
    pixels = read_image(path)
    assert pixels.shape == PICTURE.shape
    assert np.abs(pixels.astype(int) - PICTURE).mean() < 8
    assert read_header(path).size == (24, 32)


levels = hnp.arrays("uint16", (6, 6), elements=st.integers(0, 65535))


@given(levels, st.sampled_from(["PNG", "TIFF"]), st.integers(0, 12))
def test_more_than_8_bits_keep_their_order(tmp_path_factory, values, form, shift):
    values = values >> shift  # as cameras of fewer bits give
    path = tmp_path_factory.mktemp("deep") / "deep"
    path.write_bytes(encode(values, form))
    pixels = read_image(path)[..., 0]
    white = 2 ** max(8, int(values.max()).bit_length()) - 1
    assert (pixels == np.rint(values * (255 / white))).all()
    order = np.argsort(values, axis=None, kind="stable")
    assert (np.diff(pixels.ravel()[order].astype(int)) >= 0).all()
    assert read_header(path).deep
    pixels = read_image(path, max_value=4095)[..., 0]
    assert (pixels == np.rint(values.clip(0, 4095) * (255 / 4095))).all()


@pytest.mark.parametrize("most", [65535, 4095, 900, 200])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_color_of_more_than_8_bits_has_the_same_rule(most, channels, tmp_path):
    values = np.linspace(0, most, 40 * channels).reshape(5, 8, channels)
    values = values.round().astype("uint16")
    if channels == 4:
        values[..., -1] = 65535  # opaque
    pixels = read(deep_png(values), tmp_path)
    colors = values[..., :3]
    white = 2 ** max(8, int(colors.max()).bit_length()) - 1
    assert np.abs(pixels.astype(int) - colors * (255 / white)).max() <= 1
    assert len(np.unique(pixels)) >= 20
    assert read_header(tmp_path / "image").deep
    pixels = read(deep_png(values), tmp_path, max_value=2000)
    expected = (colors * (255 / 2000)).clip(0, 255)
    assert np.abs(pixels.astype(int) - expected).max() <= 1
    if channels == 3:
        pixels = read(deep_tiff(values), tmp_path)
        assert np.abs(pixels.astype(int) - colors * (255 / white)).max() <= 1


def test_16_bit_gray_with_transparency_is_gray(tmp_path):
    values = np.full((4, 6, 2), 65535, "uint16")
    values[:, :3, 0], values[:, 3:, 1] = 40_000, 0
    pixels = read(deep_png(values), tmp_path, background=9)[..., 0]
    assert (pixels[:, :3] == 40_000 // 256).all() and (pixels[:, 3:] == 9).all()


def test_fractions_and_negative_values(tmp_path):
    def stored(values, dtype):
        return read(encode(np.array(values, dtype), "TIFF"), tmp_path)[..., 0].tolist()

    assert stored([[0, 0.5, 1]], "float32") == [[0, 128, 255]]
    assert stored([[0, 100, 200.4]], "float32") == [[0, 100, 200]]
    assert stored([[1000, 2000, 3000]], "float32") == [[0, 128, 255]]
    assert stored([[-3, 0, 3]], "int32") == [[0, 128, 255]]
    assert stored([[7, 7, 7]], "int32") == [[7, 7, 7]]
    assert stored([[-7, -7]], "int32") == [[0, 0]]
    with pytest.raises(ImageFileError, match="NaN or infinity"):
        stored([[0, np.nan]], "float32")


@pytest.mark.parametrize("form", ["GIF", "PNG", "TIFF", "WEBP"])
def test_the_first_of_several_frames(form, tmp_path):
    path = tmp_path / "moving"
    path.write_bytes(frames(form))
    assert read_header(path).frames
    pixels = read_image(path, channels=3)
    assert pixels.shape == (20, 20, 3) and np.abs(pixels.astype(int) - 60).max() < 4
    path.write_bytes(encode(PICTURE, form))
    assert not read_header(path).frames


def test_sizes(tmp_path):
    image = np.zeros((20, 40, 3), "uint8")
    image[:, 10:30] = 200
    content = encode(image, "PNG")
    resized = read(content, tmp_path, image_size=(10, 10))
    assert resized.shape == (10, 10, 3) and (resized[:, 4:6] == 200).all()
    padded = read(content, tmp_path, image_size=(10, 10), fit="pad", background=7)
    assert (padded[:2] == 7).all() and (padded[-2:] == 7).all()
    assert (padded[4:6, 4:6] == 200).all() and (padded[4:6, 0] == 0).all()
    cropped = read(content, tmp_path, image_size=(10, 10), fit="crop")
    assert (cropped[:, 1:-1] == 200).all()  # the middle
    for fit in ("resize", "pad", "crop"):
        same = read(content, tmp_path, image_size=(20, 40), fit=fit)
        assert (same == image).all()
        thin = read(content, tmp_path, image_size=(1, 50), fit=fit, channels=1)
        assert thin.shape == (1, 50, 1)


def test_a_large_jpeg_in_a_small_size(tmp_path):
    large = picture((480, 640)) // 2
    content = encode(large, "JPEG", quality=95)
    small = read(content, tmp_path, image_size=(24, 32))
    expected = np.asarray(Image.fromarray(large).resize((32, 24), Image.BILINEAR))
    assert np.abs(small.astype(int) - expected).mean() < 4


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"image_size": 32}, r"pair \(height, width\).*image_size=32"),
        ({"image_size": (0, 3)}, "at least 1"),
        ({"image_size": (3.5, 3)}, "must be an integer"),
        ({"fit": "squeeze"}, "`fit` must be one of"),
        ({"channels": 4}, "`channels` must be one of"),
        ({"background": (1, 2)}, "`background` must be a gray value"),
        ({"background": 256}, "`background` must be a gray value"),
        ({"max_value": 0}, "`max_value` must be a number above 0"),
        ({"max_value": float("nan")}, "`max_value` must be a number above 0"),
    ],
)
def test_impossible_options(options, match):
    with pytest.raises(ValueError, match=match):
        ImageFormat(**options)


def test_without_pillow(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r"keras_dc3\[images\]"):
        read_image(tmp_path / "a.png")


def test_case_of_16_bit_gray():
    folder = case("01-sixteen-bit-gray")
    expected = json.loads((folder / "expected.json").read_text())
    least = expected["distinct_values_after_loading_at_least"]
    for name, top in expected["stored_maximum"].items():
        values = np.asarray(Image.open(folder / "images" / name)).astype(int)
        assert values.max() == top
        for channels in (1, 3):
            pixels = read_image(folder / "images" / name, channels=channels)
            assert pixels.shape == (*values.shape, channels)
            assert len(np.unique(pixels)) >= least
            order = np.argsort(values, axis=None, kind="stable")
            sorted_pixels = pixels[..., 0].ravel()[order].astype(int)
            assert (np.diff(sorted_pixels) >= 0).all()


def test_case_of_odd_jpeg():
    folder = case("02-cmyk-and-odd-jpeg")
    expected = json.loads((folder / "expected.json").read_text())
    for path in sorted((folder / "images").iterdir()):
        reference = Image.open(folder / "reference" / f"{path.stem}.png")
        gray = np.asarray(reference.convert("L")).astype(int)[..., None]
        color = np.asarray(reference).astype(int)
        for channels in (1, 3):
            pixels = read_image(path, channels=channels)
            of_gray = channels == 1 or path.name in expected["gray"]
            difference = np.abs(pixels - (gray if of_gray else color)).mean()
            assert difference < expected["mean_abs_difference_to_reference_below"]


def test_case_of_moving_images():
    folder = case("03-moving-and-many-page-images")
    expected = json.loads((folder / "expected.json").read_text())
    paths = sorted((folder / "images").iterdir())
    assert len(paths) == expected["images"]
    many = [path.name for path in paths if read_header(path).frames]
    assert many == sorted(expected["with_more_than_one_frame"])
    for path in paths:
        first = Image.open(path)
        first.seek(0)
        assert (read_image(path) == np.asarray(first.convert("RGB"))).all()


def test_case_of_spellings():
    folder = case("04-extension-spelling")
    for path in sorted((folder / "images").rglob("*.*")):
        if path.suffix in (".txt", ".csv"):
            with pytest.raises(ImageFileError):
                read_image(path)
        else:
            assert read_image(path).shape == (32, 32, 3)
