"""One image file as an array. Needs Pillow (extra `images`), imported when called."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from keras_dc3._validation import check_choice, check_positive_int
from keras_dc3.data import pillow_images
from keras_dc3.data.opened_images import MAX_PIXELS, OpenedImage
from keras_dc3.data.stored_values import Extremes, ValueRange, checked_range

FITS = ("resize", "pad", "crop")
_MOST_PIXELS = 10**8  # of an image to train on; more is a slip


class ImageHeader(NamedTuple):
    """What is known of an image file before its pixels are decoded.

    size: (h, w), upright. color: whether it can hold other colors than gray. frames:
    whether there is more than one frame or page. deep: whether its values have more
    than 8 bits, or a sign.
    """

    size: tuple[int, int]
    color: bool
    frames: bool
    deep: bool


@dataclass(frozen=True)
class ImageFormat:
    """How image files become arrays of one kind.

    Args:
        image_size: (h, w) to bring every image to; None leaves its own size.
        fit: how, where the sizes differ. "resize" to exactly that size, whatever it
            does to the proportions; "pad" to within it, the rest filled with
            `background`; "crop" to cover it, what sticks out on two sides cut off.
        channels: 1 for gray, 3 for color; None for what the file holds.
        background: what transparent pixels are laid over, and what fills a padded
            image; a gray value or (red, green, blue), 0 to 255.
        max_value: what becomes white (255) in images of more than 8 bits per value, 0
            being black; larger values become white, too.
        value_range: (low, high), what becomes black and what white in images whose
            values have more than 8 bits or a sign; as `max_value` is (0, high). With
            neither, a single image has the rule of `read_image`, and a set one range
            for all of its images; see `FileImages`.
        max_pixels: most pixels of a file; None for no limit. A larger image may be no
            slip, but be meant to fill the memory: it is decoded whole.

    Raises:
        ValueError: for impossible values.

    Example:

    >>> padded = keras_dc3.data.ImageFormat(image_size=(64, 64), fit="pad", channels=3)
    >>> padded.fit
    'pad'
    """

    image_size: tuple[int, int] | None = None
    fit: str = "resize"
    channels: int | None = None
    background: int | Sequence[int] = 255
    max_value: float | None = None
    value_range: Sequence[float] | None = None
    max_pixels: int | None = MAX_PIXELS

    def __post_init__(self):
        if self.image_size is not None:
            object.__setattr__(self, "image_size", _checked_size(self.image_size))
        check_choice("fit", self.fit, FITS)
        check_choice("channels", self.channels, (None, 1, 3))
        object.__setattr__(self, "background", _checked_color(self.background))
        if self.max_value is not None and not (
            isinstance(self.max_value, int | float | np.number)
            and 0 < self.max_value < np.inf
        ):
            raise ValueError(
                "`max_value` must be a number above 0, such as 4095 for images of 12 "
                f"bits, or None. Received: max_value={self.max_value!r}"
            )
        object.__setattr__(self, "value_range", checked_range(self.value_range))
        if self.value_range is not None and self.max_value is not None:
            raise ValueError(
                f"`max_value`={self.max_value!r} is `value_range`=(0, "
                f"{self.max_value!r}): pass one of them. Received: "
                f"value_range={self.value_range[: 2 + self.value_range.root]!r}"
            )
        if self.max_pixels is not None:
            check_positive_int("max_pixels", self.max_pixels)

    @property
    def stored_range(self) -> ValueRange | None:
        """What `value_range` or `max_value` asks for; None for neither."""
        if self.max_value is not None:
            return ValueRange(0.0, float(self.max_value))
        return self.value_range

    def read(
        self,
        path: str | os.PathLike,
        content: bytes | None = None,
        *,
        scales_alone: bool = True,
        of_frames: Callable[[], None] | None = None,
    ) -> np.ndarray:
        """Returns the image as `read_image` does.

        Args:
            path: the file; with `content` what it is called in errors.
            content: the bytes of the file, where it is no file of this machine.
            scales_alone: whether values of more than 8 bits may be scaled by the
                image's own, where no range was given; else such an image is an error.
            of_frames: called where the file holds several frames or pages, of which
                the first is read.
        """
        with OpenedImage(path, self.max_pixels, content) as (image, file):
            if of_frames is not None and _has_frames(image):
                of_frames()
            if not scales_alone and self.stored_range is None:
                _check_bytes(image)
            if self.image_size is not None:
                # A JPEG that is much too large is decoded at a fraction of its size.
                image.draft(None, (2 * max(self.image_size),) * 2)
            gray = pillow_images.is_gray(image)
            channels = self.channels or (1 if gray else 3)
            decoded = pillow_images.eight_bits(image, file, self.stored_range)
            turn = pillow_images.orientation(image)
            image = pillow_images.one_kind(decoded, channels, self.background)
            if turn is not None:
                image = image.transpose(turn)
            if self.image_size is not None:
                image = pillow_images.fitted(
                    image, self.image_size, self.fit, self.background
                )
            pixels = np.asarray(image)
        return pixels if pixels.ndim == 3 else pixels[..., None]


def _check_bytes(image: Any) -> None:
    """Raises ValueError for an image, not decoded yet, of more than 8 bits."""
    if pillow_images.is_measured(image):
        raise ValueError(
            "its values have more than 8 bits, or a sign: `value_range` must say what "
            "is black and what is white, as in training"
        )


def read_image(path: str | os.PathLike, **options: Any) -> np.ndarray:
    """Returns an image file as uint8 (h, w, 1) or (h, w, 3).

    JPEG, PNG, BMP, GIF, TIFF, WebP and PPM are told by their content, whatever the
    file's name ends in. The image is turned upright as its EXIF data say. CMYK and
    palettes become RGB, transparent pixels are laid over `background`. Of a moving
    image or one of many pages the first is read.

    Values of more than 8 bits are scaled by one rule: the largest number that the
    bits can hold which the image's own largest value needs becomes white, 1023 where
    that is 900, 4095 where it is 3000, 65535 where it is 40000; up to 255 values stay.
    So no image is black or flat, and brightness keeps its order, but images of one
    camera may be scaled differently: give `value_range` to scale all alike, as a set
    of images does by itself (see `FileImages`). Fractions
    fill 0..1 if they lie in it, and 0..255 if they lie in that and are whole or reach
    16; other ones up to 16 are stretched from 0 to the largest, all else, and negative
    values, from the smallest to the largest. A TIFF whose zero is white is turned
    around after that. Of a PGM or PPM of more than 8 bits the stored values count,
    whatever its header names as the largest.

    Args:
        path: the file.
        **options: of `ImageFormat`: `image_size`, `fit`, `channels`, `background`,
            `max_value`, `value_range` and `max_pixels`.

    Raises:
        ImportError: without Pillow.
        ImageFileError: if it is damaged, cut short, empty, missing, no such image, or
            has more than `max_pixels`. What can be decoded of a cut file is not used.
        ValueError: for impossible options.

    Example:

    >>> path = "fish/img_0.png"
    >>> keras_dc3.data.read_image(path, image_size=(64, 64), fit="pad").shape
    (64, 64, 3)
    """
    return ImageFormat(**options).read(path)


def read_header(
    path: str | os.PathLike, max_pixels: int | None = MAX_PIXELS
) -> ImageHeader:
    """Returns what can be known of an image file without decoding its pixels.

    Raises:
        ImageFileError: as `read_image`; damaged pixels are not noticed.
    """
    with OpenedImage(path, max_pixels) as (image, _):
        return ImageHeader(
            pillow_images.upright_size(image),
            not pillow_images.is_gray(image),
            _has_frames(image),
            pillow_images.is_measured(image),
        )


def _has_frames(image: Any) -> bool:
    """Whether an image, not decoded yet, is a moving one, or one of many pages."""
    # A JPEG of several pictures is one photograph with its previews.
    return image.format != "MPO" and bool(getattr(image, "is_animated", False))


def read_extremes(
    path: str | os.PathLike, max_pixels: int | None = MAX_PIXELS
) -> Extremes | None:
    """Returns the smallest and largest stored value; None if the values are bytes.

    Raises:
        ImageFileError: as `read_image`.
    """
    with OpenedImage(path, max_pixels) as (image, _):
        return pillow_images.extremes_of(image)


def _checked_size(size: Any) -> tuple[int, int]:
    if not isinstance(size, tuple | list) or len(size) != 2:
        raise ValueError(
            "`image_size` must be a pair (height, width), such as (64, 64). Received: "
            f"image_size={size!r}"
        )
    for value in size:
        check_positive_int("image_size", value)
    if int(size[0]) * int(size[1]) > _MOST_PIXELS:
        raise ValueError(
            f"`image_size` must have at most {_MOST_PIXELS:,} pixels. Received: "
            f"image_size={size!r}"
        )
    return int(size[0]), int(size[1])


def _checked_color(color: Any) -> tuple[int, int, int]:
    values = tuple(color) if isinstance(color, tuple | list) else (color,) * 3
    for value in values:
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        if len(values) != 3 or not whole or not 0 <= value <= 255:
            raise ValueError(
                "`background` must be a gray value or (red, green, blue), integers of "
                f"0 to 255. Received: background={color!r}"
            )
    return tuple(int(value) for value in values)
