"""Bytes between a socket and the disk: a blob or one range of it out, an upload's body in."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO, Self

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from local_ecr.data.errors import DistributionError
from local_ecr.names import Digest
from local_ecr.state.content import READ_SIZE
from local_ecr.threads import in_thread

OCTETS = "application/octet-stream"
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class UnsatisfiableRangeError(Exception):
    """A range that begins behind the last byte, or ends before it begins."""


def read_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte of a `Range` header; None when there is none to honour (absent, many, or no byte range).

    A range whose last byte is before its first is invalid (RFC 9110, 14.1.1), and a server may ignore or reject what
    is invalid (14.2); 416 is for what was "rejected due to invalid ranges", too (15.5.17). It is rejected here: the
    conformance suite of OCI distribution (conformance/run.go, "range 500-0") takes the whole blob for a registry
    without ranges. Raises UnsatisfiableRangeError.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        if int(last) == 0 or size == 0:
            raise UnsatisfiableRangeError
        return max(size - int(last), 0), size - 1
    if int(first) >= size or (last and int(last) < int(first)):
        raise UnsatisfiableRangeError
    return int(first), min(int(last), size - 1) if last else size - 1


async def serve_blob(request: Request, path: Path, digest: Digest) -> Response:
    """The bytes that are on disk, or the one range of them that is asked for."""
    try:
        file, size = await in_thread(_open, path)
    except FileNotFoundError as cause:
        raise DistributionError("BLOB_UNKNOWN", f"The layer '{digest}' is gone", 404) from cause
    try:
        wanted = read_range(request.headers.get("range"), size)
    except UnsatisfiableRangeError:
        await in_thread(file.close)
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    first, last = wanted or (0, size - 1)
    headers = blob_headers(digest, last - first + 1)
    if wanted:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    if request.method == "HEAD":
        await in_thread(file.close)
        return Response(status_code=206 if wanted else 200, headers=headers, media_type=OCTETS)
    return StreamingResponse(
        _read(file, first, last - first + 1),
        status_code=206 if wanted else 200,
        headers=headers,
        media_type=OCTETS,
    )


def _open(path: Path) -> tuple[BinaryIO, int]:
    file = path.open("rb", buffering=0)
    return file, path.stat().st_size


async def _read(file: BinaryIO, first: int, length: int) -> AsyncIterator[bytes]:
    reading: asyncio.Task[bytes] | None = None
    try:
        file.seek(first)
        while length > 0:
            reading = asyncio.create_task(in_thread(file.read, min(length, READ_SIZE)))
            block = await asyncio.shield(reading)
            if not block:
                break
            length -= len(block)
            yield block
    finally:
        if reading is None or reading.done():
            file.close()
        else:  # the client has left; closed now, the thread could read from whatever is opened next under its number
            reading.add_done_callback(lambda _: file.close())


async def receive_body(request: Request, append: Callable[[bytearray], None]) -> None:
    """Hand on a request's body in pieces of some READ_SIZE; one is hashed and written while the next comes in."""
    waiting = bytearray()
    async with _Writing(append) as writing:
        async for piece in request.stream():
            waiting += piece
            if len(waiting) >= READ_SIZE:
                await writing.begin(waiting)
                waiting = bytearray()
        if waiting:
            await writing.begin(waiting)
        await writing.end()


class _Writing:
    """At most one piece on its way to disk. Leaving the context waits for it, however the block ends."""

    def __init__(self, append: Callable[[bytearray], None]) -> None:
        self._append = append
        self._under_way: asyncio.Task[None] | None = None

    async def begin(self, data: bytearray) -> None:
        await self.end()
        self._under_way = asyncio.create_task(in_thread(self._append, data))

    async def end(self) -> None:
        """Raises what the writing of the last piece raised."""
        if self._under_way is not None:
            await asyncio.shield(self._under_way)
            self._under_way = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        # whoever takes the upload next must not find a thread that still writes to its file
        if self._under_way is not None:
            await asyncio.gather(self._under_way, return_exceptions=True)


def blob_headers(digest: Digest, length: int) -> dict[str, str]:
    return {
        "Content-Length": str(length),
        "Docker-Content-Digest": digest,
        "Accept-Ranges": "bytes",
    }
