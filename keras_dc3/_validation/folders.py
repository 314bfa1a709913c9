"""Checks of folders to write to: that they hold nothing that somebody else needs."""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterator

from keras_dc3._names import is_picture

# Found beside what is ours: what systems leave behind, and hidden files.
_CLUTTER = re.compile(r"\..*|thumbs\.db|desktop\.ini|__macosx", re.IGNORECASE)


def check_empty_folder(
    path: str | os.PathLike,
    own: str = r"(?!)",
    advice: str = "Name an empty or new `folder`.",
) -> None:
    """Raises ValueError for a folder that holds anything but files of ours.

    Args:
        path: the folder, which may not be there yet.
        own: a regular expression that the names of our files fit.
        advice: what to do.
    """
    path = os.fspath(path)
    others = [other for other in _entries(path) if not re.fullmatch(own, other)]
    if not others:
        return
    pictures = [other for other in others if is_picture(other)]
    what = "pictures" if pictures else "other things"
    raise ValueError(
        f"The folder {path!r} holds {what}, such as {(pictures or others)[0]!r}, among "
        f"which nothing is written. {advice}"
    )


def tell_of_pictures(what: str, path: str | os.PathLike, stacklevel: int = 2) -> None:
    """Warns where files of ours go into a folder of pictures, which stay as they are.

    Args:
        what: is written there, such as "The backup".
        path: the folder, which may not be there yet.
        stacklevel: as for `warnings.warn`.
    """
    path = os.fspath(path)
    found = next(filter(is_picture, _entries(path)), None)
    if found is not None:
        warnings.warn(
            f"{what} goes into the folder {path!r}, which holds pictures, such as "
            f"{found!r}. These stay as they are; name a folder of its own if it was "
            "not meant.",
            stacklevel=stacklevel + 1,
        )


def check_outside(path: str | os.PathLike, images: str | os.PathLike) -> None:
    """Raises ValueError for a folder to write pictures to that lies in that of images.

    Args:
        path: the folder, which may not be there yet.
        images: the folder of the images.
    """
    inside = os.path.join(os.path.realpath(images), "")
    if os.path.join(os.path.realpath(path), "").startswith(inside):
        raise ValueError(
            f"{os.fspath(path)!r} lies in the folder of the images, of which pictures "
            "in it would become further ones. Name another folder."
        )


def _entries(path: str) -> Iterator[str]:
    """Yields what lies in a folder, in order; nothing where there is none."""
    found = sorted(os.listdir(path)) if os.path.isdir(path) else []
    return (name for name in found if not _CLUTTER.fullmatch(name))
