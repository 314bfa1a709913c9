"""Image files become in a graph what `data.ImageFormat` makes of them."""

import io

import numpy as np
import pytest

from keras_dc3.data.decoding import ImageFormat
from keras_dc3.models.export_bytes import images_of_files
from tests.slow import few

pytestmark = pytest.mark.tensorflow
CASES = [((16, 24, 3), "pad"), ((16, 24, 1), "resize"), ((24, 16, 3), "crop")]


def photo(height, width, mode="RGB"):
    """An image with edges and noise, as a photo has them."""
    image = pytest.importorskip("PIL.Image")
    rng = np.random.default_rng(height * width)
    small = rng.integers(0, 256, (height // 8 + 2, width // 8 + 2, 4)).astype("uint8")
    large = np.asarray(image.fromarray(small).resize((width, height))).astype("int64")
    noisy = (large + rng.integers(-9, 10, large.shape)).clip(0, 255).astype("uint8")
    made = image.fromarray(noisy)
    return made if mode == "RGBA" else made.convert("RGB").convert(mode)


def encoded(image, kind, **options):
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned(orientation):
    exif = pytest.importorskip("PIL.Image").Exif()
    exif[0x010F], exif[0x0112] = "a maker", orientation
    return encoded(photo(40, 60), "JPEG", exif=exif)


def files():
    """Name -> content of files of each kind."""
    palette = photo(30, 40).quantize(16)
    return {
        "the model's size": encoded(photo(16, 24), "JPEG"),
        "smaller": encoded(photo(9, 30), "PNG"),
        "much larger": encoded(photo(300, 410), "JPEG"),
        "progressive": encoded(photo(50, 40), "JPEG", progressive=True, subsampling=0),
        "gray": encoded(photo(50, 40, "L"), "JPEG"),
        "cmyk": encoded(photo(50, 40, "CMYK"), "JPEG"),
        "transparent": encoded(photo(50, 40, "RGBA"), "PNG"),
        "gray and transparent": encoded(photo(50, 40, "RGBA").convert("LA"), "PNG"),
        "palette": encoded(palette, "PNG"),
        "transparent in a palette": encoded(palette, "PNG", transparency=3),
        "black and white": encoded(photo(50, 40, "1"), "PNG"),
        **{f"EXIF orientation {i}": turned(i) for i in range(1, 9)},
    }


@pytest.mark.parametrize(("shape", "fit"), few(CASES, CASES[0]))
def test_files_are_read_as_in_training(shape, fit):
    import tensorflow as tf

    given = files()
    wanted = ImageFormat(image_size=shape[:2], channels=shape[2], fit=fit)
    made = tf.function(images_of_files)(tf.constant([*given.values()]), shape, fit)
    assert made.shape == (len(given), *shape) and made.dtype == "uint8"
    for (name, content), found in zip(given.items(), made.numpy(), strict=True):
        expected = wanted.read(name, content)
        off = np.abs(expected.astype("int64") - found)
        # What lies in the middle may be rounded to either side, in both directions.
        assert off.max() <= 2 and off.mean() < 0.3, name
        if name == "the model's size" and shape == CASES[0][0]:
            assert off.max() == 0


def test_other_files_are_refused():
    import tensorflow as tf

    deep = np.arange(81, dtype="uint16").reshape(9, 9)
    image = pytest.importorskip("PIL.Image").fromarray(deep)
    cut_off = encoded(photo(50, 40), "JPEG")[:300]
    bad = [b"", b"GIF89a", encoded(image, "PNG"), cut_off]
    for content, match in zip(
        bad, [*["must be a JPEG or PNG"] * 3, "JPEG"], strict=True
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=match):
            images_of_files(tf.constant([content]), (8, 8, 3))
