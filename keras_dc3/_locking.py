"""One process at a time works in a place: a lock that names its owner."""

from __future__ import annotations

import getpass
import os
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
    import msvcrt

_FAR = 1 << 20  # a byte beyond the text, so that others can read who holds the lock


class InUseError(OSError):
    """Another process works there."""


@contextmanager
def locked(path: str, what: str, of: str | None = None) -> Iterator[None]:
    """Holds the lock of a place; the system takes it away when the process dies.

    Args:
        path: the file of the lock. It stays, and tells who held it last.
        what: is being done, for others to read.
        of: what it locks, for the message; None: the folder that it is in.

    Raises:
        InUseError: if another process holds it; the message names its owner.
    """
    # Not emptied before the lock is held: it tells who holds it.
    file = open(path, "a+", encoding="utf-8")  # noqa: SIM115
    with file:
        try:
            _lock(file)
        except OSError as error:
            file.seek(0)
            owner = file.read().strip() or "somebody who has not said who"
            raise InUseError(
                f"{of or os.path.dirname(path)!r} is in use by {owner}. Wait until "
                "that is done, or end it."
            ) from error
        file.seek(0)
        file.truncate()
        user = "an unknown user"
        with suppress(Exception):  # without a name in the system
            user = getpass.getuser()
        now = time.strftime("%Y-%m-%d %H:%M")
        file.write(
            f"{user} on {platform.node()} (process {os.getpid()}, {what}, since {now})"
        )
        file.flush()
        yield


def _lock(file: IO) -> None:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    else:
        file.seek(_FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
