"""A registry behind a bad line: an HTTP proxy on this machine that does to requests what it is told.

It is told by request: of which kind (``GET manifest``), the how manifold of its kind, and what becomes of it. What it
is not told of it carries as it is. It keeps what a request was, when it came, and whether the registry saw it.
"""

import http.client
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedIOBase
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import urlsplit

_KINDS = (
    (re.compile(r"/v2/.+/manifests/sha(256|512):"), "manifest"),
    (re.compile(r"/v2/.+/manifests/"), "tag"),
    (re.compile(r"/v2/.+/blobs/uploads/"), "upload"),
    (re.compile(r"/v2/.+/blobs/sha(256|512):"), "blob"),
    (re.compile(r"/v2/.+/referrers/"), "referrers"),
    (re.compile(r"/v2/.+/tags/list"), "tags"),
)
_HOP = ("connection", "keep-alive", "transfer-encoding", "content-length")
_RESET = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Answer:
    """What the registry answered, or what is said in its place."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    def head(self, length: int | None = None) -> bytes:
        """The lines before the body. ``length`` is a lie."""
        said = {**self.headers, "Content-Length": str(len(self.body) if length is None else length)}
        if self.status == 204:
            del said["Content-Length"]
        lines = [f"HTTP/1.1 {self.status} so it is", *(f"{name}: {value}" for name, value in said.items()), "", ""]
        return "\r\n".join(lines).encode()


class GoneError(Exception):
    """The connection to whoever asks is no more."""


class Exchange:
    """One request, and what can be done about it."""

    def __init__(self, proxy: "FaultProxy", line: "_Line", method: str, path: str, headers: dict[str, str]) -> None:
        self._proxy = proxy
        self._line = line
        self.method = method
        self.path = path
        self.headers = headers
        self.length = int(headers.get("content-length", "0"))
        self._body: bytes | None = None

    @property
    def kind(self) -> str:
        """Method and what the path is of: ``PUT tag``."""
        return f"{self.method} {kind_of(self.path)}"

    def body(self, length: int | None = None) -> bytes:
        """What was sent along, or so much of it."""
        if self._body is None:
            self._body = self._line.read(self.length if length is None else length)
        return self._body

    def forward(self, body: bytes | None = None) -> Answer:
        """Have the registry do it, perhaps with other bytes."""
        return self._proxy.ask(self.method, self.path, self.headers, self.body() if body is None else body)

    def forward_part(self, length: int) -> None:
        """Let the registry see the beginning of what is sent, and then nothing more."""
        self._proxy.ask_in_part(self.method, self.path, self.headers, self.body(length))

    def answer(self, answer: Answer, *, length: int | None = None) -> None:
        self.say(answer.head(length) + (b"" if self.method == "HEAD" else answer.body))

    def say(self, data: bytes) -> None:
        self._line.write(data)

    def hang_up(self, *, rudely: bool = False) -> None:
        """End the connection; rudely, whoever asks cannot read what was said before either."""
        self._line.end(rudely=rudely)
        raise GoneError

    def wait_until_gone(self) -> None:
        """Say nothing more until whoever asks has gone."""
        self._line.wait_until_gone()
        raise GoneError


type Behaviour = Callable[[Exchange], None]


@dataclass(frozen=True)
class Fault:
    """What becomes of some requests: of the ``nth`` of their kind, and of those that follow, ``times`` in all."""

    kind: str
    behaviour: Behaviour
    nth: int = 1
    times: int = 1

    def meets(self, kind: str, count: int) -> bool:
        return kind == self.kind and self.nth <= count < self.nth + self.times


def carry(exchange: Exchange) -> None:
    """What becomes of a request without any fault."""
    exchange.answer(exchange.forward())


def kind_of(path: str) -> str:
    """Of what a path is; ``stored``: a blob where the registry redirects to."""
    return next((kind for pattern, kind in _KINDS if pattern.match(path)), "stored")


class FaultProxy:
    """A context; its faults may be changed while it runs."""

    def __init__(self, upstream: str, *, watch: Callable[[Exchange], None] = lambda exchange: None) -> None:
        """``watch`` is told of every request before anything becomes of it."""
        self.upstream = upstream
        self.faults: list[Fault] = []
        self.met: Counter[str] = Counter()
        """How many faults have come true, by the kind of the request."""
        self.seen: list[str] = []
        """The kinds of all requests, in the order of their coming."""
        self.watch = watch
        self._counts: Counter[str] = Counter()
        self._storage: str | None = None
        """Where the registry redirects to for blobs, once it has."""
        self._lock = threading.Lock()
        outer = self

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                outer._serve(_Line(self.connection, self.rfile))

        class Server(ThreadingTCPServer):
            daemon_threads = True
            request_queue_size = 64

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "FaultProxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def mend(self) -> None:
        """Carry everything from now on."""
        self.faults = []

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Ask the registry, as the client did, and have its answer point here where it points to the registry.

        So does a redirect to the origin of blobs, by another name of this machine: here, too, it is another origin.
        """
        with self._asked(method, path, headers, len(body)) as connection:
            connection.send(body)
            response = connection.getresponse()
            content = response.read()
            told = {
                name: value.replace(self.upstream, self.url)
                for name, value in response.getheaders()
                if name.lower() not in _HOP
            }
        for name, value in told.items():
            if name.lower() == "location" and (place := urlsplit(value)).netloc and not value.startswith(self.url):
                self._storage = place.netloc
                told[name] = place._replace(netloc=f"localhost:{self._server.server_address[1]}").geturl()
        if method == "HEAD" and (length := response.getheader("Content-Length")):
            content = bytes(int(length))  # which is not sent, but counted
        return Answer(response.status, told, content)

    def ask_in_part(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        with self._asked(method, path, headers, int(headers["content-length"])) as connection:
            connection.send(body)

    @contextmanager
    def _asked(
        self, method: str, path: str, headers: Mapping[str, str], length: int
    ) -> Iterator[http.client.HTTPConnection]:
        storage = self._storage if kind_of(path) == "stored" else None
        host = storage or urlsplit(self.upstream).netloc
        connection = http.client.HTTPConnection(host, timeout=20)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers.items():
                if name not in (*_HOP, "host"):
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(length))
            connection.endheaders()
            yield connection
        finally:
            connection.close()

    def _serve(self, line: "_Line") -> None:
        with suppress(GoneError, OSError):
            while (found := line.read_head()) is not None:
                exchange = Exchange(self, line, *found)
                with self._lock:
                    self.seen.append(exchange.kind)
                    self._counts[exchange.kind] += 1
                    count = self._counts[exchange.kind]
                self.watch(exchange)
                fault = next((each for each in self.faults if each.meets(exchange.kind, count)), None)
                if fault is not None:
                    with self._lock:
                        self.met[exchange.kind] += 1
                (fault.behaviour if fault else carry)(exchange)


class _Line:
    """A connection of whoever asks."""

    def __init__(self, connection: socket.socket, reader: BufferedIOBase) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection = connection
        self._reader = reader

    def read_head(self) -> tuple[str, str, dict[str, str]] | None:
        """Method, path and headers of the next request; ``None`` where there is no more."""
        words = self._reader.readline().split()
        if len(words) != 3 or not words[0].isalpha():  # such as TLS
            return None
        headers = {name.lower(): value for name, value in http.client.parse_headers(self._reader).items()}
        return words[0].decode(), words[1].decode(), headers

    def read(self, length: int) -> bytes:
        found = self._reader.read(length)
        if len(found) < length:
            raise GoneError
        return found

    def write(self, data: bytes) -> None:
        self._connection.sendall(data)

    def end(self, *, rudely: bool) -> None:
        if rudely:
            self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self._connection.close()
            self._reader.close()
        else:
            self._connection.shutdown(socket.SHUT_RDWR)

    def wait_until_gone(self) -> None:
        with suppress(OSError):
            while self._connection.recv(65536):
                pass
