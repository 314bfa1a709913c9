"""Files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any


@contextmanager
def whole_file(
    path: str | os.PathLike, mode: str = "w", **options: Any
) -> Iterator[IO]:
    """Opens a file that takes the place of `path` only once it is complete.

    It is written under another name in the same folder, which is created if missing. If
    the `with` block raises, or the process dies, `path` stays as it was.

    Args:
        path: the file to write. Where it is a symbolic link, its target is written.
        mode: "w" for text, "wb" for bytes.
        **options: of `open`, such as `encoding`.

    Raises:
        OSError: if the file cannot be written; the message names `path`.
    """
    target = os.path.realpath(os.fspath(path))
    folder, name = os.path.split(target)
    if os.path.isdir(target):
        raise IsADirectoryError(
            f"{os.fspath(path)!r} is a folder; name a file in it to write to."
        )
    temporary = os.path.join(folder, f".{name}.{os.getpid()}.part")
    try:
        os.makedirs(folder, exist_ok=True)
        file = open(temporary, mode, **options)  # noqa: SIM115
    except OSError as error:
        raise OSError(
            f"{os.fspath(path)!r} cannot be written ({error.strerror or error}). Name "
            "another folder or free this one."
        ) from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            os.remove(temporary)
        raise
