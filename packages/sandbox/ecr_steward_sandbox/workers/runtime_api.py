"""The Lambda Runtime API for one worker: what the runtime client asks for its next event and gives the answer to.

Protocol: Lambda developer guide, "Using the Lambda runtime API" (version 2018-06-01).
"""

from __future__ import annotations

import queue
import socket
import threading
from dataclasses import dataclass
from enum import Enum
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from typing import Any

PREFIX = "/2018-06-01/runtime/"


class Kind(Enum):
    """What a worker reports."""

    READY = "ready"  # the handler is imported; the first event may come
    INIT_ERROR = "init error"
    RESPONSE = "response"
    ERROR = "error"
    EXITED = "exited"


@dataclass(frozen=True)
class Report:
    """One thing that a worker reported. `payload` is JSON, or the exit status for EXITED."""

    kind: Kind
    payload: bytes


@dataclass(frozen=True)
class Job:
    """One event for a worker. `deadline` in seconds since the epoch."""

    request_id: str
    payload: bytes
    function_arn: str
    deadline: float


class RuntimeApi:
    """One worker's Runtime API on a port of its own."""

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self.reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._is_ready = False
        self._current: Job | None = None
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._connections: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, name="runtime-api", daemon=True)]
        self._threads[0].start()

    @property
    def address(self) -> str:
        """Value of AWS_LAMBDA_RUNTIME_API."""
        host, port = self._listener.getsockname()[:2]
        return f"{host}:{port}"

    def close(self) -> None:
        """End all connections and threads. Call it when the worker is dead."""
        self.jobs.put(None)
        # shutdown, not only close: it wakes the thread that waits in accept().
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)
        for connection in self._connections:
            connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # closed
                return
            # An answer of several packets would otherwise wait up to 40 ms for the peer's delayed acknowledgement.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connections.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection,), name="runtime-api", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            _Handler(connection, connection.getpeername(), self)  # type: ignore[arg-type]
        except OSError:  # the worker died in the middle of a request; its exit is reported on its own
            return
        finally:
            connection.close()

    # What the handler calls

    def next_job(self) -> Job | None:
        """Wait for the next event; None when the worker is to end."""
        if not self._is_ready:
            self._is_ready = True
            self.reports.put(Report(Kind.READY, b""))
        self._current = self.jobs.get()
        return self._current

    def accept_report(self, path: str, payload: bytes) -> HTTPStatus:
        """Take what the worker posted."""
        if path == "init/error":
            self.reports.put(Report(Kind.INIT_ERROR, payload))
            return HTTPStatus.ACCEPTED
        what, _, rest = path.partition("/")
        request_id, _, kind = rest.partition("/")
        if what != "invocation" or kind not in ("response", "error"):
            return HTTPStatus.NOT_FOUND
        if self._current is None or self._current.request_id != request_id:
            return HTTPStatus.BAD_REQUEST  # an answer to an invocation that is over
        self._current = None
        self.reports.put(Report(Kind(kind), payload))
        return HTTPStatus.ACCEPTED


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet per answer
    server: RuntimeApi  # type: ignore[assignment]

    def do_GET(self) -> None:
        job = self.server.next_job() if self.path == f"{PREFIX}invocation/next" else None
        if job is None:
            self.close_connection = True
            self._answer(HTTPStatus.GONE)
            return
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": job.request_id,
            "Lambda-Runtime-Deadline-Ms": str(int(job.deadline * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": job.function_arn,
        }
        self._answer(HTTPStatus.OK, job.payload, headers)

    def do_POST(self) -> None:
        payload = self._body()
        self._answer(self.server.accept_report(self.path.removeprefix(PREFIX), payload))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks: list[bytes] = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: HTTPStatus, payload: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in ((headers or {}) | {"Content-Length": str(len(payload))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: each invocation is recorded elsewhere."""
