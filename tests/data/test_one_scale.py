"""Measured values keep one scale over a whole set, whichever image is read."""

import re
import warnings
from ast import literal_eval

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("PIL", reason="needs keras_dc3[images]")

from keras_dc3 import datasets
from keras_dc3.data import FileImages, ImageFormat, ValueRange, list_images, read_image
from keras_dc3.data.images_by_id import FolderReader
from keras_dc3.data.stored_values import Extremes, range_of_all, scaled
from keras_dc3.review import pictures
from tests.data.image_inputs import deep_png, encode, gray_tiff


def ramp(most, dtype, least=0):
    """An image (8, 8) of values spread evenly between two."""
    return np.linspace(least, most, 64).reshape(8, 8).astype(dtype)


def put(folder, images):
    """Writes images, encoded already or as values of a TIFF; returns the set."""
    folder.mkdir(exist_ok=True, parents=True)
    for name, content in images.items():
        content = content if isinstance(content, bytes) else gray_tiff(content)
        (folder / name).write_bytes(content)
    return FileImages(folder, list_images(folder).files)


def told(function):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = function()
    return result, [str(warning.message) for warning in caught]


@pytest.mark.parametrize(
    ("bright", "dark", "expected"),
    [
        (ramp(60_000, "uint16"), ramp(20_000, "uint16"), (0, 65535)),
        (ramp(4000, "uint16"), ramp(900, "uint16"), (0, 4095)),
        (ramp(900, ">u2"), ramp(800, ">u2"), (0, 1023)),
        (ramp(0.9, "float32"), ramp(0.2, "float32"), (0, 1)),
        (ramp(200.5, "float32"), ramp(60, "float32"), (0, 255)),
        (ramp(5000, "float32"), ramp(3000, "float32", 1000), (0, 5000)),
        (ramp(300, "int16", -200), ramp(100, "int16", -100), (-200, 300)),
        (ramp(100, "int8", -100), ramp(50, "int8"), (-100, 100)),
        (ramp(3000, "int32", -3000), ramp(100, "int32"), (-3000, 3000)),
    ],
)
def test_one_scale(bright, dark, expected, tmp_path):
    images = put(tmp_path, {"bright.tif": bright, "dark.tif": dark})
    (low, high), notes = expected, []
    pixels, notes = told(lambda: images.read([0, 1])[..., 0])
    assert tuple(images.stored_range) == (low, high, False)
    for found, values in zip(pixels, (bright, dark), strict=True):
        share = (values.astype("float64") - low) / (high - low)
        assert np.abs(found - share * 255).max() <= 0.51
    assert len(notes) == 1 and "2 of the 2 images" in notes[0]
    assert f"{low} becomes black and {high} white" in notes[0]
    # The same image, alone and in another order.
    assert (images.subset([1]).read([0])[0, ..., 0] == pixels[1]).all()
    assert (images.read([1, 0])[0, ..., 0] == pixels[1]).all()


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_color_and_transparency(channels, tmp_path):
    def image(most):
        values = np.repeat(ramp(most, "uint16")[..., None], channels, axis=-1)
        if channels % 2 == 0:
            values[..., -1] = 65535
        return deep_png(values)

    images = put(tmp_path, {"a.png": image(65535), "b.png": image(20_000)})
    pixels, _ = told(lambda: images.read([0, 1]))
    assert abs(int(pixels[0].max()) - 255) <= 1
    assert abs(int(pixels[1].max()) - 20_000 * 255 / 65535) <= 1


def test_images_of_bytes_stay_as_they_are(tmp_path):
    plain = ramp(200, "uint8")
    files = {"deep.png": deep_png(ramp(4000, "uint16")[..., None])}
    images = put(tmp_path, {**files, "plain.png": encode(plain, "PNG")})
    pixels, notes = told(lambda: images.read([0, 1])[..., 0])
    assert (pixels[1] == plain).all() and "1 of the 2 images" in notes[0]
    (tmp_path / "deep.png").unlink()
    images = FileImages(tmp_path, ["plain.png"])
    _, notes = told(lambda: images.read([0]))
    assert images.stored_range is None and not notes


def test_a_range_that_is_given(tmp_path):
    content = {"a.tif": ramp(4000, "uint16"), "b.tif": ramp(900, "uint16")}
    put(tmp_path, content)
    files = list_images(tmp_path).files
    for options in ({"value_range": (0, 2000)}, {"max_value": 2000}):
        images = FileImages(tmp_path, files, **options)
        pixels, notes = told(lambda images=images: images.read([0, 1])[..., 0])
        assert not notes and images.stored_range == (0, 2000, False)
        assert np.abs(pixels[0] - (content["a.tif"] * 0.1275).clip(0, 255)).max() < 0.51
    inside = read_image(tmp_path / "a.tif", value_range=[1000, 3000])[..., 0]
    share = (content["a.tif"] - 1000.0) / 2000
    assert np.abs(inside - (share * 255).clip(0, 255)).max() < 0.51
    with pytest.raises(ValueError, match="pass one of them"):
        ImageFormat(value_range=(0, 9), max_value=9)


@pytest.mark.parametrize(
    "pair",
    [(1,), (3, 3), (5, 1), "ab", 7, (0, np.inf), (0, np.nan), (0, None), (0, "x")],
)
def test_wrong_ranges(pair):
    with pytest.raises(
        ValueError, match=r"must be a pair \(low, high\).*Received: value"
    ):
        ImageFormat(value_range=pair)


def test_images_of_very_different_ranges_keep_their_gray_values(tmp_path):
    content = {f"{i}.tif": ramp(900 if i else 65535, "uint16") for i in range(3)}
    images = put(tmp_path / "train", content)
    pixels, notes = told(lambda: images.read([0, 1, 2])[..., 0])
    assert images.stored_range == (0, 65535, True) and "square root" in notes[0]
    assert all(len(np.unique(image)) >= 20 for image in pixels)
    values = np.concatenate([content["0.tif"], content["1.tif"]]).ravel()
    found = np.concatenate([pixels[0], pixels[1]]).ravel().astype(int)
    assert (np.diff(found[np.argsort(values, kind="stable")]) >= 0).all()
    assert np.abs(pixels[1] - 255 * np.sqrt(content["1.tif"] / 65535)).max() < 0.51
    # New images are read alike.
    new = put(tmp_path / "new", {"x.tif": content["1.tif"]})
    alike = FileImages(tmp_path / "new", new.ids, value_range=images.stored_range)
    assert (alike.read([0])[0, ..., 0] == pixels[1]).all()
    linear = FileImages(tmp_path / "new", new.ids, value_range=(0, 65535))
    assert linear.read([0]).max() == round(900 * 255 / 65535)


def test_a_few_dark_images_do_not_bend_the_scale():
    dark = Extremes(0, 900, False, True)
    bright = Extremes(0, 60_000, False, True)
    assert range_of_all([bright] * 3 + [dark]) == ValueRange(0, 65535)
    assert range_of_all([bright] * 2 + [dark]) == ValueRange(0, 65535, True)


def test_fractions_beside_whole_numbers_are_asked_about(tmp_path):
    put(tmp_path, {"a.tif": ramp(0.9, "float32"), "b.tif": ramp(4000, "uint16")})
    files = list_images(tmp_path).files
    with pytest.raises(ValueError, match=r"'a\.tif', and some whole .* 'b\.tif'"):
        FileImages(tmp_path, files).read([0])
    assert FileImages(tmp_path, files, value_range=(0, 4095)).read([0]).max() == 0


@given(
    st.lists(st.integers(0, 65535), min_size=2, max_size=30),
    st.integers(0, 65534),
    st.booleans(),
)
def test_scaled_keeps_order_and_fills_the_range(values, low, root):
    values = np.array(values, "uint16")
    found = scaled(values, ValueRange(low, 65535, root)).astype(int)
    order = np.argsort(values, kind="stable")
    assert (np.diff(found[order]) >= 0).all()
    assert (found[values <= low] == 0).all() and (found[values == 65535] == 255).all()


def test_a_data_set_and_what_is_cached(tmp_path):
    rows = {}
    for i in range(8):
        rows[f"{'ab'[i % 2]}/{i}.tif"] = ramp(500 * (i + 1), "uint16")
    for name in "ab":
        (tmp_path / "in" / name).mkdir(parents=True)
    put(tmp_path / "in", rows)
    read = {}
    for options in (
        {"cache": str(tmp_path / "cache")},
        {"cache": str(tmp_path / "cache"), "value_range": (0, 2000)},
        {"cache": "memory"},
    ):
        data, notes = told(
            lambda options=options: datasets.from_directory(
                tmp_path / "in", labeled=4, unlabeled=2, validation=2, **options
            )
        )
        assert len(notes) == ("value_range" not in options)
        for part in (data.labeled, data.unlabeled, data.validation):
            images = dict(zip(part.ids, part.read(range(len(part))), strict=True))
            read.setdefault(str(options), {}).update(images)
    on_disk, given, in_memory = read.values()
    for name, values in rows.items():
        expected = np.rint(values * (255 / 4095))
        assert (on_disk[name][..., 0] == expected).all()
        assert (in_memory[name] == on_disk[name]).all()
        assert (given[name][..., 0] == np.rint((values / 2000).clip(0, 1) * 255)).all()


def test_a_review_of_a_folder_shows_what_was_trained_on(tmp_path):
    images = put(
        tmp_path, {"a.tif": ramp(4000, "uint16"), "b.tif": ramp(900, "uint16")}
    )
    trained, _ = told(lambda: images.read([1])[0])
    ((_, shown),) = pictures.find_pictures(tmp_path, ["b.tif"])
    assert (shown.original == trained).all()
    assert (FolderReader(tmp_path).read(tmp_path / "b.tif") == trained).all()


def test_a_part_of_a_large_set_is_measured(tmp_path, monkeypatch):
    content = {f"{i}.tif": ramp(1000 + i, "uint16") for i in range(10)}
    images = put(tmp_path, content)
    monkeypatch.setattr("keras_dc3.data.file_source.MOST_DECODED", 64 * 3)
    pixels, notes = told(lambda: images.read([0, 9]))
    assert images.stored_range == (0, 1023, False) and pixels.max() > 250
    _, notes = told(lambda: images.image_shape)
    assert len(notes) == 1 and "3 of the 10 images were decoded" in notes[0]


def proposed(note):
    """The range that a note says to pass."""
    return literal_eval(
        re.findall(r"pass `value_range=(\([-\d.e+]+, [-\d.e+]+\))", note)[0]
    )


def noise(rng, most, dtype, size=16):
    return (rng.random((size, size)) * most).astype(dtype)


@pytest.mark.parametrize("missing", [-9999, -3.4e38, 65535, 1e30])
@pytest.mark.parametrize("share", ["one pixel of one", "a third of each"])
def test_a_number_for_no_data_is_told(missing, share, tmp_path):
    rng = np.random.default_rng(1)
    content = {f"{i}.tif": noise(rng, 3, "float32") for i in range(6)}
    for image in content.values():
        if share == "one pixel of one":
            image[0, 0] = missing
            break
        image[:5] = missing
    images = put(tmp_path, content)
    _, notes = told(lambda: images.read([0]))
    assert len(notes) == 1 and "nearly flat" in notes[0]
    low, high = proposed(notes[0])
    assert 0 <= low < 0.15 and 2.85 < high <= 3
    alike = FileImages(tmp_path, images.ids, value_range=(low, high))
    assert len(np.unique(alike.read([1]))) > 100


@pytest.mark.parametrize("color", [False, True])
def test_hot_pixels_are_told(color, tmp_path):
    rng = np.random.default_rng(2)
    content = {}
    for i in range(8):
        values = np.where(rng.random((16, 16)) > 0.99, 65535, noise(rng, 800, "uint16"))
        values = values.astype("uint16")
        colors = np.repeat(values[..., None], 3, axis=-1)
        content[f"{i}.tif"] = deep_png(colors) if color else values
    images = put(tmp_path, content)
    pixels, notes = told(lambda: images.read(np.arange(8)))
    assert images.stored_range.root and len(np.unique(pixels)) >= 20
    low, high = proposed(notes[0])
    assert len(notes) == 1 and low < 60 and 700 < high < 1024


def test_true_ranges_are_not_called_flat(tmp_path):
    sets = {
        "wide": [ramp(4000, "uint16"), ramp(900, "uint16")],
        "mask": [(ramp(1, "uint16") > 0) * np.uint16(65535)] * 3,
        "uneven": [ramp(900 if i else 65535, "uint16") for i in range(3)],
        "signed": [ramp(300, "int16", -200), ramp(100, "int16", -100)],
        "small": [ramp(7, "uint16"), ramp(3, "uint16")],
    }
    for name, content in sets.items():
        files = {f"{i}.tif": image for i, image in enumerate(content)}
        images = put(tmp_path / name, files)
        _, notes = told(lambda images=images: images.read([0]))
        assert len(notes) == 1 and "flat" not in notes[0] and "Most" not in notes[0]
        assert images.stored_range.root == (name == "uneven")


def test_files_that_are_left_out_are_not_listed(tmp_path):
    content = {f"{i}.tif": ramp(3, "float32") for i in range(4)}
    content["2.tif"][0, 0] = np.nan
    images = put(tmp_path, content)
    _, notes = told(images.readable)
    assert "3 of the 4 images" in notes[0] and "2.tif" not in notes[0]
