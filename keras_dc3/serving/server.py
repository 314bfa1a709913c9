"""A server of review sheets, in a thread of its own."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any, Self

from keras_dc3._locking import locked
from keras_dc3._names import same_person
from keras_dc3._text import some
from keras_dc3._validation import check_names
from keras_dc3.review.answer_store import AnswerStore
from keras_dc3.serving import guard
from keras_dc3.serving.keeper import Keeper
from keras_dc3.serving.pages import read_pages
from keras_dc3.serving.site import Site, web

ANSWERS = "answers.sqlite"
PORT = 8765
_Paths = str | os.PathLike | Sequence[str | os.PathLike]


class Server:
    """Gives people review sheets, and keeps their answers in one file on this machine.

    Each person has an address of their own, with a word in it that nobody can guess;
    it stays the same. The page sends what was answered at once and says whether it is
    on the server's disk; the browser keeps it, too, and sends it again when a server
    or network was away. Whoever goes on in another tab or on another computer finds
    the same answers there. `review.read` takes the file of the answers, also while the
    server runs.

    Args:
        pages: the files of `Proposals.to_review`, for everybody; or person -> files.
        people: who answers. Not needed where `pages` tells it; then, those of them
            who get an address.
        answers: the file of the answers, which is made if there is none; None:
            "answers.sqlite" beside the first page.
        host: name or address of this machine under which it is reached. By default,
            from this machine only; "0.0.0.0" from everywhere.
        port: on which it is reached; 0 for any that is free.
        names: further names under which others know this machine.

    Attributes:
        addresses: person -> address to open, once it runs.
        answers: the file of the answers.

    Raises:
        ImportError: without aiohttp, extra `[serve]`.
        FileNotFoundError, ValueError: if a page is none, people are not told apart, or
            the file of answers is of other pages; each when the server is made.
        OSError: when it starts: if the port is taken, or another server has the file.

    Example:

    >>> with keras_dc3.serving.Server("review.html", ["anna", "ben"], port=0) as server:
    ...     print(server.addresses["anna"])
    http://127.0.0.1:.../.../
    """

    def __init__(
        self,
        pages: _Paths | Mapping[str, _Paths],
        people: Sequence[str] | None = None,
        *,
        answers: str | os.PathLike | None = None,
        host: str = "127.0.0.1",
        port: int = PORT,
        names: Iterable[str] = (),
    ):
        web()  # without it, nothing else is worth a look
        paths = _of_people(pages, people)
        self._pages, theirs = read_pages(paths)
        asked = theirs if people is None else people
        self._theirs = {person: theirs[person] for person in asked}
        first = next(path for some in paths.values() for path in some)
        beside = os.path.join(os.path.dirname(os.path.abspath(first)), ANSWERS)
        self.answers = os.path.normpath(beside if answers is None else answers)
        self._host, self._port = host, _checked_port(port)
        self._names = guard.known_names(host, names)
        self._tokens: dict[str, str] = {}
        self._running: ExitStack | None = None
        with self._opened():
            pass  # what is wrong with the file is told now

    def _opened(self) -> AnswerStore:
        store = AnswerStore(self.answers, create=True)
        try:
            pages = self._pages.values()
            store.add_pages({page.key: (page.name, page.title) for page in pages})
            self._tokens = store.tokens(list(self._theirs))
        except BaseException:
            store.close()
            raise
        return store

    @property
    def addresses(self) -> dict[str, str]:
        host = socket.gethostname() if self._host in ("0.0.0.0", "::") else self._host
        host = f"[{host}]" if ":" in host else host
        return {
            person: f"http://{host}:{self._port}/{token}/"
            for person, token in self._tokens.items()
        }

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Starts to answer; returns at once.

        Raises:
            OSError: if the port is taken, or another server has the file of answers.
        """
        if self._running is not None:
            raise RuntimeError("The server runs already.")
        with ExitStack() as stack:
            lock = f"{self.answers}.lock"
            stack.enter_context(locked(lock, "serve", self.answers))
            loop = asyncio.new_event_loop()
            thread = threading.Thread(
                target=loop.run_forever, name="keras_dc3 server", daemon=True
            )
            thread.start()
            stack.callback(loop.close)
            stack.callback(thread.join)
            stack.callback(loop.call_soon_threadsafe, loop.stop)

            def wait(act: Awaitable[Any]) -> Any:
                return asyncio.run_coroutine_threadsafe(act, loop).result()

            keeper = wait(self._keeper())
            stack.callback(lambda: wait(keeper.close()))
            runner = wait(self._runner(keeper))
            stack.callback(lambda: wait(runner.cleanup()))
            wait(self._listen(runner))
            self._running = stack.pop_all()

    def stop(self) -> None:
        """Ends it, once what is on its way is kept; all is on the disk before."""
        running, self._running = self._running, None
        if running is not None:
            running.close()

    async def _keeper(self) -> Keeper:
        return Keeper(self._opened())

    async def _runner(self, keeper: Keeper) -> Any:
        people = {token: person for person, token in self._tokens.items()}
        site = Site(self._pages, people, self._theirs, self._names, keeper)
        runner = web().AppRunner(site.app(), access_log=None, shutdown_timeout=5.0)
        await runner.setup()
        return runner

    async def _listen(self, runner: Any) -> None:
        try:
            await web().TCPSite(runner, self._host, self._port).start()
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise OSError(
                    error.errno,
                    f"Port {self._port} of this machine is in use by another program. "
                    f"Give another one, such as `port={self._port + 1}`.",
                ) from error
            raise OSError(
                error.errno,
                f"{self._host!r}, port {self._port}, cannot be used "
                f"({error.strerror or error}). Give the name or an address of this "
                'machine, or "0.0.0.0" for all of them.',
            ) from error
        self._port = runner.addresses[0][1]


def _of_people(
    pages: _Paths | Mapping[str, _Paths], people: Sequence[str] | None
) -> dict[str, list[str]]:
    """Returns person -> files."""
    if not isinstance(pages, Mapping):
        if people is None:
            raise ValueError("`people` must name who answers, such as ['anna', 'ben'].")
        pages = dict.fromkeys(check_names("people", people, clean=True), pages)
    else:
        check_names("people", list(pages), clean=True)
        lost = set(people or ()) - set(pages)
        if lost or people == []:
            raise ValueError(
                f"`people` must be some of those who have pages, {some(pages)}. "
                f"Received: {people!r}"
            )
    found = {
        person: [
            os.fspath(path)
            for path in ([some] if isinstance(some, str | os.PathLike) else some)
        ]
        for person, some in pages.items()
    }
    if not found or not all(found.values()):
        raise ValueError("`pages` must name at least one file for each person.")
    folded: dict[str, str] = {}
    for person in found:
        other = folded.setdefault(same_person(person), person)
        if other != person:
            raise ValueError(
                f"{other!r} and {person!r} are one name, in capitals or not: people "
                "are told apart by their names. Give each another one."
            )
    return found


def _checked_port(port: int) -> int:
    if isinstance(port, bool) or not isinstance(port, int) or not 0 <= port < 1 << 16:
        raise ValueError(
            "`port` must be a whole number from 0, for any that is free, to 65535. "
            f"Received: port={port!r}"
        )
    return port
