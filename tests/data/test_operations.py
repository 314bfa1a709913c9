"""Each operation of strong augmentation, against Pillow's or plain arithmetic."""

import numpy as np
import pytest

from keras_dc3.data import Strong, Weak, augment_numpy
from keras_dc3.data.draws import NAMES, OPERATIONS, Draw, matrices

PLAIN = Weak(flip=False, max_shift=0)


def operate(name, image, magnitude, value_range=(0.0, 255.0), fill=0.0):
    """Applies one operation of known magnitude to one image (h, w, c)."""
    return operate_on_all([name], image[None], [magnitude], value_range, fill)[0]


def operate_on_all(names, images, magnitudes, value_range=(0.0, 255.0), fill=0.0):
    """Applies to each of the images (n, h, w, c) its own operation."""
    operations = np.array([[NAMES.index(name)] for name in names], "int32")
    magnitudes = np.array(magnitudes, "float32")[:, None]
    draw = Draw(
        np.zeros(len(names), bool),
        np.zeros((len(names), 2), "int32"),
        operations,
        magnitudes,
        matrices(operations, magnitudes, *images.shape[1:3]),
        np.zeros((len(names), 4), "int32"),
    )
    policy = Strong(PLAIN, num_ops=1, cutout=0, fill=fill)
    return augment_numpy.transform(policy, images, draw, value_range)


def expected(name, image, magnitude, fill):
    """The operation on one image (h, w, c) of values 0 to 1, pixel by pixel."""
    channels = image.shape[2]
    weights = [0.299, 0.587, 0.114] if channels == 3 else [1 / channels] * channels
    gray = (image * weights).sum(axis=2, keepdims=True)
    if name == "identity":
        return image
    if name in ("brightness", "color", "contrast"):
        other = {"brightness": 0.0, "color": gray, "contrast": gray.mean()}[name]
        return magnitude * image + (1 - magnitude) * other
    if name == "sharpness":
        return _sharpened(image, magnitude)
    if name == "posterize":
        step = 2 ** (8 - int(magnitude))
        return np.rint(image * 255) // step * step / 255
    if name == "solarize":
        return np.where(image < magnitude, image, 1 - image)
    if name in ("autocontrast", "equalize"):
        return np.stack([_spread(name, image[..., c]) for c in range(channels)], -1)
    return _moved(name, image, magnitude, fill)


def _sharpened(image, magnitude):
    height, width = image.shape[:2]
    result = image.copy()
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            around = image[y - 1 : y + 2, x - 1 : x + 2].sum(axis=(0, 1))
            blurred = (around + 4 * image[y, x]) / 13
            result[y, x] = magnitude * image[y, x] + (1 - magnitude) * blurred
    return result


def _spread(name, channel):
    low, high = channel.min(), channel.max()
    if low == high:
        return channel
    if name == "autocontrast":
        return (channel - low) / (high - low)
    levels = np.rint(channel * 255)
    lowest = (levels == levels.min()).sum()
    darker = np.array([(levels <= level).sum() for level in levels.ravel()])
    return ((darker - lowest) / (levels.size - lowest)).reshape(channel.shape)


def _moved(name, image, magnitude, fill):
    height, width = image.shape[:2]
    padded = np.full((height + 2, width + 2, image.shape[2]), fill, "float64")
    padded[1:-1, 1:-1] = image
    result = np.empty_like(image)
    for y in range(height):
        for x in range(width):
            down, right = y - (height - 1) / 2, x - (width - 1) / 2
            if name == "rotate":
                cos, sin = np.cos(np.deg2rad(magnitude)), np.sin(np.deg2rad(magnitude))
                right, down = cos * right + sin * down, cos * down - sin * right
            elif name == "shear_x":
                right += magnitude * down
            elif name == "shear_y":
                down += magnitude * right
            elif name == "translate_x":
                right += magnitude * width
            else:
                down += magnitude * height
            from_y = np.clip(down + (height - 1) / 2 + 1, 0, height + 1 - 1e-9)
            from_x = np.clip(right + (width - 1) / 2 + 1, 0, width + 1 - 1e-9)
            top, left = int(from_y), int(from_x)
            b, a = from_y - top, from_x - left
            square = padded[top : top + 2, left : left + 2]
            across = (1 - a) * square[:, 0] + a * square[:, 1]
            result[y, x] = (1 - b) * across[0] + b * across[1]
    return result


@pytest.mark.parametrize("size", [(20, 24), (5, 31), (31, 5), (2, 1)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_each_operation_pixel_by_pixel(size, channels, rng):
    """Bytes are about a level off, floats none; all images are changed together."""
    images = rng.integers(30, 220, (3 * len(NAMES), *size, channels)).astype("uint8")
    names = NAMES * 3
    shares = np.repeat([0.03, 0.4, 0.98], len(NAMES))
    ranges = np.array([OPERATIONS[name] for name in names])
    magnitudes = ranges[:, 0] + shares * (ranges[:, 1] - ranges[:, 0])
    floats = images / np.float32(255)
    for fill in (0.0, 0.2):
        result = operate_on_all(names, images, magnitudes, fill=fill)
        precise = operate_on_all(names, floats, magnitudes, (0.0, 1.0), fill)
        for i, (name, magnitude) in enumerate(zip(names, magnitudes, strict=True)):
            at = f"{name} {magnitude:.3f}"
            exact = expected(name, floats[i].astype("float64"), magnitude, fill)
            np.testing.assert_allclose(precise[i], exact, atol=2e-4, err_msg=at)
            most = 1.5 if name in ("color", "rotate") else 1.0  # the two round twice
            assert np.abs(result[i] - 255 * exact).max() <= most, at


def test_images_do_not_depend_on_their_neighbors(rng):
    """Neither on those of the same operation, nor on how many are changed at once."""
    images = rng.integers(0, 256, (90, 64, 64, 3)).astype("uint8")
    draw = Strong().draw([1, 2], len(images), 64, 64)
    together = augment_numpy.transform(Strong(), images, draw)
    assert images.nbytes > augment_numpy._PIECE
    for i in range(len(images)):
        one = slice(i, i + 1)
        alone = augment_numpy.transform(Strong(), images[one], draw.of(one))
        np.testing.assert_array_equal(alone, together[one])


@pytest.fixture
def image(rng):
    """A smooth uint8 image (20, 24, 3) that does not use all values."""
    coarse = rng.uniform(40, 200, (5, 6, 3))
    return np.kron(coarse, np.ones((4, 4, 1))).astype("uint8")


@pytest.mark.parametrize(
    ("name", "magnitude", "pillow"),
    [
        ("autocontrast", 0, lambda ops, _, i: ops.autocontrast(i)),
        ("brightness", 0.4, lambda _, e, i: e.Brightness(i).enhance(0.4)),
        ("color", 0.3, lambda _, e, i: e.Color(i).enhance(0.3)),
        ("contrast", 0.6, lambda _, e, i: e.Contrast(i).enhance(0.6)),
        ("sharpness", 0.1, lambda _, e, i: e.Sharpness(i).enhance(0.1)),
        ("posterize", 4.7, lambda ops, _, i: ops.posterize(i, 4)),
        ("solarize", 0.5, lambda ops, _, i: ops.solarize(i, 128)),
        ("rotate", 20.0, lambda _, __, i: i.rotate(-20, resample=2)),  # clockwise
    ],
)
def test_as_pillow_does_it(name, magnitude, pillow, image):
    pil = pytest.importorskip("PIL.Image", reason="needs keras_dc3[demo]")
    from PIL import ImageEnhance, ImageOps

    expected = np.asarray(pillow(ImageOps, ImageEnhance, pil.fromarray(image)))
    result = operate(name, image, magnitude)
    # Pillow rounds between steps; a rotated border is cut off differently.
    inner = (slice(4, -4),) * 2 if name == "rotate" else ()
    difference = np.abs(result[inner].astype(int) - expected[inner])
    assert difference.max() <= 2
    assert (result != image).any()


def test_equalize_makes_values_evenly_frequent(rng):
    dark = (rng.random((32, 32, 1)) ** 3 * 200).astype("uint8")
    result = operate("equalize", dark, 0)
    assert result.min() == 0 and result.max() == 255
    # As even as the most frequent value, which stays one value, allows.
    most = np.bincount(dark.ravel()).max() / dark.size
    spread = np.sort(result.ravel())
    np.testing.assert_allclose(spread, np.linspace(0, 255, 1024), atol=256 * most + 1)
    # The order of the values stays.
    order = np.argsort(dark.ravel(), kind="stable")
    assert (np.diff(result.ravel()[order].astype(int)) >= 0).all()
    flat = np.full((8, 8, 3), 77, "uint8")
    assert (operate("equalize", flat, 0) == 77).all()
    assert (operate("autocontrast", flat, 0) == 77).all()


def test_shear_and_translate(image):
    moved = operate("translate_x", image, 0.25)  # 6 of 24 pixels, to the left
    assert (moved[:, :-6] == image[:, 6:]).all() and (moved[:, -6:] == 0).all()
    moved = operate("translate_y", image, -0.1)
    assert (moved[2:] == image[:-2]).all() and (moved[:2] == 0).all()
    sheared = operate("shear_x", image, 0.2)
    for y in (0, 19):
        by = 0.2 * (y - 9.5)
        at = np.arange(4, 20)
        expected = np.interp(at + by, np.arange(24), image[y, :, 0].astype(float))
        np.testing.assert_allclose(sheared[y, 4:20, 0], expected, atol=1)


@pytest.mark.parametrize("name", NAMES)
def test_any_range_of_values(name, image):
    """A float image in another range is changed as the uint8 image is."""
    low, high = OPERATIONS[name]
    magnitude = low + 0.7 * (high - low)
    whole = operate(name, image, magnitude, fill=0.5)
    floats = image.astype("float32") / 127.5 - 1
    result = operate(name, floats, magnitude, (-1.0, 1.0), fill=0.5)
    assert result.dtype == "float32"
    back = (result + 1) * 127.5
    assert np.abs(back - whole).max() <= 1.5


def test_operations_and_magnitudes_are_drawn_evenly():
    draw = Strong().draw([1, 2], 7000, 8, 8)
    shares = np.bincount(draw.operations.ravel(), minlength=len(NAMES)) / 14_000
    np.testing.assert_allclose(shares, 1 / len(NAMES), atol=0.01)
    for number, (low, high) in enumerate(OPERATIONS.values()):
        drawn = draw.magnitudes[draw.operations == number]
        assert low - 1e-5 <= drawn.min() and drawn.max() <= high + 1e-5
        np.testing.assert_allclose(drawn.mean(), (low + high) / 2, atol=1.5)
    few = Strong(operations=("rotate", "shear_x")).draw([1, 2], 50, 8, 8)
    assert set(few.operations.ravel()) == {
        NAMES.index("rotate"),
        NAMES.index("shear_x"),
    }


def test_half_of_the_images_are_flipped_unless_told_not_to():
    flipped = Weak(max_shift=0).draw([3, 4], 4000, 6, 6).flipped
    np.testing.assert_allclose(flipped.mean(), 0.5, atol=0.03)
    assert not Weak(flip=False).draw([3, 4], 99, 6, 6).flipped.any()
