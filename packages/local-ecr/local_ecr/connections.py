"""One client's connection: uvicorn's HTTP with limits that it has not, and as a proxy of ECR's own hosts alone."""

from __future__ import annotations

import asyncio
import enum
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from local_ecr.answers import AnswerTransport
from local_ecr.hosts import Authority
from local_ecr.limits import Limits
from local_ecr.tunnels import serve_in_tunnel

LINGER = 1.0  # seconds; closing with bytes unread resets the connection, and the client may never see the answer
GOODBYE = 0.1  # seconds; TLS would wait for the other side's, which a client's idle pool does not say
PORTS = {"http": 80, "https": 443}


class RefusedRequestError(Exception):
    """A request that gets no further than its head; the answer is its message, and the connection's end."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Reading(enum.Enum):
    """What of a request comes next."""

    NOTHING = enum.auto()
    HEAD = enum.auto()
    BODY = enum.auto()


@dataclass(frozen=True)
class Policy:
    """Whom the connections of a server serve, and how long."""

    serves: Callable[[Authority], bool]
    """Whether a proxy's request for this host is for us. A host without a port means its scheme's."""
    tls: ssl.SSLContext | None = None
    """What a client that tunnels speaks with; without it none can."""
    limits: Limits = field(default_factory=Limits)


class Connection(HttpToolsProtocol):
    """Reads requests. `target` is the host that a tunnel leads to.

    A request to a proxy names its host in the request line; that one counts, whatever `Host` says (RFC 9112, 3.2.2).
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        policy: Policy,
        target: Authority | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._policy = policy
        self._target = target
        self._reading = Reading.NOTHING
        self._has_moved = False  # whether that is something else than what is waited for
        self._watch: asyncio.TimerHandle | None = None
        self._head = 0  # bytes of the request's head, or of its trailers
        self._silent = 0  # bytes that the parser has told nothing of yet: of a header that does not end
        self._body = 0  # bytes of the body since its speed was last looked at
        self._refusal: RefusedRequestError | None = None
        self._tunnel: Authority | None = None

    # ---------------------------------------------------------------- life

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._target is not None:
            self.server = (self._target.name, self._target.port)
        if len(self.connections) > self._policy.limits.connections:
            self._refuse(RefusedRequestError(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections are open."))
        else:
            self._read_next(Reading.HEAD)
            self._watch_on()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End when what is under way has: the server ends."""
        super().shutdown()
        if self.transport.is_closing() and self.scheme == "https":
            self.loop.call_later(GOODBYE, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None:
            return
        self._silent += len(data)
        super().data_received(data)
        if self._refusal is None and self._silent > self._policy.limits.head_bytes:
            self._refuse(self._too_large())
        if self._tunnel is not None:
            self._open_tunnel(self._tunnel)
        elif self._refusal is None and (self._has_moved or self._reading is Reading.NOTHING):
            self._watch_on()

    def send_400_response(self, msg: str) -> None:
        """Answer what the parser did not take, or a callback of ours."""
        self._refuse(self._refusal or RefusedRequestError(HTTPStatus.BAD_REQUEST, msg))

    def _refuse(self, refusal: RefusedRequestError) -> None:
        self._refusal = refusal
        self._stop_watching()
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # whoever is at work on an answer need not end it
            self.cycle.message_event.set()
            if self.cycle.response_started or self.pipeline:
                self.transport.close()
                return
        body = str(refusal).encode()
        head = (
            f"HTTP/1.1 {refusal.status} {refusal.status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()
        self.loop.call_later(LINGER, self.transport.abort)

    # ---------------------------------------------------------------- what the parser finds

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = self._silent = 0
        self._read_next(Reading.HEAD)

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)  # ": " and the line's end
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head = self._silent = 0
        try:
            self._find_host()
        except RefusedRequestError as refusal:
            self._refusal = refusal
            raise  # the parser stops, and send_400_response is called
        if self._tunnel is None:
            super().on_headers_complete()
            self.cycle.transport = cast(asyncio.Transport, AnswerTransport(self.transport, self.loop))
        self._read_next(Reading.BODY)

    def on_chunk_header(self) -> None:
        self._silent = 0

    def on_body(self, body: bytes) -> None:
        self._silent = 0
        self._body += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._silent = 0
        if self._tunnel is None:
            super().on_message_complete()
        self._read_next(Reading.NOTHING)

    def _count(self, size: int) -> None:
        self._silent = 0
        self._head += size
        if self._head > self._policy.limits.head_bytes:
            self._refusal = self._too_large()
            raise self._refusal

    def _too_large(self) -> RefusedRequestError:
        most = self._policy.limits.head_bytes
        return RefusedRequestError(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"A request has at most {most} bytes of headers."
        )

    # ---------------------------------------------------------------- which host is meant

    def _find_host(self) -> None:
        """Let the scope say the host that a proxy is asked for. Raises RefusedRequestError."""
        if sum(name == b"host" for name, _ in self.headers) > 1:
            raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "A request names one Host.")
        if self.parser.get_method() == b"CONNECT":
            self._tunnel = self._tunnel_to(self.url)
        elif not self.url.startswith((b"/", b"*")):
            authority = self._ours(*_authority_of(self.url))
            self.headers[:] = [(b"host", str(authority).encode()), *(one for one in self.headers if one[0] != b"host")]
            self.scope["server"] = (authority.name, authority.port)

    def _tunnel_to(self, target: bytes) -> Authority:
        authority = self._ours(Authority.parse(target.decode("latin-1")), "https")
        if self._policy.tls is None:
            raise RefusedRequestError(
                HTTPStatus.NOT_IMPLEMENTED, "There is no TLS here: start the registry with --tls, or use plain http."
            )
        return authority

    def _ours(self, authority: Authority | None, scheme: str) -> Authority:
        """The same if it is ours, on its scheme's port unless it says another. Raises RefusedRequestError."""
        if authority is None:
            raise RefusedRequestError(HTTPStatus.BAD_REQUEST, "The request names no host.")
        if not self._policy.serves(Authority(authority.name, authority.port or PORTS[scheme])):
            raise RefusedRequestError(
                HTTPStatus.FORBIDDEN, f"This is a local Amazon ECR and no open proxy: {authority} is none of its hosts."
            )
        return authority

    def _open_tunnel(self, target: Authority) -> None:
        assert self._policy.tls is not None  # noqa: S101  or the request would have been refused
        self._stop_watching()
        self.connections.discard(self)
        inner = type(self)(
            self.config, self.server_state, self.app_state, self.loop, policy=self._policy, target=target
        )
        serving = serve_in_tunnel(self.transport, inner, self._policy.tls, self._policy.limits.head_seconds)
        task = self.loop.create_task(serving)
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)

    # ---------------------------------------------------------------- how long it takes

    def _read_next(self, what: Reading) -> None:
        self._reading = what
        self._body = 0
        self._has_moved = True

    def _watch_on(self) -> None:
        """Begin to wait for what comes next. A request that comes in one piece is over before it is waited for."""
        self._stop_watching()
        self._has_moved = False
        if self._reading is not Reading.NOTHING:
            self._watch = self.loop.call_later(self._seconds, self._look)
        elif self.cycle.response_complete:  # uvicorn waits no longer for a request when anything comes: a body's rest
            seconds = self.timeout_keep_alive
            self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    @property
    def _seconds(self) -> float:
        limits = self._policy.limits
        return limits.head_seconds if self._reading is Reading.HEAD else limits.body_seconds

    def _look(self) -> None:
        """Give up on a client that is too slow, unless it is we who are."""
        if self._is_our_turn or (self._reading is Reading.BODY and self._body >= self._policy.limits.least_body):
            self._read_next(self._reading)
            self._watch_on()
            return
        what = "head" if self._reading is Reading.HEAD else "body"
        self._refuse(RefusedRequestError(HTTPStatus.REQUEST_TIMEOUT, f"The {what} of the request came too slowly."))

    @property
    def _is_our_turn(self) -> bool:
        """Whether nothing more is to come before we read on, or answer."""
        if self.flow.read_paused:
            return True
        if self.cycle is None:
            return False
        if self._reading is Reading.BODY:
            return self.cycle.waiting_for_100_continue
        return not self.cycle.response_complete

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None


def _authority_of(url: bytes) -> tuple[Authority | None, str]:
    """Host and scheme of a whole URL."""
    try:
        parsed = httptools.parse_url(url)
    except httptools.HttpParserInvalidURLError:
        return None, "http"
    scheme = (parsed.schema or b"").lower().decode("latin-1")
    if parsed.host is None or scheme not in PORTS:
        return None, "http"
    return Authority(parsed.host.lower().decode("latin-1"), parsed.port), scheme
