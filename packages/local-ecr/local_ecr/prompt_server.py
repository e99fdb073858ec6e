"""uvicorn as a server in a thread wants it: it ends the moment it is told to, and some of its sockets speak TLS."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import sys
import time
from collections.abc import Sequence

import uvicorn

from local_ecr.connections import Connection, Policy

GRACE = 2.0  # seconds; for requests that are under way when the server is told to end
FAREWELL = 0.5  # seconds; for handlers to notice that their clients have been cut off


class PromptServer(uvicorn.Server):
    """uvicorn's own loop looks every 0.1 s whether it is to end, and waits as long again."""

    def __init__(
        self,
        config: uvicorn.Config,
        policy: Policy,
        sockets: Sequence[socket.socket],
        plain_sockets: Sequence[socket.socket] = (),
    ) -> None:
        """Every connection of `sockets` begins with TLS if there is any in `policy`; none of `plain_sockets` does."""
        super().__init__(config)
        self._policy = policy
        self._listening = [(one, policy.tls) for one in sockets] + [(one, None) for one in plain_sockets]
        self._told = asyncio.Event()

    def end_from_thread(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self.should_exit = True
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: it has seen by itself that it is to
                loop.call_soon_threadsafe(self._told.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        self.servers = [
            await loop.create_server(
                self._connection,
                sock=listening,
                ssl=tls,
                ssl_handshake_timeout=self._policy.limits.head_seconds if tls else None,
                backlog=self.config.backlog,
            )
            for listening, tls in self._listening
        ]
        self.started = True

    def _connection(self) -> Connection:
        return Connection(self.config, self.server_state, {}, policy=self._policy)

    async def main_loop(self) -> None:
        ticks = itertools.count()
        while not await self.on_tick(next(ticks)):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), 0.1)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            with contextlib.suppress(ValueError):  # its socket is closed: whoever told it to end has given up waiting
                server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        await self._until_idle(GRACE)
        if sys.version_info >= (3, 13):
            for server in self.servers:
                server.abort_clients()  # also those that are no connection of ours yet, in the middle of a handshake
        else:  # a handshake ends by its own timeout
            for connection in list(self.server_state.connections):
                connection.transport.abort()
        await self._until_idle(FAREWELL)  # uvicorn takes a handler that is cancelled for a broken one, and logs it
        for task in self.server_state.tasks:
            task.cancel("the server ends")
        await asyncio.sleep(0)

    async def _until_idle(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while (self.server_state.connections or self.server_state.tasks) and time.monotonic() < deadline:
            await asyncio.sleep(0.002)
