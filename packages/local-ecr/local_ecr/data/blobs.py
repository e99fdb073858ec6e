"""Blobs on their way out: HEAD, GET, and the signed URL that GET points to."""

from __future__ import annotations

import math

from starlette.requests import Request
from starlette.responses import Response

from local_ecr.data.call import DataCall
from local_ecr.data.errors import DistributionError, blob_unknown, digest_invalid
from local_ecr.data.streaming import OCTETS, blob_headers, serve_blob
from local_ecr.layer_storage import layer_location, token_of
from local_ecr.names import Digest, InvalidNameError, parse_digest
from local_ecr.services import Services
from local_ecr.state import layers, repositories
from local_ecr.threads import in_thread
from local_ecr.tokens import ExpiredTokenError, InvalidTokenError


async def get_blob(call: DataCall) -> Response:
    digest = _digest(call)
    size = await in_thread(_size, call, digest)
    if call.is_head:
        return Response(headers=blob_headers(digest, size), media_type=OCTETS)
    if call.ecr.quirks.blob_redirect:
        location = layer_location(call.ecr, call.registry, digest, call.request.headers.get("host", ""))
        return Response(status_code=307, headers={"Location": location})
    return await serve_blob(call.request, call.ecr.store.content.blob_path(call.registry, digest), digest)


async def get_signed(ecr: Services, request: Request, payload: str) -> Response:
    """Serve what a signed URL names, where the registry itself has to: no port for layers is open."""
    try:
        registry, digest = ecr.signer.read_download(token_of(request, payload))
    except ExpiredTokenError as cause:
        raise DistributionError("DENIED", "Request has expired", 403) from cause
    except InvalidTokenError as cause:
        raise DistributionError("DENIED", "The request signature we calculated does not match", 403) from cause
    return await serve_blob(request, ecr.store.content.blob_path(registry, digest), digest)


async def delete_blob(call: DataCall) -> Response:
    """Take a blob from this repository; for as long as an image is made of it, it stays."""
    await in_thread(_delete, call, _digest(call))
    return Response(status_code=202)


def _delete(call: DataCall, digest: Digest) -> None:
    with call.ecr.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        layer = layers.find(change.connection, repository.id, digest)
        if layer is None:
            raise blob_unknown(digest, call.repository_name)
        if layer.is_referenced:
            raise DistributionError(
                "UNSUPPORTED", f"An image is made of the layer '{digest}'", 405, detail={"digest": digest}
            )
        dropped = layers.drop_unreferenced(change.connection, repository.id, [digest], math.inf)
        change.drop_layers(call.registry, dropped)


def _size(call: DataCall, digest: Digest) -> int:
    """Bytes of a blob that may be looked at (HEAD) or read (GET): what is in no image yet is only there."""
    with call.ecr.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        layer = layers.find(connection, repository.id, digest)
    if layer is None:
        raise blob_unknown(digest, call.repository_name)
    if layer.is_archived and not call.is_head:
        raise blob_unknown(digest, call.repository_name)
    if not (layer.is_referenced or call.is_head or not call.ecr.quirks.blobs_need_image):
        raise blob_unknown(digest, call.repository_name)
    return layer.size


def _digest(call: DataCall) -> Digest:
    try:
        return parse_digest(call.reference)
    except InvalidNameError as cause:
        raise digest_invalid(call.reference) from cause
