"""How far a packed file may unfold, so that a small one cannot fill memory or disk."""

from __future__ import annotations

import gzip
import io

MOST_BYTES = 1 << 30  # that any file may unfold to
MOST_TIMES = 100  # its own size, for more than that; tables and images stay far below


class UnpackingError(ValueError):
    """A packed file that would unfold to far more than it is."""


def check_unpacked(name: str, packed: int, unpacked: int, way_out: str) -> None:
    """Raises UnpackingError for over 1 GB that are 100 times the file's own size.

    Args:
        name: of the file, for the message.
        packed: its bytes.
        unpacked: its bytes when it is unpacked.
        way_out: a sentence on what to do if it is what it should be.
    """
    if unpacked > max(MOST_BYTES, MOST_TIMES * packed):
        raise UnpackingError(
            f"{name!r} of {packed:,} bytes would unfold to {unpacked:,} bytes or more, "
            f"above {MOST_BYTES:,} and {MOST_TIMES} times its size: such a file may be "
            f"meant to fill the memory or the disk. If you trust it, {way_out}"
        )


def gunzip(raw: bytes, name: str) -> bytes:
    """Returns the content of a gzip file.

    Args:
        raw: the file.
        name: of it, for messages.

    Raises:
        UnpackingError: if it would unfold to far more than it is.
        OSError, EOFError, zlib.error: if it is damaged.
    """
    most = max(MOST_BYTES, MOST_TIMES * len(raw))
    with gzip.GzipFile(fileobj=io.BytesIO(raw)) as file:
        content = file.read(most + 1)
    way_out = "unpack it by yourself, and name the unpacked file."
    check_unpacked(name, len(raw), len(content), way_out)
    return content
