"""Connections whose answers have a head that is bounded in size and time, from its first byte on.

Python's own client counts the lines of headers alone, waits for each as long as something comes, and reads past any
number of ``100 Continue``.
"""

import time
from http.client import HTTPResponse, RemoteDisconnected
from socket import socket
from typing import Any, BinaryIO

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from ecr_steward.adapters import limits
from ecr_steward.errors import RefusedByRegistryError

_INTERIM = frozenset(range(100, 200)) - {101}
"""Statuses that another one follows (RFC 9110, section 15.2). Python's own client knows 100 alone."""
_LEAST_SECONDS = 0.001
"""Less is no time to a socket: none at all would mean not to wait."""


class _Head:
    """What an answer's head is read from, instead of the connection itself."""

    def __init__(self, stream: Any, connection: socket) -> None:
        self.stream: Any = stream
        self._connection = connection
        self._ends = time.monotonic() + (connection.gettimeout() or limits.READ_SECONDS)
        self._left = limits.HEADER_BYTES
        self._deadline: float | None = None

    def readline(self, most: int) -> bytes:
        line = b""
        while len(line) < most and not line.endswith(b"\n"):
            self._connection.settimeout(max(self._ends - time.monotonic(), _LEAST_SECONDS))
            waiting = self.stream.peek(1)  # at least a byte, or none at the end
            self._deadline = self._deadline or time.monotonic() + limits.HEADER_SECONDS
            part = self.stream.read(min(waiting.find(b"\n") + 1 or len(waiting), most - len(line)))
            self._left -= len(part)
            if self._left < 0:
                raise RefusedByRegistryError(f"an answer's headers are over the limit of {limits.HEADER_BYTES} bytes")
            if not part:  # or half of the headers would pass for all of them, with half of a Location
                raise RemoteDisconnected("the connection ended in the head of an answer")
            if time.monotonic() > self._deadline:
                raise RefusedByRegistryError(f"an answer's headers took longer than {limits.HEADER_SECONDS} s")
            line += part
        return line

    def close(self) -> None:
        self.stream.close()


class _Answer(HTTPResponse):
    fp: Any

    def __init__(self, sock: socket, *options: Any, **named: Any) -> None:
        super().__init__(sock, *options, **named)
        self._connection = sock

    def begin(self) -> None:
        stream: BinaryIO = self.fp
        silence = self._connection.gettimeout()
        self.fp = _Head(stream, self._connection)
        try:
            super().begin()
            while self.status in _INTERIM:
                self.headers = self.msg = None  # type: ignore[assignment]  # as before the first head
                super().begin()
        finally:
            if self.fp is not None:
                self.fp = stream
                self._connection.settimeout(silence)


class TimedConnection(HTTPConnection):
    """A connection that waits for each part of an answer as long as it is set to.

    urllib3 would have each chunk of a body leave within the seconds that a connection may take. It says so when it
    connects, and again for each request over a connection that there is.
    """

    _answering: socket | None = None

    def getresponse(self) -> urllib3.HTTPResponse:  # type: ignore[override]  # as urllib3's own
        self._answering = self.sock  # which an answer that ends the connection takes along
        return super().getresponse()

    def wait_at_most(self, seconds: float) -> None:
        """For the next bytes of the answer, and never longer than was allowed when it was asked for."""
        if self._answering is not None and self._answering.fileno() >= 0:
            usual = float(self.timeout or limits.READ_SECONDS)
            self._answering.settimeout(max(min(usual, seconds), _LEAST_SECONDS))

    def connect(self) -> None:
        super().connect()
        self._allow_slow_sending()

    def putrequest(self, *request: Any, **skipped: Any) -> None:
        self._allow_slow_sending()
        super().putrequest(*request, **skipped)

    def _allow_slow_sending(self) -> None:
        if self.sock is not None:
            self.sock.settimeout(limits.READ_SECONDS)


class _Connection(TimedConnection):
    response_class = _Answer


class _SecureConnection(TimedConnection, HTTPSConnection):
    response_class = _Answer


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS = {"http": _Pool, "https": _SecurePool}
"""For ``PoolManager.pool_classes_by_scheme``."""
