"""Serve a LocalEcr over HTTP: one event loop in a thread, one port for the API and one for each registry."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from local_ecr.callers import ProgramsOnly
from local_ecr.ecr import LocalEcr
from local_ecr.hosts import LOCALHOST, Authority, is_ecr, is_layer_bucket, names_in
from local_ecr.layer_storage import LayerStorage
from local_ecr.names import DEFAULT_REGISTRY, Registry
from local_ecr.prompt_server import PromptServer
from local_ecr.proxy import Proxy
from local_ecr.sockets import HALF_OPEN, LOOPBACK, LOOPBACK_6, listen, port_of

START_TIMEOUT = 10.0  # seconds
STOP_TIMEOUT = 10.0
KEEP_ALIVE = 75  # seconds; a client's pool should never meet a connection that we just closed
MOST_CONNECTIONS = 480  # at the same time; each may have a file open, and 1,024 are what a process has


class LocalEcrServer:
    """Context manager. Every port serves the same app; the port, or the host name, says which registry `/v2/` means.

    `app` may wrap `ecr.app` to serve more beside ECR (see `local_ecr.app.is_for_ecr`), and `serves` says which host
    names beside IP addresses, localhost, the public host and those of ECR are then its own: a request for any other
    host, or from a web page, is refused (see `local_ecr.callers`). Leaving the context ends the server and closes
    `ecr`. A port of 0 is any free one; `registry_port` is the first of consecutive ones. 127.0.0.1
    means ::1 as well. With `tls`, the folder of a certificate authority that is made when there is none, every port
    speaks TLS, and one more, behind those of the registries, is a proxy that speaks HTTP. The last port is the origin
    of layers.
    """

    def __init__(
        self,
        ecr: LocalEcr,
        registries: Iterable[tuple[str, str]] = (("111122223333", "us-east-1"), ("111122223333", "eu-west-1")),
        *,
        app: ASGIApp | None = None,
        serves: Callable[[str], bool] = lambda _: False,
        host: str = LOOPBACK,
        port: int = 0,
        registry_port: int = 0,
        tls: Path | None = None,
    ) -> None:
        self.ecr = ecr
        self._app = ProgramsOnly(LayerStorage(app or ecr.app, lambda: self.ecr), self._is_own)
        self._serves = serves
        self._host = host
        self._port = port
        self._registry_port = registry_port
        self._registries = [Registry.parse(*registry) for registry in registries]
        self._tls = tls
        self._proxy_port = 0
        self._sockets: list[socket.socket] = []
        self._proxy_sockets: list[socket.socket] = []
        self._ports: set[int] = set()
        self._thread: threading.Thread | None = None
        self._server: PromptServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def endpoint_url(self) -> str:
        """For AWS_ENDPOINT_URL_ECR."""
        return f"{self.ecr.scheme}://{self.ecr.public_host}:{self._port}"

    @property
    def proxy_url(self) -> str:
        """For HTTP_PROXY, or with TLS for HTTPS_PROXY: whoever goes by it finds ECR at the names it has at AWS."""
        return f"http://{self.ecr.public_host}:{self._proxy_port or self._port}"

    @property
    def ca_file(self) -> Path | None:
        """What clients are to trust; None without TLS."""
        return self._tls and self._tls / "ca.pem"

    def registry_url(self, account: str, region: str) -> str:
        return self.ecr.registry_url(Registry(account, region))

    def start(self) -> None:
        try:
            tls = self._tls_context()
            self._bind()
            self._server = PromptServer(_config(self._app, tls))
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
            for listening in (*self._sockets, *self._proxy_sockets):
                listening.close()
            self.ecr.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _own_names(self) -> set[str]:
        """Of this machine, as certificates and requests to a proxy have them."""
        return {LOOPBACK, LOOPBACK_6, LOCALHOST, self._host, self.ecr.public_host.strip("[]").lower()}

    def _is_own(self, name: str) -> bool:
        """Whether requests for a host name are answered."""
        return name in self._own_names or is_ecr(name) or is_layer_bucket(name) or self._serves(name)

    def _tls_context(self) -> ssl.SSLContext | None:
        if self._tls is None:
            return None
        from local_ecr.tls import server_context  # noqa: PLC0415  who speaks no TLS need not load it

        self.ecr.scheme = "https"
        regions = {registry.region for registry in self._registries} or {DEFAULT_REGISTRY.region}
        return server_context(
            self._tls, [*sorted(self._own_names), *(name for one in sorted(regions) for name in names_in(one))]
        )

    def _bind(self) -> None:
        self._port = self._listen(self._sockets, self._port)
        wanted = self._registry_port
        for registry in self._registries:
            self.ecr.registries_ports[registry.account, registry.region] = self._listen(self._sockets, wanted)
            wanted += 1 if wanted else 0
        if self._tls is not None:
            self._proxy_port = self._listen(self._proxy_sockets, wanted)
            wanted += 1 if wanted else 0
        self.ecr.layers_port = self._listen(self._sockets, wanted)

    def _listen(self, sockets: list[socket.socket], port: int) -> int:
        listening = listen(self._host, port)
        sockets += listening
        found = port_of(listening[0])
        self._ports.add(found)
        return found

    def _address_of(self, authority: Authority) -> tuple[str, int] | None:
        """Where a host is served that is ours: a name of ECR or of its layers, or an address with a port of ours."""
        if is_ecr(authority.name) or is_layer_bucket(authority.name):
            port = authority.port if authority.port in self._ports else self._port
            return self._sockets[0].getsockname()[0], port
        if authority.name in self._own_names and authority.port in self._ports:
            return self._sockets[0].getsockname()[0], authority.port
        return None

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            runner.run(self._serve())

    async def _serve(self) -> None:
        assert self._server is not None  # noqa: S101  set before the thread starts
        proxy = Proxy(self._address_of)
        await proxy.start(self._proxy_sockets)
        try:
            await self._server.serve(self._sockets)
        finally:
            await proxy.stop()

    def _wait_until_started(self) -> None:
        assert self._server is not None and self._thread is not None  # noqa: S101  set just before
        deadline = time.monotonic() + START_TIMEOUT
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise RuntimeError("the server did not start")
            time.sleep(0.005)


def _config(app: ASGIApp, tls: ssl.SSLContext | None) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="httptools",
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="error",  # skopeo and docker try TLS first; that is no news
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE,
        limit_concurrency=MOST_CONNECTIONS,
        backlog=HALF_OPEN,
        ssl_context_factory=(lambda *_: tls) if tls else None,
        server_header=False,
        proxy_headers=False,  # who calls is who connects, whatever a header says
    )
