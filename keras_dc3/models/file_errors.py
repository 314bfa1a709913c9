"""Errors of image files that come out of a pipeline, as they went in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from keras_dc3.data import ImageFileError

# What TensorFlow makes of an exception of Python: its name and text, and a trace.
_TEXT = re.compile(rf"{ImageFileError.__name__}: (.*)")


def raise_plainly(error: Exception) -> None:
    """Raises the `ImageFileError` that another error only tells of, if it does."""
    if isinstance(error, ImageFileError):
        return
    found = _TEXT.search(str(error))
    if found is not None:
        raise ImageFileError(found[1]) from None


@contextmanager
def plain_file_errors() -> Iterator[None]:
    """An image that cannot be read inside is one `ImageFileError` with its path."""
    try:
        yield
    except Exception as error:
        raise_plainly(error)
        raise
