"""Blobs on their way out: HEAD, GET with one range, and the signed URL that GET points to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from local_ecr.data.call import DataCall, in_thread
from local_ecr.data.errors import DistributionError, blob_unknown, digest_invalid
from local_ecr.names import Digest, InvalidNameError, parse_digest
from local_ecr.services import Services
from local_ecr.state import layers, repositories
from local_ecr.state.content import READ_SIZE
from local_ecr.tokens import ExpiredTokenError, InvalidTokenError

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_OCTETS = "application/octet-stream"


class UnsatisfiableRangeError(Exception):
    """A range that begins behind the last byte."""


def read_range(header: str | None, size: int) -> tuple[int, int] | None:
    """First and last byte of a `Range` header; None when there is none to honour (absent, many, or no byte range).

    Raises UnsatisfiableRangeError.
    """
    match = _RANGE.fullmatch(header.strip()) if header else None
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        if int(last) == 0 or size == 0:
            raise UnsatisfiableRangeError
        return max(size - int(last), 0), size - 1
    if last and int(last) < int(first):
        return None
    if int(first) >= size:
        raise UnsatisfiableRangeError
    return int(first), min(int(last), size - 1) if last else size - 1


async def get_blob(call: DataCall) -> Response:
    digest = _digest(call)
    size = await in_thread(_size, call, digest)
    if call.is_head:
        return Response(headers=_headers(digest, size), media_type=_OCTETS)
    if call.ecr.quirks.blob_redirect:
        location = call.ecr.download_path(call.registry, digest)
        return Response(status_code=307, headers={"Location": location})
    return await serve_blob(call.request, call.ecr.store.content.blob_path(call.registry, digest), digest)


async def get_signed(ecr: Services, request: Request, token: str) -> Response:
    """Serve what a signed URL names to whoever holds it, as S3 does for ECR."""
    try:
        registry, digest = ecr.signer.read_download(token)
    except ExpiredTokenError as cause:
        raise DistributionError("DENIED", "Request has expired", 403) from cause
    except InvalidTokenError as cause:
        raise DistributionError("DENIED", "The request signature we calculated does not match", 403) from cause
    return await serve_blob(request, ecr.store.content.blob_path(registry, digest), digest)


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
    headers = _headers(digest, last - first + 1)
    if wanted:
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    if request.method == "HEAD":
        await in_thread(file.close)
        return Response(status_code=206 if wanted else 200, headers=headers, media_type=_OCTETS)
    return StreamingResponse(
        _read(file, first, last - first + 1),
        status_code=206 if wanted else 200,
        headers=headers,
        media_type=_OCTETS,
    )


def _open(path: Path) -> tuple[BinaryIO, int]:
    file = path.open("rb", buffering=0)
    return file, path.stat().st_size


async def _read(file: BinaryIO, first: int, length: int) -> AsyncIterator[bytes]:
    try:
        await in_thread(file.seek, first)
        while length > 0 and (block := await in_thread(file.read, min(length, READ_SIZE))):
            length -= len(block)
            yield block
    finally:
        file.close()


def _size(call: DataCall, digest: Digest) -> int:
    """Bytes of a blob that may be looked at (HEAD) or read (GET): what is in no image yet is only there."""
    with call.ecr.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        layer = layers.find(connection, repository.id, digest)
    if layer is None:
        raise blob_unknown(digest, call.repository_name)
    if not (layer.is_referenced or call.is_head or not call.ecr.quirks.blobs_need_image):
        raise blob_unknown(digest, call.repository_name)
    return layer.size


def _digest(call: DataCall) -> Digest:
    try:
        return parse_digest(call.reference)
    except InvalidNameError as cause:
        raise digest_invalid(call.reference) from cause


def _headers(digest: Digest, length: int) -> dict[str, str]:
    return {
        "Content-Length": str(length),
        "Docker-Content-Digest": digest,
        "Accept-Ranges": "bytes",
    }
