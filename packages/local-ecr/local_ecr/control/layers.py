"""Layers: what a repository has, how to fetch it, and the upload in parts."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.errors import EcrError, empty_upload
from local_ecr.images.manifest import read_manifest
from local_ecr.images.selection import DIGEST_FORM
from local_ecr.layer_storage import layer_location
from local_ecr.names import Digest, is_digest
from local_ecr.state import layers, repositories
from local_ecr.uploads import PART_SIZE_HINT

_LAYER_MEDIA_TYPE = "application/vnd.docker.image.rootfs.diff.tar.gzip"
"""Of a layer that no image is made of yet."""


def batch_check_layer_availability(call: Call) -> Mapping[str, Any]:
    found, failures = [], []
    media_types: dict[str, str] = {}
    with call.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        for digest in dict.fromkeys(call.input["layerDigests"]):
            failure = _digest_failure(digest)
            if failure is not None:
                failures.append(failure)
                continue
            size = layers.size_of(connection, repository.id, digest)
            found.append(
                {
                    "layerDigest": digest,
                    "layerAvailability": _availability(connection, repository.id, digest, size),
                    "layerSize": size,
                    "mediaType": None if size is None else _media_type(connection, repository.id, digest, media_types),
                }
            )
    return {"layers": found, "failures": failures}


def get_download_url_for_layer(call: Call) -> Mapping[str, Any]:
    digest = call.input["layerDigest"]
    with call.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        layer = layers.find(connection, repository.id, digest)
    where = f"the repository with name '{call.repository_name}' in the registry with id '{call.registry.account}'"
    if layer is None:  # in ECR's words: github.com/monken/aws-ecr-public/issues/11
        raise EcrError("LayersNotFoundException", f"The layer with digest '{digest}' does not exist within {where}")
    if not layer.is_referenced or layer.is_archived:
        kind = "an image that is not archived" if layer.is_archived else "an image"
        raise EcrError(
            "LayerInaccessibleException", f"The layer with digest '{digest}' is not part of {kind} in {where}"
        )
    host = call.registry.aws_host if call.facts.is_by_aws_name else ""
    url = layer_location(call.ecr, call.registry, Digest(digest), host)
    if url.startswith("/"):
        url = call.ecr.registry_url(call.registry, is_by_aws_name=call.facts.is_by_aws_name) + url
    return {"downloadUrl": url, "layerDigest": digest}


def initiate_layer_upload(call: Call) -> Mapping[str, Any]:
    upload_id = call.ecr.uploads.start(call.registry, call.repository_name, call.principal)
    return {"uploadId": upload_id, "partSize": PART_SIZE_HINT}


def upload_layer_part(call: Call) -> Mapping[str, Any]:
    upload_id, data = call.input["uploadId"], call.input["layerPartBlob"]
    first, last = call.input["partFirstByte"], call.input["partLastByte"]
    with call.ecr.uploads.session(call.registry, call.repository_name, call.principal, upload_id) as session:
        if first != session.offset or last - first + 1 != len(data):
            raise _invalid_part(call, first, last, data, expected=session.offset)
        session.append(data)
        received = session.keep_part()
    return call.in_repository(uploadId=upload_id, lastByteReceived=received - 1)


def complete_layer_upload(call: Call) -> Mapping[str, Any]:
    upload_id = call.input["uploadId"]
    digests = [Digest(digest) for digest in call.input["layerDigests"] if is_digest(digest)]  # no other can match
    with call.ecr.uploads.session(call.registry, call.repository_name, call.principal, upload_id) as session:
        if session.upload.parts == 0:
            raise empty_upload(upload_id, call.repository_name, call.registry.account)
        digest, already = session.complete(digests)
    if already:
        raise EcrError(
            "LayerAlreadyExistsException",
            f"The layer with digest '{digest}' already exists in the repository with name '{call.repository_name}' in "
            f"the registry with id '{call.registry.account}'",
        )
    return call.in_repository(uploadId=upload_id, layerDigest=digest)


def _invalid_part(call: Call, first: int, last: int, data: bytes, *, expected: int) -> EcrError:
    """In ECR's words for what does not follow: github.com/uber-archive/makisu/issues/224."""
    if first != expected:
        message = f"First byte of the layer part is {first} instead of {expected}"
    else:
        message = f"The layer part has {len(data)} bytes, which is not what is from byte {first} to byte {last}"
    members = call.in_repository(uploadId=call.input["uploadId"], lastValidByteReceived=max(expected - 1, 0))
    return EcrError("InvalidLayerPartException", message, members=members)


def _availability(connection: sqlite3.Connection, repository_id: int, digest: str, size: int | None) -> str:
    if size is None:
        return "UNAVAILABLE"
    return "ARCHIVED" if layers.is_archived(connection, repository_id, digest) else "AVAILABLE"


def _media_type(connection: sqlite3.Connection, repository_id: int, digest: str, known: dict[str, str]) -> str:
    """What an image calls this layer (AWS CLI reference, example of batch-check-layer-availability).

    `known` is what this call has seen other layers called: layers are asked for together that one manifest lists.
    """
    if digest not in known:
        found = layers.manifest_with(connection, repository_id, digest)
        if found is None:
            return _LAYER_MEDIA_TYPE
        manifest = read_manifest(*found)
        for part in (manifest.config, *manifest.layers, *manifest.images):
            if part is not None:
                known.setdefault(part.digest, part.media_type)
    return known[digest]


def _digest_failure(digest: str) -> dict[str, Any] | None:
    if not digest:
        return {"layerDigest": digest, "failureCode": "MissingLayerDigest", "failureReason": "The digest is missing"}
    if is_digest(digest) or re.fullmatch(DIGEST_FORM, digest):
        return None
    reason = f"Invalid layer digest: it should satisfy the regex '{DIGEST_FORM}'"
    return {"layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": reason}


OPERATIONS: dict[str, Handler] = {
    "BatchCheckLayerAvailability": batch_check_layer_availability,
    "GetDownloadUrlForLayer": get_download_url_for_layer,
    "InitiateLayerUpload": initiate_layer_upload,
    "UploadLayerPart": upload_layer_part,
    "CompleteLayerUpload": complete_layer_upload,
}
