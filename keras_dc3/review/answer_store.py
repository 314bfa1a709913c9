"""What a server has taken in of people's answers: one SQLite file.

Standard library only. A state of somebody's answers takes the place of another one only
where it came from it; else both are kept. What `put` has returned is on the disk, also
if the process or the machine dies.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from keras_dc3.annotations import AnnotationError
from keras_dc3.review.lineage import follows

_OURS, _VERSION = 0x6B646333, 1  # "kdc3", how the file says whose it is
_HEAD = b"SQLite format 3\0"
_DAMAGED = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
_OF_THE_SYSTEM = (  # how SQLite's names begin, of which the last fits all
    (
        ("SQLITE_FULL",),
        errno.ENOSPC,
        "The disk of {path!r} is full. Nothing that was kept before is lost: free some "
        "space.",
    ),
    (
        ("SQLITE_BUSY", "SQLITE_LOCKED"),
        errno.EBUSY,
        "{path!r} is being written by another program. Wait until that is done, or end "
        "it.",
    ),
    (
        ("",),
        errno.EIO,
        "{path!r} cannot be used ({error}). Look at its permissions and its disk.",
    ),
)
_TABLES = """
create table pages (page text primary key, name text not null, title text not null);
create table people (person text primary key, token text not null unique);
create table states (
  page text not null, person text not null, session text not null,
  line integer not null,     -- 0, 1, ...: lines of states, none of which is of another
  latest integer not null,   -- 1 for the one with which the person goes on
  openings text not null, changes integer not null, answers integer not null,
  state text not null,       -- as the page keeps it
  file text not null,        -- as the page would download it
  primary key (page, person, session, line)
);
"""


@dataclass(frozen=True)
class State:
    """What one person has answered on one page, at one time.

    Attributes:
        page: its name for programs.
        person: who answers.
        session: of this person on this page.
        openings, changes: as in `lineage.State`.
        answers: how many there are.
        state: what the page needs to go on, JSON.
        file: what the page would download, JSON.
    """

    page: str
    person: str
    session: str
    openings: tuple[tuple[str, int], ...]
    changes: int
    answers: int
    state: str
    file: str


@dataclass(frozen=True)
class _Known:
    session: str
    line: int
    latest: bool
    openings: tuple[tuple[str, int], ...]
    changes: int


def is_store(path: str | os.PathLike) -> bool:
    """Whether a file is one of SQLite, by its first bytes."""
    with open(path, "rb") as file:
        return file.read(len(_HEAD)) == _HEAD


class AnswerStore:
    """Opens the file; use it in a `with` statement.

    Args:
        path: the file.
        create: whether it is made where there is none.

    Raises:
        FileNotFoundError: if there is none, without `create`.
        AnnotationError: if it is damaged, or holds something else.
        OSError: from each method, if the disk is full or the file cannot be used; then
            nothing of what was to be written is kept.
    """

    def __init__(self, path: str | os.PathLike, *, create: bool = False):
        self.path = os.fspath(path)
        if not create and not os.path.exists(self.path):
            raise FileNotFoundError(
                errno.ENOENT, "There are no answers of a server", self.path
            )
        if create:  # nobody else may read the tokens that are in it
            with contextlib.suppress(FileExistsError):
                os.close(
                    os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
                )
        address = f"{Path(os.path.abspath(self.path)).as_uri()}?mode=rw"
        with self._told():
            # One thread at a time uses it, but not always the same.
            self._database = sqlite3.connect(
                address, uri=True, check_same_thread=False, isolation_level=None
            )
            try:
                self._prepare(create)
            except BaseException:
                self._database.close()
                raise

    def _prepare(self, create: bool) -> None:
        database = self._database
        tables = database.execute("select count(*) from sqlite_master").fetchone()[0]
        if create and not tables:
            database.execute("pragma journal_mode = wal")
            with self._transaction():
                for statement in _TABLES.split(";")[:-1]:
                    database.execute(statement)
                database.execute(f"pragma application_id = {_OURS}")
                database.execute(f"pragma user_version = {_VERSION}")
        found = [
            database.execute(f"pragma {name}").fetchone()[0]
            for name in ("application_id", "user_version")
        ]
        if found[0] != _OURS:
            raise AnnotationError(
                f"{self.path!r} is a database, but none of answers to review sheets. "
                "Name the file that `keras-dc3 serve` has written."
            )
        if found[1] != _VERSION:
            raise AnnotationError(
                f"{self.path!r} is of version {found[1]}, but this release reads "
                f"version {_VERSION}. Update keras_dc3."
            )
        database.execute("pragma synchronous = full")  # a commit is on the disk

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the file."""
        self._database.close()

    def add_pages(self, pages: Mapping[str, tuple[str, str]]) -> None:
        """Notes pages: name for programs -> name for files, and title.

        Raises:
            AnnotationError: if the file knows pages, and none of these.
        """
        with self._told(), self._transaction() as database:
            known = database.execute("select page, title from pages").fetchall()
            if known and not {page for page, _ in known} & set(pages):
                raise AnnotationError(
                    f"{self.path!r} has answers to other pages, such as "
                    f"{known[0][1]!r}. Name another file for these."
                )
            database.executemany(
                "insert or replace into pages values (?, ?, ?)",
                [(page, *names) for page, names in pages.items()],
            )

    def tokens(self, people: Sequence[str]) -> dict[str, str]:
        """Returns person -> a word that nobody can guess; the same at each call."""
        with self._told(), self._transaction() as database:
            database.executemany(
                "insert or ignore into people values (?, ?)",
                [(person, secrets.token_urlsafe(16)) for person in people],
            )
            known = dict(database.execute("select person, token from people"))
        return {person: known[person] for person in people}

    def put(self, states: Sequence[State]) -> list[bool]:
        """Keeps states, all or none.

        Returns:
            Of each, whether the person goes on from it. Else it did not come from the
            latest one, and is kept beside that.
        """
        with self._told(), self._transaction():
            return [self._put(state) for state in states]

    def _put(self, state: State) -> bool:
        known = [
            _Known(session, line, bool(latest), _openings(openings), changes)
            for session, line, latest, openings, changes in self._database.execute(
                "select session, line, latest, openings, changes from states "
                "where page = ? and person = ?",
                (state.page, state.person),
            )
        ]
        same = [old for old in known if old.session == state.session]
        for old in same:
            if follows(state, old):
                self._write(state, old.line, old.latest)
                return old.latest
        for old in same:
            if follows(old, state):  # it came late, and is part of what is here
                return old.latest and old.openings == state.openings
        line = max((old.line + 1 for old in same), default=0)
        self._write(state, line, not known)
        return not known

    def _write(self, state: State, line: int, latest: bool) -> None:
        self._database.execute(
            "insert or replace into states values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(state.page, state.person, state.session, line, int(latest)),
                *(json.dumps(state.openings), state.changes, state.answers),
                *(state.state, state.file),
            ),
        )

    def latest(self, page: str, person: str) -> str | None:
        """Returns the state with which a person goes on; None before the first."""
        with self._told():
            found = self._database.execute(
                "select state from states where page = ? and person = ? and latest",
                (page, person),
            ).fetchone()
        return found and found[0]

    def files(self) -> dict[str, str]:
        """Returns what pages would download, of all states with answers: name -> JSON.

        Each line of states has its last one.
        """
        with self._told():
            rows = self._database.execute(
                "select name, states.person, file from states join pages using (page) "
                "where answers > 0 order by name, person, session, line"
            ).fetchall()
        found: dict[str, str] = {}
        for name, person, text in rows:
            letters = re.sub(r"[^\w-]+", "_", person)[:60]
            stem, number = f"{name}-{letters}", 1
            while (
                file := f"{stem}-{number}.json" if number > 1 else f"{stem}.json"
            ) in found:
                number += 1
            found[file] = text
        return found

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._database.execute("begin immediate")
        try:
            yield self._database
            self._database.execute("commit")
        except BaseException:
            with contextlib.suppress(sqlite3.Error):  # it may have ended by itself
                self._database.execute("rollback")
            raise

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """Says in a sentence what is wrong with the file or its disk."""
        try:
            yield
        except sqlite3.Error as error:
            raise _told_error(self.path, error) from error


def _told_error(path: str, error: sqlite3.Error) -> Exception:
    """Returns the error that says in a sentence what is wrong, and what to do."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith(_DAMAGED):
        return AnnotationError(
            f"{path!r} is damaged ({error}): it was changed or cut off. Put back a "
            "copy of it."
        )
    number, text = next(
        (number, text)
        for beginnings, number, text in _OF_THE_SYSTEM
        if name.startswith(beginnings)
    )
    return OSError(number, text.format(path=path, error=error))


def _openings(text: str) -> tuple[tuple[str, int], ...]:
    return tuple((name, changes) for name, changes in json.loads(text))
