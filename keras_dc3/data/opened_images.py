"""An image file that is open, or one error that says what is wrong with it.

Needs Pillow (extra `images`), imported when called.
"""

from __future__ import annotations

import contextlib
import os
from typing import IO, TYPE_CHECKING, Any

from keras_dc3.data.pillow_limits import LARGE, ONE_AT_A_TIME, open_image
from keras_dc3.data.stored_kinds import CONVERT, as_stored, why_no_kind

if TYPE_CHECKING:
    from PIL import Image

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
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            "Image files are read with Pillow, which is not installed: "
            'pip install "keras_dc3[images]"'
        ) from error
    return Image


class OpenedImage:
    """Opens an image file, to be decoded inside of a `with` statement.

    Whatever goes wrong inside is an `ImageFileError`.

    Args:
        path: the file.
        max_pixels: most pixels that it may have; None for no limit.

    Raises:
        ImportError: without Pillow.
    """

    def __init__(self, path: str | os.PathLike, max_pixels: int | None):
        self.pillow, self.path = import_pillow(), os.fspath(path)
        self.max_pixels, self.until = max_pixels, contextlib.ExitStack()

    def __enter__(self) -> tuple[Image.Image, IO[bytes]]:
        try:
            if os.path.exists(self.path) and not os.path.isfile(self.path):
                # To open a pipe may wait for ever.
                raise OSError("it is a folder, a pipe or the like, not a file")
            self.file = self.until.enter_context(open(self.path, "rb"))
        except (OSError, ValueError) as error:
            text = getattr(error, "strerror", None) or error
            if isinstance(error, PermissionError):
                raise self._error(text, "Allow reading it.") from error
            raise self._unreadable(text) from error
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
        if not os.fstat(self.file.fileno()).st_size:
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
