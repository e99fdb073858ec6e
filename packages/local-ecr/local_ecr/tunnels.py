"""The other end of a proxy's tunnel: TLS begins on the same connection, and nothing is forwarded to anybody."""

from __future__ import annotations

import asyncio
import contextlib
import ssl

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


async def serve_in_tunnel(
    transport: asyncio.Transport, protocol: asyncio.Protocol, context: ssl.SSLContext, seconds: float
) -> None:
    """Tell the client that its tunnel is there, and be the server that it finds behind it.

    The connection ends when the handshake fails or takes longer than `seconds`.
    """
    loop = asyncio.get_running_loop()
    early = _Early()
    transport.pause_reading()  # or the client's hello could come before there is anybody for it
    transport.write(ESTABLISHED)
    secured = None
    with contextlib.suppress(ssl.SSLError, OSError):
        secured = await loop.start_tls(
            transport, early, context, server_side=True, ssl_handshake_timeout=seconds, ssl_shutdown_timeout=1.0
        )
    if secured is None or early.is_lost:
        transport.close()
        return
    secured.set_protocol(protocol)
    protocol.connection_made(secured)
    if early.data:
        protocol.data_received(bytes(early.data))


class _Early(asyncio.Protocol):
    """Keeps what comes with the end of the handshake: `start_tls` hands it on before it returns the new transport."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.is_lost = False

    def data_received(self, data: bytes) -> None:
        self.data += data

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
