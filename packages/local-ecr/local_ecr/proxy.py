"""A proxy for HTTPS_PROXY that leads to this server alone: a CONNECT for a host that is ours ends at a port of ours.

The client speaks TLS through the tunnel with the server behind it, so that nothing here reads what they say.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Sequence
from http import HTTPStatus

from local_ecr.hosts import Authority
from local_ecr.sockets import HALF_OPEN

HTTPS_PORT = 443
MOST_HEAD = 64 * 1024  # bytes
HEAD_SECONDS = 30.0
_CHUNK = 256 * 1024
_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class RefusedTunnelError(Exception):
    """No tunnel is opened; the answer is the message, and the connection's end."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


class Proxy:
    """`address_of` says where a host with its port is served; None for somebody else's. Use it in an event loop."""

    def __init__(self, address_of: Callable[[Authority], tuple[str, int] | None]) -> None:
        self._address_of = address_of
        self._servers: list[asyncio.Server] = []
        self._tunnels: set[asyncio.Task[None]] = set()

    async def start(self, sockets: Sequence[socket.socket]) -> None:
        self._servers = [
            await asyncio.start_server(self._serve, sock=one, limit=MOST_HEAD, backlog=HALF_OPEN) for one in sockets
        ]

    async def stop(self) -> None:
        """Cut all tunnels."""
        for server in self._servers:
            with contextlib.suppress(ValueError):  # its socket is closed: whoever told it to end has given up waiting
                server.close()
        for tunnel in self._tunnels:
            tunnel.cancel()
        await asyncio.gather(*self._tunnels, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  asyncio makes one for each connection
        self._tunnels.add(task)
        task.add_done_callback(self._tunnels.discard)
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                await self._answer(reader, writer)
            writer.close()
        except asyncio.CancelledError:
            writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there = await self._open(await _read_head(reader))
        except RefusedTunnelError as refusal:
            writer.write(_refusal_bytes(refusal))
            await writer.drain()
            return
        try:
            writer.write(_ESTABLISHED)
            await _join((reader, writer), there)
        finally:
            there[1].close()

    async def _open(self, head: bytes) -> Stream:
        """A connection to where the request leads. Raises RefusedTunnelError."""
        method, _, rest = head.partition(b" ")
        if method != b"CONNECT":
            raise RefusedTunnelError(
                HTTPStatus.NOT_IMPLEMENTED, "This is a proxy for https alone: it takes CONNECT, and nothing else."
            )
        authority = Authority.parse(rest.partition(b" ")[0].decode("latin-1"))
        if authority is None:
            raise RefusedTunnelError(HTTPStatus.BAD_REQUEST, "The request names no host.")
        address = self._address_of(Authority(authority.name, authority.port or HTTPS_PORT))
        if address is None:
            raise RefusedTunnelError(
                HTTPStatus.FORBIDDEN, f"This is a local Amazon ECR and no open proxy: {authority} is none of its hosts."
            )
        return await asyncio.open_connection(*address)


async def _read_head(reader: asyncio.StreamReader) -> bytes:
    try:
        return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), HEAD_SECONDS)
    except asyncio.LimitOverrunError as cause:
        message = f"A request has at most {MOST_HEAD} bytes of headers."
        raise RefusedTunnelError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, message) from cause
    except TimeoutError as cause:
        raise RefusedTunnelError(HTTPStatus.REQUEST_TIMEOUT, "The head of the request came too slowly.") from cause


def _refusal_bytes(refusal: RefusedTunnelError) -> bytes:
    body = str(refusal).encode()
    head = (
        f"HTTP/1.1 {refusal.status.value} {refusal.status.phrase}\r\ncontent-type: text/plain; charset=utf-8\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


async def _join(one: Stream, other: Stream) -> None:
    """Hand on what either says to the other, until one of them ends: TLS needs no half of a connection."""
    directions = [
        asyncio.create_task(_hand_on(one[0], other[1])),
        asyncio.create_task(_hand_on(other[0], one[1])),
    ]
    try:
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for direction in directions:
            direction.cancel()
        await asyncio.gather(*directions, return_exceptions=True)


async def _hand_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_CHUNK):
        writer.write(data)
        await writer.drain()
