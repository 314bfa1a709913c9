"""Pillow's own limits, which hold for the whole process, put aside while we read.

Pillow refuses images for their number of pixels, intact ones too, and can be told to
fill the missing half of a cut file with gray. What is read here has a limit of its own,
`max_pixels`, and is whole or an error.
"""

from __future__ import annotations

import contextlib
import threading
from typing import IO, Any

# Larger images are decoded one at a time, however many threads read.
LARGE = 80_000_000  # pixels; a little above, Pillow warns and does not name the file
ONE_AT_A_TIME = threading.Lock()


class _Aside:
    """Entered by any number of threads; the last one out puts the settings back."""

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
