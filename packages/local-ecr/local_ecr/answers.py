"""An answer's head and body in one packet: uvicorn writes one after the other, and each would wake up the client."""

from __future__ import annotations

import asyncio


class AnswerTransport:
    """A connection's transport as one answer uses it.

    The head waits for the body to the end of this step of the event loop. A body that comes later, as of a blob that is
    read meanwhile, is not waited for.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._head: bytes | None = b""
        """Empty before anything was written, None when it is gone."""

    def write(self, data: bytes) -> None:
        if self._head is None:
            self._transport.write(data)
        elif self._head:
            self._head += data
            self._flush()
        elif data:
            self._head = data
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def _flush(self) -> None:
        if self._head:
            self._transport.write(self._head)
            self._head = None
