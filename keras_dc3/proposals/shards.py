"""Proposals in a folder of Parquet files: the shards of one run of `scale`."""

from __future__ import annotations

import hashlib
import json
import operator
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_dc3._text import some
from keras_dc3.proposals import parquet_format
from keras_dc3.proposals.columns import class_names_of

SUMMARY = "summary.json"  # of a run that is finished
MANIFEST = "manifest.json"  # what a run was begun with, and checksums of its shards
CHECKSUMS = "checksums"  # name of a shard -> SHA-256 of its file, in the manifest
_NAME = re.compile(r"part-([0-9]{5,})\.parquet")
_KEY = b"keras_dc3.shard"  # of a file's metadata
_AGAIN = "Call `keras-dc3 score` with this folder again: it goes on."
_ANEW = "Call `keras-dc3 score` with this folder again: it writes that file anew."


class Shard(NamedTuple):
    """What a shard says of itself.

    run: the fingerprint of its run. number: its place, from 0 on. images: how many of
    the source it stands for. certain: how many of its rows are. failed: (id, reason) of
    each image that has no row. checksum: SHA-256 of its file, which no file can say of
    itself; "" where it is not known.
    """

    run: str
    number: int
    images: int
    certain: int
    failed: tuple[tuple[str, str], ...] = ()
    checksum: str = ""

    def metadata(self) -> dict[bytes, bytes]:
        """Returns what stands in the metadata of its file."""
        values = self._asdict()
        del values["checksum"]
        return {_KEY: json.dumps(values).encode()}

    def check_place(self, path: str, run: str, number: int) -> None:
        """Raises ValueError if its file lies where another shard belongs.

        Args:
            path: of its file.
            run, number: of the shard that belongs there.
        """
        if self.run != run:
            raise ValueError(
                f"{path!r} is of another run than the folder that it lies in. Keep the "
                "shards of a run together: remove it, or name another folder."
            )
        if self.number != number:
            raise ValueError(
                f"{path!r} is the shard {name_of(self.number)!r} of its run under "
                "another name. Give it that name again, or remove it."
            )


def name_of(number: int) -> str:
    """Returns the name of a shard's file, such as "part-00007.parquet"."""
    return f"part-{number:05d}.parquet"


def numbers_in(folder: str | os.PathLike) -> list[int]:
    """Returns the numbers of the shards that lie in a folder, whole or not."""
    matches = map(_NAME.fullmatch, os.listdir(folder))
    return sorted(int(match[1]) for match in matches if match)


def is_run(path: str | os.PathLike) -> bool:
    """Whether a path is that of a folder of shards."""
    if not os.path.isdir(path):
        return False
    return bool(numbers_in(path)) or os.path.exists(os.path.join(path, SUMMARY))


def look_into(path: str) -> Shard:
    """Returns what a shard says of itself, from the end of its file alone.

    Raises:
        ValueError: if it is cut off or damaged, lacks rows, or is no shard.
    """
    pa, pq = parquet_format.pyarrow()
    try:
        with open(path, "rb") as file:
            found = pq.ParquetFile(file).metadata
    except (pa.ArrowException, OSError) as error:
        raise ValueError(
            f"{path!r} is cut off or damaged ({error}). {_ANEW}"
        ) from error
    kept = (found.metadata or {}).get(_KEY)
    if kept is None:
        raise ValueError(f"{path!r} is no shard of `keras-dc3 score`. {_ANEW}")
    values = json.loads(kept)
    failed = tuple(map(tuple, values.pop("failed")))
    shard = Shard(**values, failed=failed)
    expected = shard.images - len(failed)
    if found.num_rows != expected:
        raise ValueError(
            f"{path!r} holds {found.num_rows:,} rows, and should hold {expected:,}. "
            f"{_ANEW}"
        )
    return shard


def checksums_in(folder: str | os.PathLike) -> dict[str, str]:
    """Returns name of a finished shard -> SHA-256, as far as the manifest knows them.

    Raises:
        ValueError: if there is a manifest that cannot be read.
    """
    path = os.path.join(folder, MANIFEST)
    try:
        with open(path, encoding="utf-8") as file:
            return dict(json.load(file).get(CHECKSUMS, {}))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path!r} cannot be read ({error}), so that nobody knows whether the "
            "shards beside it are whole. Score the images anew, into an empty folder."
        ) from error


def checksum_of(path: str) -> str:
    """Returns the SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check(path: str, checksum: str) -> None:
    """Raises ValueError if the content of a shard is not what was written.

    Args:
        path: of the shard.
        checksum: SHA-256 of what was written; "" if that is not known.
    """
    if checksum and checksum_of(path) != checksum:
        raise ValueError(
            f"{path!r} is damaged: its content is no longer what was written, as its "
            f"checksum in {MANIFEST!r} shows. {_ANEW}"
        )


def ids_of(path: str) -> list[str]:
    """Returns the ids of the rows of a shard.

    Raises:
        ValueError: if they cannot be read.
    """
    pa, pq = parquet_format.pyarrow()
    try:
        with open(path, "rb") as file:
            return pq.ParquetFile(file).read(["id"]).column("id").to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{path!r} is damaged ({error}). Remove it.") from error


def read(folder: str | os.PathLike) -> dict[str, Any]:
    """Reads all shards of a run that is finished, as `parquet_format.read` one file.

    Raises:
        ValueError: if it is not finished, shards are missing, damaged or of several
            runs.
    """
    folder = os.fspath(folder)
    parts = list(parts_of(folder, of_one_run(folder)))
    return {key: _joined(key, [part[key] for part in parts]) for key in parts[0]}


def parts_of(folder: str, found: Sequence[Shard]) -> Iterator[dict[str, Any]]:
    """Yields what `parquet_format.read` makes of each shard of a folder, in order.

    Args:
        folder: of the run.
        found: by `of_one_run`.

    Raises:
        ValueError: if a shard is damaged, or has other classes than the first.
    """
    names = None
    for shard in found:
        path = os.path.join(folder, name_of(shard.number))
        check(path, shard.checksum)
        part = parquet_format.read(path)
        names = names or part["class_names"]
        _compare_classes(folder, shard.number, part["class_names"], names)
        yield part


def check_classes(folder: str, number: int, class_names: Sequence[str]) -> None:
    """Raises ValueError if a shard has other classes than these, of the first one."""
    _, pq = parquet_format.pyarrow()
    path = os.path.join(folder, name_of(number))
    found = class_names_of(path, pq.read_schema(path).names, _ANEW)
    _compare_classes(folder, number, found, class_names)


def _compare_classes(
    folder: str, number: int, found: Sequence[str], first: Sequence[str]
) -> None:
    if list(found) != list(first):
        raise ValueError(
            f"{folder!r}: {name_of(number)!r} has other classes than {name_of(0)!r}. "
            "Score these images anew, into an empty folder."
        )


def of_one_run(folder: str) -> tuple[Shard, ...]:
    """Returns the shards of a run that is finished, after all were looked into.

    Their contents are not read, and so not compared with their checksums.

    Raises:
        FileNotFoundError: if there is no such folder.
        ValueError: if it is not finished, shards are missing or of several runs.
    """
    if not os.path.isdir(folder):
        raise FileNotFoundError(
            f"There is no folder {folder!r}. Name the one that `keras-dc3 score` "
            f"wrote; a relative one starts in {os.getcwd()!r}."
        )
    try:
        with open(os.path.join(folder, SUMMARY), encoding="utf-8") as file:
            summary = json.load(file)
        run, number = str(summary["run"]), operator.index(summary["shards"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{folder!r} holds no finished run of `keras-dc3 score`: there is no "
            f"{SUMMARY!r} that can be read. {_AGAIN}"
        ) from error
    found = numbers_in(folder)
    missing = [name_of(n) for n in sorted(set(range(number)) - set(found))]
    further = [name_of(n) for n in found if n >= number]
    if missing or further:
        what = f"lacks {some(missing)}" if missing else f"has {some(further)} too many"
        raise ValueError(
            f"{folder!r} is of a run of {number:,} shards, and {what}. "
            f"{_AGAIN if missing else 'Remove these.'}"
        )
    checksums = checksums_in(folder)
    looked: list[Shard] = []
    for place in range(number):
        path = os.path.join(folder, name_of(place))
        shard = look_into(path)
        shard.check_place(path, run, place)
        looked.append(shard._replace(checksum=checksums.get(name_of(place), "")))
    return tuple(looked)


def _joined(key: str, values: list[Any]) -> Any:
    if key in ("class_names", "verdict") or values[0] is None:
        return values[0]
    if isinstance(values[0], np.ndarray):
        return np.concatenate(values)
    return [one for part in values for one in part]
