"""uvicorn as a server in a thread wants it: it ends the moment it is told to, whatever its clients do."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import time
from collections.abc import Set
from typing import Any

import uvicorn

GRACE = 2.0  # seconds; for requests that are under way when the server is told to end
GOODBYE = 0.1  # seconds; TLS would wait for the other side's, which a client's idle pool does not say
FAREWELL = 0.5  # seconds; for handlers to notice that their clients have been cut off


class PromptServer(uvicorn.Server):
    """uvicorn's own loop looks every 0.1 s whether it is to end, and waits as long again."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def end_from_thread(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self.should_exit = True
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: it has seen by itself that it is to
                loop.call_soon_threadsafe(self._told.set)

    async def main_loop(self) -> None:
        ticks = itertools.count()
        while not await self.on_tick(next(ticks)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        state = self.server_state
        for server in self.servers:
            with contextlib.suppress(ValueError):  # its socket is closed: whoever told it to end has given up waiting
                server.close()
        for connection in list(state.connections):
            connection.shutdown()
        await _until_empty(state.tasks, seconds=GRACE)
        await _until_empty(state.connections, seconds=GOODBYE)
        self._cut_off()
        await _until_empty(state.connections, state.tasks, seconds=FAREWELL)  # uvicorn logs a handler that is cancelled
        for task in state.tasks:
            task.cancel("the server ends")
        await asyncio.sleep(0)

    def _cut_off(self) -> None:
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for server in self.servers:
            if hasattr(server, "abort_clients"):  # since Python 3.13: also those in the middle of a handshake
                server.abort_clients()


async def _until_empty(*under_way: Set[Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while any(under_way) and time.monotonic() < deadline:
        await asyncio.sleep(0.002)
