"""Image files as Pillow opens them, within limits of our own.

Pillow is imported when called.
"""

from __future__ import annotations

import contextlib
import io
import os
import threading
from typing import IO, TYPE_CHECKING, Any

from keras_dc3._extras import optional

if TYPE_CHECKING:
    from PIL import Image


# Larger images are decoded one at a time, however many threads read.
LARGE = 80_000_000  # pixels; a little above, Pillow warns and does not name the file
ONE_AT_A_TIME = threading.Lock()


class _Aside:
    """Puts Pillow's own limits, which hold for the whole process, aside while we read.

    Pillow refuses images for their number of pixels, intact ones too, and can be told
    to fill the missing half of a cut file with gray. What is read here has a limit of
    its own, `max_pixels`, and is whole or an error. Entered by any number of threads;
    the last one out puts the settings back.
    """

    def __init__(self):
        self._lock, self._inside, self._before = threading.Lock(), 0, (None, False)

    def needed(self) -> bool:
        """Whether a file might be filled up, now or when another thread is done."""
        from PIL import ImageFile

        with self._lock:
            return bool(self._inside or ImageFile.LOAD_TRUNCATED_IMAGES)

    def __enter__(self) -> None:
        from PIL import Image, ImageFile

        with self._lock:
            if not self._inside:
                self._before = Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES
                Image.MAX_IMAGE_PIXELS = None
                ImageFile.LOAD_TRUNCATED_IMAGES = False
            self._inside += 1

    def __exit__(self, *error: Any) -> None:
        from PIL import Image, ImageFile

        with self._lock:
            self._inside -= 1
            if not self._inside:
                limit, fill = self._before
                Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES = limit, fill


_ASIDE = _Aside()


def open_image(
    file: IO[bytes], formats: tuple[str, ...], until: contextlib.ExitStack
) -> Any:
    """Returns Pillow's image of a file, not decoded yet, of whatever size.

    Args:
        file: the open file.
        formats: that it may have.
        until: closed when the image has been decoded.
    """
    from PIL import Image

    if not _ASIDE.needed():
        try:
            return Image.open(file, formats=formats)
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            file.seek(0)
    until.enter_context(_ASIDE)
    return Image.open(file, formats=formats)


_WIDTH, _HEIGHT, _BITS, _STRIPS, _SAMPLES = 256, 257, 258, 273, 277  # tags of TIFF
_STRIP_BYTES, _PLANES, _TILES, _TILE_BYTES, _FORMAT = 279, 284, 324, 325, 339
_NUMBERS = {1: "whole numbers", 2: "signed whole numbers", 3: "fractions"}
CONVERT = "Convert it, such as to a PNG or a contiguous TIFF of 8 or 16 bits."


def as_stored(image: Image.Image) -> str | None:
    """Makes an image, not decoded yet, be decoded to the values that are stored.

    Pillow would stretch those of a PGM or PPM of, say, 12 bits to 16 or to 8 bits.

    Returns:
        Why it cannot be read as stored, or None if it can.
    """
    if image.format == "TIFF":
        bits, samples = _first(image.tag_v2.get(_BITS)), image.tag_v2.get(_SAMPLES)
        if image.tag_v2.get(_PLANES) == 2 and (samples or 1) > 1 and (bits or 1) > 8:
            return (
                f"it is a TIFF of {bits} bits per value with each color in a plane of "
                "its own, which Pillow takes as 8 bits"
            )
    if image.format == "PPM":
        return _ppm_as_stored(image)
    return None


def why_no_kind(file: IO[bytes]) -> str | None:
    """Returns what an intact TIFF holds that Pillow does not read; None if damaged."""
    from PIL import TiffImagePlugin

    try:
        file.seek(0)
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        starts = _all(tags.get(_STRIPS) or tags.get(_TILES))
        sizes = _all(tags.get(_STRIP_BYTES) or tags.get(_TILE_BYTES))
        end = max(map(sum, zip(starts, sizes, strict=True)))
        whole = end <= _size(file) and min(sizes) > 0
        if not (whole and tags.get(_WIDTH) and tags.get(_HEIGHT)):
            return None
        bits, kind = _first(tags.get(_BITS)), _first(tags.get(_FORMAT)) or 1
        samples = tags.get(_SAMPLES) or 1
    except Exception:  # nearly anything, of a damaged file
        return None
    channels = "" if samples == 1 else f" and {samples} values per pixel"
    return (
        f"it is a TIFF of {bits or 1} bits per value, "
        f"{_NUMBERS.get(kind, 'numbers of another kind')}{channels}, which Pillow does "
        "not read"
    )


def _ppm_as_stored(image: Image.Image) -> str | None:
    tile = image.tile[0]
    arguments = tile.args
    if not isinstance(arguments, tuple) or len(arguments) != 2:
        return None
    mode, most = arguments
    if tile.codec_name not in ("ppm", "ppm_plain") or most <= 255:
        return None
    if tile.codec_name == "ppm":  # two bytes per value, the upper one first
        raw = "I;16B" if image.mode == "I" else "RGB;16B"
        image.tile = [tile._replace(codec_name="raw", args=raw)]
    elif image.mode == "I":
        image.tile = [tile._replace(args=(mode, 65535))]
    else:
        return (
            f"it is a PPM of color written as text, of values up to {most}, which "
            "Pillow makes 8 bits"
        )
    return None


def _size(file: IO[bytes]) -> int:
    """Returns how many bytes a file has, wherever it is read at."""
    place, size = file.tell(), file.seek(0, os.SEEK_END)
    file.seek(place)
    return size


def _all(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _first(value: Any) -> Any:
    return _all(value)[0]


MAX_PIXELS = 500_000_000  # of an image file, if nothing else is asked for
# What Pillow may open: formats of pixels alone, that no other program is started for.
_FORMATS = ("JPEG", "PNG", "BMP", "DIB", "GIF", "TIFF", "WEBP", "PPM")
_TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


class ImageFileError(ValueError):
    """An image file, or several, that cannot be read; the message names it.

    `reason` says why, `remedy` what to do; `pixels` are how many it has, where these
    are too many. `files` are the names of several, with the reason of each.
    """

    reason = ""
    remedy = "Repair, replace or remove it."
    pixels = 0

    def __init__(self, *args: object):
        super().__init__(*args)
        self.files: dict[str, str] = {}


def import_pillow() -> Any:
    """Returns Pillow's module `Image`; ImportError that says how to get it."""
    return optional("PIL.Image", "Image files are read with Pillow", "images")


class OpenedImage:
    """Opens an image file, to be decoded inside of a `with` statement.

    Whatever goes wrong inside is an `ImageFileError`.

    Args:
        path: the file; with `content` what it is called in errors.
        max_pixels: most pixels that it may have; None for no limit.
        content: the bytes of the file, where it is no file of this machine.

    Raises:
        ImportError: without Pillow.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        max_pixels: int | None,
        content: bytes | None = None,
    ):
        self.pillow, self.path = import_pillow(), os.fspath(path)
        self.max_pixels, self.until = max_pixels, contextlib.ExitStack()
        self.content = content

    def _open(self) -> IO[bytes]:
        """Returns the file, open until the image has been decoded."""
        if self.content is not None:
            return io.BytesIO(self.content)
        try:
            if os.path.exists(self.path) and not os.path.isfile(self.path):
                # To open a pipe may wait for ever.
                raise OSError("it is a folder, a pipe or the like, not a file")
            return self.until.enter_context(open(self.path, "rb"))
        except (OSError, ValueError) as error:
            text = getattr(error, "strerror", None) or error
            if isinstance(error, PermissionError):
                raise self._error(text, "Allow reading it.") from error
            raise self._unreadable(text) from error

    def __enter__(self) -> tuple[Image.Image, IO[bytes]]:
        self.file = self._open()
        try:
            image = open_image(self.file, _FORMATS, self.until)
            unread = as_stored(image)
        except Exception as error:
            with self.until:
                raise self._unknown(error) from error
        if unread is not None:
            self.until.close()
            raise self._error(unread, CONVERT)
        number = image.width * image.height
        if self.max_pixels is not None and number > self.max_pixels:
            self.until.close()
            raise self._too_large(image.width, image.height)
        if number > LARGE:
            self.until.enter_context(ONE_AT_A_TIME)
        return image, self.file

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.until.close()
        # Pillow's decoders raise nearly anything on a damaged file.
        if isinstance(error, Exception):
            raise self._unreadable(error) from error

    def _unknown(self, error: Exception) -> ImageFileError:
        """Returns why Pillow did not open the file: nothing of it, or of its kind."""
        if not _size(self.file):
            return self._error("it is empty, a file of 0 bytes")
        if not isinstance(error, self.pillow.UnidentifiedImageError):
            return self._unreadable(error)
        self.file.seek(0)
        if self.file.read(4) not in _TIFF_STARTS:
            return self._error(
                "it is no JPEG, PNG, BMP, GIF, TIFF, WebP or PPM, or is damaged"
            )
        kind = why_no_kind(self.file)
        if kind is not None:
            return self._error(kind, CONVERT)
        return self._error(
            "it is a damaged TIFF, or one of values that Pillow does not read; 8 or 16 "
            "bits with black as zero always work"
        )

    def _unreadable(self, reason: Any) -> ImageFileError:
        if isinstance(reason, MemoryError):
            return self._error(
                "it does not fit into memory", "Make a smaller copy of it."
            )
        text = " ".join(str(reason).split()) or type(reason).__name__
        if "MAX_TEXT" in text:  # of a PNG, whose pixels may be whole
            return self._error(
                "the text or the color profile in it is larger than Pillow allows",
                "Save it without these, or raise PIL.PngImagePlugin.MAX_TEXT_CHUNK and "
                "MAX_TEXT_MEMORY.",
            )
        if "truncated" in text.lower():
            text = f"it is cut short: {text}"
        return self._error(text)

    def _too_large(self, width: int, height: int) -> ImageFileError:
        error = self._error(
            f"it has {width * height:,} pixels, {width:,} x {height:,}, and the limit "
            f"is {self.max_pixels:,}",
            f"To read it, pass `max_pixels={width * height}` or more, or None for no "
            "limit; it is decoded whole before it is made smaller.",
        )
        error.pixels = width * height
        return error

    def _error(
        self, reason: str, remedy: str = ImageFileError.remedy
    ) -> ImageFileError:
        error = ImageFileError(
            f"The image file {self.path!r} cannot be read ({reason}). {remedy}"
        )
        error.reason, error.remedy = reason, remedy
        return error
