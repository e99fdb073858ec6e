"""Serve a LocalEcr over HTTP: one event loop in a thread, one socket for the API and one for each registry."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import threading
import time
from collections.abc import Iterable
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from local_ecr.ecr import LocalEcr
from local_ecr.names import Registry

START_TIMEOUT = 10.0  # seconds
STOP_TIMEOUT = 10.0
GRACE = 2.0  # for requests that are under way when the server is told to end
BACKLOG = 512
KEEP_ALIVE = 75  # seconds; a client's pool should never meet a connection that we just closed


class PromptServer(uvicorn.Server):
    """uvicorn that starts to end the moment it is told to; its own loop looks every 0.1 s and waits as long again."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def end_from_thread(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self.should_exit = True
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._told.set)

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
        deadline = time.monotonic() + GRACE
        while (self.server_state.connections or self.server_state.tasks) and time.monotonic() < deadline:
            await asyncio.sleep(0.002)
        for task in self.server_state.tasks:
            task.cancel("the server ends")


class LocalEcrServer:
    """Context manager. Every socket serves the same app; the port says which registry `/v2/` means.

    `app` may wrap `ecr.app` to serve more beside ECR (see `local_ecr.app.is_for_ecr`). Leaving the context ends the
    server and closes `ecr`. A port of 0 is any free one; `registry_port` is the first of consecutive ones.
    """

    def __init__(
        self,
        ecr: LocalEcr,
        registries: Iterable[tuple[str, str]] = (("111122223333", "us-east-1"), ("111122223333", "eu-west-1")),
        *,
        app: ASGIApp | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        registry_port: int = 0,
    ) -> None:
        self.ecr = ecr
        self._app = app or ecr.app
        self._host = host
        self._port = port
        self._registry_port = registry_port
        self._registries = [Registry.parse(*registry) for registry in registries]
        self._sockets: list[socket.socket] = []
        self._thread: threading.Thread | None = None
        self._server: PromptServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def endpoint_url(self) -> str:
        """For AWS_ENDPOINT_URL_ECR."""
        return f"http://{self.ecr.public_host}:{self._port}"

    def registry_url(self, account: str, region: str) -> str:
        return self.ecr.registry_url(Registry(account, region))

    def start(self) -> None:
        try:
            self._bind()
            config = uvicorn.Config(
                self._app,
                lifespan="off",
                ws="none",
                log_config=None,
                log_level="error",  # skopeo and docker try TLS first; that is no news
                access_log=False,
                timeout_keep_alive=KEEP_ALIVE,
                server_header=False,
                proxy_headers=False,  # who calls is who connects, whatever a header says
            )
            self._server = PromptServer(config)
            self._thread = threading.Thread(target=self._run, name="local-ecr", daemon=True)
            self._thread.start()
            self._wait_until_started()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        try:
            if self._server is not None:
                self._server.end_from_thread(self._loop)
            if self._thread is not None:
                self._thread.join(STOP_TIMEOUT)
                if self._thread.is_alive():
                    raise TimeoutError("the server did not end")
        finally:
            for listening in self._sockets:
                listening.close()
            self.ecr.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def _bind(self) -> None:
        self._port = self._listen(self._port)
        for position, registry in enumerate(self._registries):
            wanted = self._registry_port + position if self._registry_port else 0
            self.ecr.registries_ports[registry.account, registry.region] = self._listen(wanted)

    def _listen(self, port: int) -> int:
        # asyncio turns Nagle's algorithm off only on sockets that name their protocol; with it each answer takes 44 ms
        listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._sockets.append(listening)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((self._host, port))
        listening.listen(BACKLOG)
        found: int = listening.getsockname()[1]
        return found

    def _run(self) -> None:
        assert self._server is not None  # noqa: S101  set before the thread starts
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._server.serve(sockets=self._sockets))

    def _wait_until_started(self) -> None:
        assert self._server is not None and self._thread is not None  # noqa: S101  set just before
        deadline = time.monotonic() + START_TIMEOUT
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.005)
