"""A proxy for HTTPS_PROXY on this machine: it opens tunnels to what stands for hosts, and keeps what it reads."""

import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from socket import SHUT_WR, create_connection, socket
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Self


@dataclass(frozen=True)
class Asked:
    """The head of a request that the proxy could read."""

    line: str
    headers: Mapping[str, str]


@dataclass
class ConnectProxy:
    """A context. ``servers`` says which port of 127.0.0.1 stands for ``host:port``; for any other it answers 403."""

    servers: Mapping[str, int]
    login: str | None = None
    """The value of ``Proxy-Authorization`` that it wants."""
    asked: list[Asked] = field(default_factory=list)
    carried: bytearray = field(default_factory=bytearray)
    """What clients have sent through its tunnels."""

    def __enter__(self) -> Self:
        outer = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                with suppress(OSError):
                    outer._serve(self)

        class Server(ThreadingTCPServer):
            daemon_threads = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    def _serve(self, handler: StreamRequestHandler) -> None:
        line = handler.rfile.readline().decode("latin-1").strip()
        headers = {}
        while said := handler.rfile.readline().decode("latin-1").strip():
            name, _, value = said.partition(":")
            headers[name.lower()] = value.strip()
        self.asked.append(Asked(line, headers))
        method, target, _ = line.split()
        if self.login is not None and headers.get("proxy-authorization") != self.login:
            handler.wfile.write(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
        elif method != "CONNECT" or target not in self.servers:
            handler.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        else:
            handler.wfile.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._carry(handler.connection, self.servers[target])

    def _carry(self, client: socket, port: int) -> None:
        with create_connection(("127.0.0.1", port)) as server:
            back = threading.Thread(target=_pump, args=(server, client, bytearray()), daemon=True)
            back.start()
            _pump(client, server, self.carried)
            back.join()


def _pump(source: socket, sink: socket, kept: bytearray) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            kept += data
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(SHUT_WR)
