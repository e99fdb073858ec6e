"""HTTP servers, each in threads of this process, that can also answer in ways that no library would."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, Self
from urllib.parse import parse_qs, unquote

MOST_KEPT = 8 << 20
"""Bytes of a request's body: a client may hand on what has no end."""


class Exchange(BaseHTTPRequestHandler):
    """One request, and how to answer it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 40
    answerer: Callable[[Exchange], None]
    place: str
    parameters: Mapping[str, str]
    body: bytes

    def respond(self) -> None:
        """Read the request, and have it answered."""
        place, _, query = self.path.partition("?")
        self.place = unquote(place)
        self.parameters = {name: values[0] for name, values in parse_qs(query).items()}
        self.body = self._read_body()
        type(self).answerer(self)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = respond

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", "0")))
        body = bytearray()
        while size := int(self.rfile.readline(), 16):
            part = self.rfile.read(size)
            body += part[: MOST_KEPT - len(body)]
            self.rfile.readline()
        self.rfile.readline()
        return bytes(body)

    @property
    def is_read(self) -> bool:
        """Whether something is asked for, and nothing changed."""
        return self.command in ("GET", "HEAD")

    def send(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None) -> None:
        """A complete answer."""
        self.begin(status, {"Content-Length": str(len(body)), **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(body)

    def say(self, status: int, document: object, headers: Mapping[str, str] | None = None) -> None:
        """An answer in JSON."""
        self.send(status, json.dumps(document).encode(), {"Content-Type": "application/json", **(headers or {})})

    def refuse(self, status: int, code: str, headers: Mapping[str, str] | None = None) -> None:
        """A refusal as registries word it."""
        self.say(status, {"errors": [{"code": code, "message": "as it pleases the registry"}]}, headers)

    def begin(self, status: int, headers: Mapping[str, str]) -> None:
        """Status and headers."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def chunked(self, chunks: Iterable[bytes], headers: Mapping[str, str]) -> None:
        """An answer that does not say how long it will be."""
        self.begin(200, {**headers, "Transfer-Encoding": "chunked"})
        if self.command == "HEAD":
            return
        for chunk in chunks:
            self.wfile.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        self.wfile.write(b"0\r\n\r\n")

    def cut(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
        """An answer after which the connection is gone, whatever its headers promise."""
        self.begin(status, headers)
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients hang up, and are meant to."""


class Server:
    """A server as long as the block runs."""

    def __init__(self, host: str, answerer: Callable[[Exchange], None], certificate: Path | None = None) -> None:
        """With a certificate it speaks TLS."""
        handler = type("_Exchange", (Exchange,), {"answerer": staticmethod(answerer)})
        self._server = _Server((host, 0), handler)
        self._scheme = "https" if certificate else "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.host = host
        self.port = int(self._server.server_address[1])
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def address(self) -> str:
        """HOST:PORT."""
        return f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self.address}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
