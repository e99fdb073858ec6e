"""Threads for what blocks: disk, SQLite, and whoever receives events."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

MOST = 40  # at once; one that waits for a receiver of events must not keep out what the receiver asks us
PATIENCE = 0.01  # seconds

_workers = ThreadPoolExecutor(MOST, thread_name_prefix="local-ecr-request")  # starts a thread when all it has are busy


async def in_thread[T](function: Callable[..., T], *arguments: object) -> T:
    """Run a function outside the event loop; it runs to its end even if the client leaves.

    anyio.to_thread does the same and needs a tenth of a small request's time for it.
    """
    return await asyncio.get_running_loop().run_in_executor(_workers, function, *arguments)


class Queue:
    """Runs functions in threads one after the other, but waits for none that takes longer than `patience`.

    Python runs one thread at a time anyway: several that take turns at each of SQLite's statements need twice the
    processor's time that they need one after the other. Nobody may wait for long, though: what blocks may be a receiver
    of events that asks us something. For one event loop.
    """

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._turn = asyncio.Lock()

    async def run[T](self, function: Callable[..., T], *arguments: object) -> T:
        await self._turn.acquire()
        is_over = False

        def end_turn() -> None:
            nonlocal is_over
            if not is_over:
                is_over = True
                self._turn.release()

        patience = asyncio.get_running_loop().call_later(self._patience, end_turn)
        try:
            return await in_thread(function, *arguments)
        finally:
            patience.cancel()
            end_turn()
