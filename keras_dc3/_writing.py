"""Files and folders that are whole or not there."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

# What a disk, not the content, is to blame for.
_DISK_ERRORS = tuple(
    getattr(errno, name)
    for name in ("ENOSPC", "EDQUOT", "EFBIG", "EROFS", "EIO")
    if hasattr(errno, name)
)
_LEFTOVER = ".part"  # the end of the name of what a killed writer leaves behind
_LONGEST = 80  # bytes of the written file's name in that of the leftover
_LEFTOVER_NAME = re.compile(r"\.(.+)\.([0-9a-f]{8})\.[^.]+\.part", re.DOTALL)
_LOCK = "lock"
# How image files begin; WebP is told apart from other RIFF files by its 9th byte.
_PICTURES = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|II[*+]\0|MM\0[*+]|BM....\0\0|RIFF....WEBP",
    re.DOTALL,
)


@contextmanager
def whole_file(
    path: str | os.PathLike, mode: str = "w", **options: Any
) -> Iterator[IO]:
    """Opens a file that takes the place of `path` only once it is complete.

    See `whole_path`.

    Args:
        path: the file to write.
        mode: "w" for text, "wb" for bytes.
        **options: of `open`, such as `encoding`.

    Raises:
        OSError: if the file cannot be written; the message names `path`.
    """
    with whole_path(path) as temporary, open(temporary, mode, **options) as file:
        yield file


@contextmanager
def whole_path(path: str | os.PathLike, folder: bool = False) -> Iterator[str]:
    """Gives a path to write to, which takes the place of `path` once that is done.

    It has the same name, in a working folder beside `path`. If the `with` block raises,
    or the process dies, `path` stays as it was. Any number of threads and processes may
    write the same `path`: each replaces it as a whole. A process that is killed leaves
    its working folder, `.<name>...part`, which the next writer of `path` removes, or of
    a path that differs from it in numbers alone, as those of checkpoints do.

    Args:
        path: the file or folder to write; the folder that it is in is created if
            missing. Where it is a symbolic link, its target is written. What is
            replaced passes on its permissions and, where the system allows it, its
            owner and group.
        folder: whether a folder is written. It replaces an old one with all in it.

    Raises:
        OSError: if it cannot be written, or is a pipe, device or socket, which cannot
            be replaced; the message names `path`. So also if it is a picture, and what
            would take its place is none: somebody has named the wrong file.
        TypeError, ValueError: if `path` is none (`file_path`).
    """
    target = _target(path, folder)
    with ExitStack() as stack:
        try:
            work = stack.enter_context(working_folder(target))
        except OSError as error:
            raise _cannot_write(path, error.errno, error) from error
        temporary = os.path.join(work, os.path.basename(target))
        try:
            yield temporary
        except Exception as error:
            code = _disk_error(error, work)
            if code is None:
                raise
            raise _cannot_write(path, code) from error
        if not folder and _is_picture(target) and not _is_picture(temporary):
            raise FileExistsError(
                errno.EEXIST,
                f"{os.fspath(path)!r} is a picture, and what was to be written there "
                "is none. It stays as it is; name another file.",
            )
        try:
            _publish(temporary, target)
        except OSError as error:
            raise _cannot_write(path, error.errno, error) from error


@contextmanager
def working_folder(target: str | os.PathLike) -> Iterator[str]:
    """Gives a new folder beside `target`, and removes it in the end.

    What killed writers have left is removed at the beginning (`remove_abandoned`).
    """
    parent, name = os.path.split(os.path.abspath(os.fspath(target)))
    os.makedirs(parent, exist_ok=True)
    remove_abandoned(target)
    prefix = _prefix(name)
    folder, lock = _locked_folder(parent, prefix)
    try:
        work = os.path.join(folder, "new")
        os.mkdir(work)
        yield work
    finally:
        lock.close()
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned(target: str | os.PathLike) -> None:
    """Removes what killed writers of `target` have left beside it.

    Also of those whose names differ from its name in numbers alone: what is written
    every epoch, as "model-07.keras" is, has a new name each time. A writer is known to
    live by the lock that it holds on a file in its folder, which the system takes from
    it when it dies.
    """
    parent, name = os.path.split(os.path.abspath(os.fspath(target)))
    try:
        with os.scandir(parent) as entries:
            found = [e.path for e in entries if _is_leftover(e.name, name)]
    except OSError:  # a folder may allow writing and not listing
        return
    for leftover in found:
        _remove_if_abandoned(leftover)


def file_path(path: str | os.PathLike) -> str:
    """Returns the text of a path to write to.

    Raises:
        TypeError: if it is no path.
        ValueError: if no file can have that name.
    """
    if isinstance(path, bytes) or not isinstance(path, str | os.PathLike):
        hint = ""
        if hasattr(path, "write"):
            hint = (
                " An open file cannot be replaced as a whole: write to a path and read "
                "that."
            )
        raise TypeError(
            "The path of what is written must be text or a `pathlib.Path`, such as "
            f"'results/file'.{hint} Received: {path!r}"
        )
    name = os.fspath(path)
    if isinstance(name, bytes):  # as that of an `os.DirEntry` can be
        return file_path(name)
    if not name or "\0" in name:
        raise ValueError(
            "The path of what is written must not be empty or hold the character "
            f"'\\0', such as 'results/file'. Received: {path!r}"
        )
    return name


def _target(path: str | os.PathLike, folder: bool) -> str:
    """Returns what `path` leads to, if it can be replaced."""
    name = file_path(path)
    try:
        mode = os.stat(name).st_mode
    except FileNotFoundError:
        mode = None
    except OSError as error:
        raise _cannot_write(path, error.errno, error) from error
    is_folder = os.path.basename(name) == "" if mode is None else stat.S_ISDIR(mode)
    if is_folder and not folder:
        raise IsADirectoryError(
            errno.EISDIR, f"{name!r} is a folder; name a file in it to write to."
        )
    if mode is not None and not is_folder:
        if not stat.S_ISREG(mode) or _is_descriptor(name):
            raise OSError(
                errno.EINVAL,
                f"{name!r} is a pipe, a device or a socket, which cannot be replaced "
                "by a whole file. Name a file.",
            )
        if folder:
            raise NotADirectoryError(
                errno.ENOTDIR, f"{name!r} is a file; name a folder to write."
            )
        if not os.access(name, os.W_OK):
            raise _cannot_write(path, errno.EACCES)
    return os.path.realpath(name)


def _is_picture(path: str) -> bool:
    """Whether there is a file that begins as images do."""
    try:
        with open(path, "rb") as file:
            return _PICTURES.match(file.read(12)) is not None
    except OSError:
        return False


def _is_descriptor(name: str) -> bool:
    """Whether `name` stands for what a process has open, as /dev/stdout does."""
    for _ in range(40):  # as many links as the system follows
        folder = os.path.realpath(os.path.dirname(os.path.abspath(name)))
        if re.fullmatch(r"/proc/[0-9]+(/task/[0-9]+)?/fd", folder):
            return True
        if not os.path.islink(name):
            return False
        name = os.path.join(folder, os.readlink(name))
    return False


def _cannot_write(
    path: str | os.PathLike, code: int | None, error: OSError | None = None
) -> OSError:
    """Returns the error that names `path`; of the subclass that fits `code`."""
    reason = os.strerror(code) if code else str(error)
    message = (
        f"{os.fspath(path)!r} cannot be written ({reason}). Name another folder or "
        "free this one."
    )
    return OSError(code, message) if code else OSError(message)


def _disk_error(error: BaseException, work: str) -> int | None:
    """Returns the number of the error of the disk behind `error`, None without one.

    Packages that write by themselves (HDF5, TensorFlow) tell it in words alone.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            place = cause.filename
            ours = place is None or str(place).startswith(work)
            if ours and cause.errno in _DISK_ERRORS:
                return cause.errno
        else:
            for code in _DISK_ERRORS:
                if os.strerror(code) in str(cause):
                    return code
        cause = cause.__cause__ or cause.__context__
    return None


def _prefix(name: str) -> str:
    """Returns how the names of the working folders of a written file begin."""
    start = name.encode("utf-8", "surrogateescape")[:_LONGEST].decode("utf-8", "ignore")
    return f".{start}.{zlib.crc32(os.fsencode(name)):08x}."


def _is_leftover(entry: str, name: str) -> bool:
    """Whether `entry` is a working folder of `name`, other numbers in it aside."""
    if entry.startswith(_prefix(name)) and entry.endswith(_LEFTOVER):
        return True
    match = _LEFTOVER_NAME.fullmatch(entry)
    if match is None or not entry.startswith(_prefix(match[1])):
        return False  # not ours, or of a name that is too long to be known
    return re.sub(r"\d+", "0", match[1]) == re.sub(r"\d+", "0", name)


def _locked_folder(parent: str, prefix: str) -> tuple[str, IO]:
    """Returns a new folder, and the open file whose lock says that it is in use."""
    while True:
        folder = tempfile.mkdtemp(_LEFTOVER, prefix, parent)
        path = os.path.join(folder, _LOCK)
        with suppress(FileNotFoundError):
            lock = open(path, "wb")  # noqa: SIM115
            if fcntl is None:  # on Windows, nobody else can remove an open file
                return folder, lock
            with suppress(OSError):  # a file system without locks
                fcntl.flock(lock, fcntl.LOCK_EX)
            if os.path.exists(path):
                return folder, lock
            lock.close()
        # Another writer took it for abandoned, before it was locked.


def _remove_if_abandoned(folder: str) -> None:
    path = os.path.join(folder, _LOCK)
    with suppress(OSError):  # its writer lives, or it is somebody else's
        if fcntl is None:
            with suppress(FileNotFoundError):
                os.remove(path)
            shutil.rmtree(folder)
            return
        with open(path, "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)


def _publish(new: str, target: str) -> None:
    """Puts what was written in the place of `target`."""
    is_folder = os.path.isdir(new)
    for path in _files_of(new) if is_folder else [new]:
        with open(path, "rb+") as file:
            os.fsync(file.fileno())
    with suppress(FileNotFoundError):
        _pass_on_permissions(target, new)
    if is_folder:
        _replace_folder(new, target)
    else:
        os.replace(new, target)
    with suppress(OSError):  # Windows cannot, and a folder may not be readable
        folder = os.open(os.path.dirname(target), os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _files_of(folder: str) -> Iterator[str]:
    for inside, _, names in os.walk(folder):
        yield from (os.path.join(inside, name) for name in names)


def _pass_on_permissions(old: str, new: str) -> None:
    status = os.stat(old)
    if hasattr(os, "chown"):
        with suppress(OSError):  # the group may be allowed where the owner is not
            os.chown(new, -1, status.st_gid)
        with suppress(OSError):
            os.chown(new, status.st_uid, -1)
    os.chmod(new, stat.S_IMODE(status.st_mode))
    if hasattr(os, "getxattr"):
        name = "system.posix_acl_access"
        with suppress(OSError):
            os.setxattr(new, name, os.getxattr(old, name))


def _replace_folder(new: str, target: str) -> None:
    while True:
        try:
            os.rename(new, target)  # where there is none, or an empty one
            return
        except OSError as error:
            if not os.path.isdir(target):
                raise
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.EACCES):
                raise
        if _exchange(new, target):
            return
        old = tempfile.mkdtemp(dir=os.path.dirname(new))
        with suppress(FileNotFoundError):  # another writer was faster
            os.rename(target, os.path.join(old, "old"))


def _exchange(one: str, other: str) -> bool:
    """Swaps two names in one step; returns whether the system could."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        renameat2 = ctypes.CDLL(None).renameat2
    except (OSError, AttributeError):  # another C library
        return False
    here, exchange = -100, 2  # AT_FDCWD, RENAME_EXCHANGE
    done = renameat2(here, os.fsencode(one), here, os.fsencode(other), exchange)
    return done == 0
