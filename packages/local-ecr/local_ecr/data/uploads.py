"""Blobs on their way in: monolithic, in chunks, streamed without a length, or mounted."""

from __future__ import annotations

import re

from starlette.responses import Response

from local_ecr.data.call import DataCall
from local_ecr.data.errors import DistributionError, digest_invalid
from local_ecr.data.first_push import ensure_repository
from local_ecr.data.mounting import mount_blob
from local_ecr.data.streaming import receive_body
from local_ecr.errors import empty_upload
from local_ecr.names import Digest, InvalidNameError, parse_digest
from local_ecr.threads import in_thread
from local_ecr.uploads import UploadSession

_CONTENT_RANGE = re.compile(r"(?:bytes )?([0-9]{1,18})-([0-9]{1,18})(?:/[0-9*]+)?")


async def start_upload(call: DataCall) -> Response:
    """POST: a session, or with `digest` the whole blob at once, or with `mount` a blob of another repository."""
    await in_thread(ensure_repository, call)
    mounted = call.query("mount")
    if mounted is not None and await in_thread(mount_blob, call, _digest(mounted), call.query("from")):
        return _created(call, _digest(mounted))
    whole = call.query("digest")
    digest = _digest(whole) if whole is not None else None
    if digest is not None:
        await _require(call, "UploadLayerPart", "CompleteLayerUpload")
    upload_id = await in_thread(call.ecr.uploads.start, call.registry, call.repository_name, call.principal)
    if digest is None:
        return _progress(call, upload_id, 0, status=202)
    return await _finish(call, upload_id, digest)


async def receive_chunk(call: DataCall) -> Response:
    """PATCH: append the body, of whatever length."""
    session = await _take(call, call.reference)
    try:
        await _append_body(call, session)
        received = await in_thread(session.keep_part)
    finally:
        session.release()
    quirks = call.ecr.quirks
    told = session.upload.first_part_size or received if quirks.upload_range_sticks else received
    return _progress(call, call.reference, told, status=201 if quirks.patch_answers_201 else 202)


async def finish_upload(call: DataCall) -> Response:
    """PUT with `digest`: append the body, if any, and make the whole a blob."""
    digest = _digest(call.query("digest") or "")
    if _has_body(call):
        await _require(call, "UploadLayerPart")
    return await _finish(call, call.reference, digest)


async def get_upload(call: DataCall) -> Response:
    received = await in_thread(
        call.ecr.uploads.received, call.registry, call.repository_name, call.principal, call.reference
    )
    return _progress(call, call.reference, received, status=204)


async def cancel_upload(call: DataCall) -> Response:
    session = await _take(call, call.reference)
    try:
        await in_thread(session.cancel)
    finally:
        session.release()
    return Response(status_code=204)


async def _finish(call: DataCall, upload_id: str, digest: Digest) -> Response:
    session = await _take(call, upload_id)
    try:
        await _append_body(call, session)
        if session.offset == 0 and call.ecr.quirks.empty_blobs_refused:
            raise empty_upload(upload_id, call.repository_name, call.registry.account)
        await in_thread(session.complete, [digest])
    finally:
        session.release()
    return _created(call, digest)


async def _require(call: DataCall, *operations: str) -> None:
    """What a request does beside the operation that it is known by."""
    for operation in operations:
        call.throttle(operation)
        await in_thread(call.require, operation)


def _has_body(call: DataCall) -> bool:
    headers = call.request.headers
    return "transfer-encoding" in headers or headers.get("content-length", "0") != "0"


async def _take(call: DataCall, upload_id: str) -> UploadSession:
    return await in_thread(call.ecr.uploads.take, call.registry, call.repository_name, call.principal, upload_id)


async def _append_body(call: DataCall, session: UploadSession) -> None:
    """Stream the body to disk. What a client that leaves half-way has sent is dropped at the next request."""
    begins, declared = read_content_range(call.request.headers.get("content-range"))
    start = session.offset
    if begins is not None and begins != start:
        raise _out_of_order(call, session, f"First byte of the layer part is {begins} instead of {start}")
    if declared is not None and declared < 1:
        raise _out_of_order(call, session, "The layer part ends before it begins")
    await receive_body(call.request, session.append)
    if declared is not None and session.offset - start != declared:
        raise DistributionError(
            "SIZE_INVALID",
            f"Content-Range promised {declared} bytes and {session.offset - start} came",
            400,
            detail={"promised": declared, "received": session.offset - start},
        )


def _out_of_order(call: DataCall, session: UploadSession, why: str) -> DistributionError:
    """What the client is to send next is in the headers, as OCI distribution asks of a chunk out of order.

    A range that ends before it begins is one, too: RFC 9110, 14.4, calls it invalid and wants it not recombined.
    """
    return DistributionError(
        "BLOB_UPLOAD_INVALID",
        why,
        416,
        {"Location": call.path(f"blobs/uploads/{session.upload.id}"), "Range": f"0-{max(session.offset - 1, 0)}"},
        {"offset": session.offset},
    )


def read_content_range(header: str | None) -> tuple[int | None, int | None]:
    """First byte and length that `Content-Range` declares; a PUT that only closes an upload may declare nothing.

    Raises DistributionError.
    """
    if header is None:
        return None, None
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None:
        raise DistributionError("BLOB_UPLOAD_INVALID", f"not a content range: {header[:60]!r}", 400)
    first, last = int(match[1]), int(match[2])
    return first, last - first + 1


def _digest(text: str) -> Digest:
    try:
        return parse_digest(text)
    except InvalidNameError as cause:
        raise digest_invalid(text) from cause


def _created(call: DataCall, digest: Digest) -> Response:
    headers = {"Location": call.path(f"blobs/{digest}"), "Docker-Content-Digest": digest}
    return Response(status_code=201, headers=headers)


def _progress(call: DataCall, upload_id: str, received: int, *, status: int) -> Response:
    return Response(
        status_code=status,
        headers={
            "Location": call.path(f"blobs/uploads/{upload_id}"),
            "Range": f"0-{max(received - 1, 0)}",
            "Docker-Upload-UUID": upload_id,
        },
    )
