"""Keeps what comes in at the same time in one go: a disk takes long for each commit."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from keras_dc3.review.answer_store import AnswerStore, State


class Keeper:
    """The one that uses an `AnswerStore`, in a thread of its own.

    Args:
        store: opened; `close` closes it.
    """

    def __init__(self, store: AnswerStore):
        self._store = store
        self._thread = ThreadPoolExecutor(1, "keras_dc3 answers")
        self._waiting: list[tuple[State, asyncio.Future]] = []
        self._working: asyncio.Task | None = None

    async def put(self, state: State) -> bool:
        """Keeps a state; returns, once it is on the disk, what `AnswerStore.put` does.

        Raises:
            OSError: if it could not be kept.
        """
        done = asyncio.get_running_loop().create_future()
        self._waiting.append((state, done))
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())
        # Who has asked may be gone; what it has sent is kept.
        return await asyncio.shield(done)

    async def latest(self, page: str, person: str) -> str | None:
        """Returns what `AnswerStore.latest` does."""
        return await self._in_thread(self._store.latest, page, person)

    async def close(self) -> None:
        """Waits for what is on its way, and closes the file."""
        if self._working is not None:
            await self._working
        await self._in_thread(self._store.close)
        self._thread.shutdown()

    async def _work(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting, []
            try:
                kept = await self._in_thread(
                    self._store.put, [state for state, _ in together]
                )
            except Exception as error:  # each of them is told
                for _, done in together:
                    done.set_exception(error)
            else:
                for (_, done), latest in zip(together, kept, strict=True):
                    done.set_result(latest)

    async def _in_thread(self, act: Callable[..., Any], *arguments: Any) -> Any:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, act, *arguments)
