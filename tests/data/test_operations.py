"""Each operation of strong augmentation, against Pillow's or plain NumPy."""

import numpy as np
import pytest

from keras_dc3.data import Strong, Weak, augment_numpy
from keras_dc3.data.draws import NAMES, OPERATIONS, Draw, matrices

PLAIN = Weak(flip=False, max_shift=0)


def operate(name, image, magnitude, value_range=(0.0, 255.0), fill=0.0):
    """Applies one operation of known magnitude to one image (h, w, c)."""
    height, width = image.shape[:2]
    operations = np.array([[NAMES.index(name)]], "int32")
    magnitudes = np.array([[magnitude]], "float32")
    draw = Draw(
        np.arange(height)[None],
        np.arange(width)[None],
        operations,
        magnitudes,
        matrices(operations, magnitudes, height, width),
        np.zeros((1, 4), "int32"),
    )
    policy = Strong(PLAIN, num_ops=1, cutout=0, fill=fill)
    return augment_numpy.transform(policy, image[None], draw, value_range)[0]


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
        np.testing.assert_allclose(sheared[y, 4:20, 0], expected, atol=0.51)


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
    assert (np.abs(back - whole) <= 0.51).mean() > 0.99


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
    flipped = Weak(max_shift=0).draw([3, 4], 4000, 6, 6).columns[:, 0] == 5
    np.testing.assert_allclose(flipped.mean(), 0.5, atol=0.03)
    assert not (
        Weak(flip=False, max_shift=0).draw([3, 4], 99, 6, 6).columns[:, 0]
    ).any()
