"""Archives of published records: fetched, checked and unpacked. No other package."""

from __future__ import annotations

import errno
import hashlib
import http.client
import json
import os
import shutil
import stat
import urllib.request
import zipfile
from pathlib import Path, PurePosixPath
from typing import Any

from keras_dc3._unpacking import UnpackingError, check_unpacked
from keras_dc3._writing import whole_file, working_folder

_BLOCK = 1 << 20
_TIMEOUT = 30  # seconds without an answer
# What an `OSError` says where the disk is to blame.
_NOT_THE_ARCHIVE = (errno.ENOENT, errno.ENOSPC, errno.EACCES, errno.EPERM, errno.EROFS)
# What a network that is missing, slow or cut off raises.
NETWORK_ERRORS = (OSError, http.client.HTTPException)


class ArchiveError(ValueError):
    """An archive that is damaged, incomplete or dangerous; the message says which."""


def record_checksum(record: str, file_name: str) -> str | None:
    """Returns the checksum that a Zenodo record states for a file of it.

    Args:
        record: the number of the record.
        file_name: of the file.

    Returns:
        Such as "md5:0cc1...", or None if the record does not tell.

    Raises:
        One of `NETWORK_ERRORS` if the record cannot be asked.
    """
    url = f"https://zenodo.org/api/records/{record}"
    with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer:
        try:
            about = json.load(answer)
        except ValueError:
            return None
    files = about.get("files") if isinstance(about, dict) else None
    for file in files if isinstance(files, list) else []:
        if isinstance(file, dict) and file.get("key") == file_name:
            checksum = file.get("checksum")
            return checksum if isinstance(checksum, str) else None
    return None


def download(url: str, path: str | os.PathLike, checksum: str | None = None) -> None:
    """Fetches a file. It is complete, with the right checksum, or not there.

    What is done, and how far it is, is printed.

    Args:
        url: of the file.
        path: where to write it.
        checksum: the algorithm and what it gives, such as "md5:0cc1..."; None if it is
            not known.

    Raises:
        ArchiveError: if the checksum differs, or the file ends too early.
        One of `NETWORK_ERRORS` if it cannot be had.
    """
    algorithm, _, expected = (checksum or "md5:").partition(":")
    try:
        digest = hashlib.new(algorithm)
    except ValueError:
        digest, checksum = hashlib.md5(), None  # an algorithm of the future
    with (
        urllib.request.urlopen(url, timeout=_TIMEOUT) as answer,
        whole_file(path, "wb") as file,
    ):
        length = answer.headers.get("Content-Length")
        progress = _Progress(url, path, length)
        while block := answer.read(_BLOCK):
            file.write(block)
            digest.update(block)
            progress.add(len(block))
        if length is not None and progress.done != int(length):
            raise ArchiveError(
                f"{url} ended after {progress.done:,} of {int(length):,} bytes. "
                "Nothing was kept; try again."
            )
        if checksum is not None and digest.hexdigest() != expected.lower():
            raise ArchiveError(
                f"{url} fails its checksum: {algorithm} must be {expected}, found "
                f"{digest.hexdigest()}. The file was removed; try again, or fetch it "
                "in another way."
            )


def unpack(archive: str | os.PathLike, folder: str | os.PathLike, marks: Any) -> None:
    """Unpacks a zip archive. The folder is complete or not there.

    One that would unfold to more than 1 GB and 100 times its size is refused; a user
    who trusts it unpacks it by hand.

    Args:
        archive: the file.
        folder: what to make of the folder in the archive that holds a mark. It must
            not exist.
        marks: names of files or folders, any of which tells that folder.

    Raises:
        ArchiveError: if the archive is damaged, holds no mark, names a place outside
            its folder, or would unfold to far more than it is.
        OSError: if it cannot be written.
    """
    archive, folder = Path(archive), Path(folder)
    try:
        with zipfile.ZipFile(archive) as file:
            members = file.infolist()
            for member in members:
                _check_member(archive, member)
            _check_sizes(archive, members, folder)
            _check_space(archive, members, folder.parent)
            with working_folder(folder) as made:
                file.extractall(made)
                root = _marked(Path(made), marks)
                if root is None:
                    raise ArchiveError(
                        f"{str(archive)!r} holds no folder with {' or '.join(marks)}; "
                        "is it the archive of another data set?"
                    )
                # Not the temporary folder itself, which is removed.
                if root == Path(made):
                    inner = Path(made) / ".unpacked"
                    inner.mkdir()
                    for entry in list(root.iterdir()):
                        if entry != inner:
                            entry.rename(inner / entry.name)
                    root = inner
                os.replace(root, folder)
    except ArchiveError:
        raise
    except Exception as error:  # for wrong bytes `zipfile` raises nearly anything
        if isinstance(error, OSError) and error.errno in _NOT_THE_ARCHIVE:
            raise
        raise ArchiveError(
            f"{str(archive)!r} is damaged or no zip archive ({error}). Remove it and "
            "fetch it again."
        ) from error


class _Progress:
    """A bar of Keras where the length is known."""

    def __init__(self, url: str, path: Any, length: str | None):
        self.done, self._bar = 0, None
        print(f"Fetching {url} to {os.fspath(path)!r}")
        if length is not None:
            import keras

            self._bar = keras.utils.Progbar(int(length), unit_name="byte")

    def add(self, number: int) -> None:
        self.done += number
        if self._bar is not None:
            self._bar.update(self.done)


def _check_member(archive: Path, member: zipfile.ZipInfo) -> None:
    """Raises ArchiveError for what would be written elsewhere, or is a link."""
    name = member.filename.replace("\\", "/")
    path = PurePosixPath(name)
    link = stat.S_ISLNK(member.external_attr >> 16)
    drive = bool(path.parts) and ":" in path.parts[0]
    if path.is_absolute() or ".." in path.parts or drive or link:
        what = "is a symbolic link" if link else "leads out of the folder"
        raise ArchiveError(
            f"{str(archive)!r} holds {member.filename!r}, which {what}. Nothing was "
            "unpacked; do not trust this archive, and fetch it from its record."
        )


def _check_sizes(archive: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    """Raises ArchiveError for what would unfold to far more than it is."""
    needed = sum(member.file_size for member in members)
    way_out = f"unpack it by yourself, to {str(folder)!r}."
    try:
        check_unpacked(str(archive), archive.stat().st_size, needed, way_out)
    except UnpackingError as error:
        raise ArchiveError(str(error)) from error


def _check_space(archive: Path, members: list[zipfile.ZipInfo], folder: Path) -> None:
    needed = sum(member.file_size for member in members)
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise OSError(
            errno.ENOSPC,
            f"{str(archive)!r} unpacks to {needed / 1e9:.1f} GB, but only "
            f"{free / 1e9:.1f} GB are free in {str(folder)!r}. Make room, or name "
            "another folder.",
        )


def _marked(folder: Path, marks: Any) -> Path | None:
    """Returns the uppermost folder that holds a mark."""
    waiting = [folder]
    while waiting:
        current = waiting.pop(0)
        if any((current / mark).exists() for mark in marks):
            return current
        waiting += sorted(path for path in current.iterdir() if path.is_dir())
    return None
