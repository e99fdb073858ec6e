"""A small HTTP server that misbehaves exactly as it is told, and clients that lose no time over it."""

import ssl
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.stub import Stubber

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.patience import PATIENT
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.names import RegistryRef
from tests.given import aws

HOME = RegistryRef("123456789012", "us-east-1")

type Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass(frozen=True)
class Received:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class HostileServer:
    """Answers each (method, path) with what was arranged for it, in order; the last answer is for ever."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self._answers: dict[tuple[str, str], list[Answer]] = defaultdict(list)
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def answer(self) -> None:
                length = int(self.headers.get("Content-Length", "0"))
                path = urlsplit(self.path).path
                answers = outer._answers[self.command, path]
                early = bool(answers) and getattr(answers[0], "is_early", False)
                body = b"" if early else self.rfile.read(length)
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.received.append(Received(self.command, self.path, headers, body))
                if not answers:
                    reply(404)(self)
                    return
                (answers.pop(0) if len(answers) > 1 else answers[0])(self)

            do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = answer

            def log_message(self, format: str, *args: Any) -> None:
                """Say nothing."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Clients hang up on it: that is what the tests want."""

        self._server = Server(("127.0.0.1", 0), Handler)
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def on(self, method: str, path: str, *answers: Answer) -> None:
        """Arrange the answers to a request."""
        self._answers[method, path].extend(answers)

    def methods(self, path: str | None = None) -> list[str]:
        """The methods of the requests received, for one path or for all."""
        return [request.method for request in self.received if path in (None, urlsplit(request.path).path)]

    @property
    def logins(self) -> list[str]:
        """Every ``Authorization`` that was sent here."""
        return [request.headers["authorization"] for request in self.received if "authorization" in request.headers]

    def __enter__(self) -> "HostileServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=5)


def reply(status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> Answer:
    """A complete answer."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            handler.send_header(name, value)
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(body)

    return answer


def stream(chunks: Callable[[], Iterator[bytes]], headers: dict[str, str]) -> Answer:
    """An answer that comes bit by bit, after which the connection is closed."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        for chunk in chunks():
            handler.wfile.write(chunk)
            handler.wfile.flush()
        handler.close_connection = True

    return answer


@pytest.fixture
def reply_with() -> Callable[..., Answer]:
    """``reply`` for test files, which import nothing from here."""
    return reply


@pytest.fixture
def stream_with() -> Callable[..., Answer]:
    """``stream`` for test files."""
    return stream


@pytest.fixture
def new_server() -> Iterator[Callable[..., HostileServer]]:
    """As many hostile servers as a test needs, which speak TLS where they are given a context for that."""
    with ExitStack() as stack:
        yield lambda tls=None: stack.enter_context(HostileServer(tls))


@pytest.fixture
def server(new_server: Callable[..., HostileServer]) -> HostileServer:
    return new_server()


@pytest.fixture
def transport() -> Iterator[Transport]:
    """Retries at once, whatever the server says, and waits a second for a byte."""
    impatient = Transport(retries=PATIENT.new(backoff_factor=0, backoff_jitter=0, retry_after_max=0), read_seconds=1)
    yield impatient
    impatient.close()


@pytest.fixture
def client(server: HostileServer, transport: Transport) -> DistributionClient:
    return DistributionClient(server.url, lambda: "Basic c2VjcmV0", transport=transport)


@pytest.fixture
def clients() -> AwsClients:
    """Clients of an account that is not there, for answers that a test writes down."""
    return aws.clients("123456789012")


@pytest.fixture
def ecr(clients: AwsClients) -> Iterator[Stubber]:
    """The answers of ECR in us-east-1; all of them must be asked for."""
    with Stubber(clients.ecr(HOME)) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()
