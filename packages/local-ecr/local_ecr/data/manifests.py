"""Manifests: read, pushed and deleted by tag or by digest."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from starlette.responses import Response

from local_ecr.data.call import DataCall
from local_ecr.data.errors import DistributionError, digest_invalid, manifest_invalid, tag_invalid
from local_ecr.data.first_push import ensure_repository
from local_ecr.errors import EcrError
from local_ecr.images.conversion import accepted_types, convert_manifest
from local_ecr.images.manifest import MAX_MANIFEST_BYTES, InvalidManifestError, Manifest, read_manifest
from local_ecr.images.pulls import record_pulls
from local_ecr.images.push import push_image
from local_ecr.images.removal import remove_image
from local_ecr.images.selection import ImageFailureError, ImageId, require_active, select_image
from local_ecr.names import MAX_IMAGE_TAG, MAX_OCI_IMAGE_TAG, is_digest, is_image_tag
from local_ecr.state import images, layers, repositories
from local_ecr.state.images import Image
from local_ecr.state.repositories import Repository
from local_ecr.threads import in_thread


async def get_manifest(call: DataCall) -> Response:
    wanted = _image_id(call)
    image, body = await in_thread(_read, call, wanted)
    digest, media_type = image.digest, image.media_type
    if wanted.image_tag is not None and call.ecr.quirks.manifests_converted_by_tag:
        accepted = accepted_types(call.request.headers.getlist("accept"))
        converted = convert_manifest(body, media_type, accepted)
        if converted is not None:
            digest, media_type, body = converted.digest, converted.media_type, converted.body
    headers = {"Docker-Content-Digest": digest, "Content-Length": str(len(body))}
    return Response(b"" if call.is_head else body, headers=headers, media_type=media_type)


async def put_manifest(call: DataCall) -> Response:
    wanted = _image_id(call)
    body = await _read_body(call)
    content_type = call.request.headers.get("content-type", "").partition(";")[0].strip()
    await in_thread(ensure_repository, call)
    manifest = await in_thread(_push, call, wanted, body, content_type or None)
    headers = {
        "Location": call.path(f"manifests/{manifest.digest}"),
        "Docker-Content-Digest": manifest.digest,
    }
    if manifest.subject:
        headers["OCI-Subject"] = manifest.subject
    return Response(status_code=201, headers=headers)


async def delete_manifest(call: DataCall) -> Response:
    await in_thread(_remove, call, _image_id(call))
    return Response(status_code=202)


async def _read_body(call: DataCall) -> bytes:
    body = bytearray()
    async for piece in call.request.stream():
        body += piece
        if len(body) > MAX_MANIFEST_BYTES:
            raise DistributionError(
                "SIZE_INVALID", f"The manifest is larger than the {MAX_MANIFEST_BYTES} bytes that are allowed.", 413
            )
    return bytes(body)


def _push(call: DataCall, wanted: ImageId, body: bytes, media_type: str | None) -> Manifest:
    quirks = call.ecr.quirks
    is_sha256 = wanted.digest is None or quirks.image_digests_are_sha256
    algorithm = "sha256" if is_sha256 else str(wanted.digest).partition(":")[0]
    try:
        manifest = read_manifest(body, media_type, algorithm)
    except InvalidManifestError as cause:
        raise manifest_invalid(str(cause), quirks) from cause
    if quirks.media_type_parameters_refused and manifest.has_media_type_parameters:
        raise manifest_invalid("a media type with parameters", quirks)
    with call.ecr.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        if not quirks.index_lists_images_only:
            manifest = _with_listed_blobs(change.connection, repository, manifest)
        push_image(change, repository, manifest, digest=wanted.digest, image_tag=wanted.image_tag, now=call.ecr.clock())
    return manifest


def _with_listed_blobs(connection: sqlite3.Connection, repository: Repository, manifest: Manifest) -> Manifest:
    """An index that lists blobs of the repository is made of them as an image is of its layers."""
    blobs = [
        one
        for one in manifest.images
        if images.by_digest(connection, repository.id, one.digest) is None
        and layers.size_of(connection, repository.id, one.digest) is not None
    ]
    rest = tuple(one for one in manifest.images if one not in blobs)
    return replace(manifest, images=rest, layers=(*manifest.layers, *blobs))


def _read(call: DataCall, wanted: ImageId) -> tuple[Image, bytes]:
    with call.ecr.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        try:
            image = require_active(select_image(connection, repository.id, wanted))
        except ImageFailureError as failure:
            raise EcrError(failure.code, failure.reason) from failure
        body = images.manifest_of(connection, image)
    if not call.is_head:
        record_pulls(call.ecr.store, call.registry, call.principal, [image], call.ecr.clock())
    return image, body


def _remove(call: DataCall, wanted: ImageId) -> None:
    with call.ecr.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        try:
            remove_image(
                change,
                repository,
                wanted,
                call.ecr.clock(),
                last_tag_takes_image=call.ecr.quirks.last_tag_takes_image,
                index_keeps_images=call.ecr.quirks.index_keeps_images,
            )
        except ImageFailureError as failure:
            raise EcrError(failure.code, failure.reason) from failure


def _image_id(call: DataCall) -> ImageId:
    """A digest names an image, anything else that is a tag names a tag."""
    longest = MAX_IMAGE_TAG if call.ecr.quirks.long_image_tags else MAX_OCI_IMAGE_TAG
    if is_digest(call.reference):
        return ImageId(digest=call.reference)
    if ":" in call.reference:
        raise digest_invalid(call.reference)
    if not is_image_tag(call.reference, longest):
        raise tag_invalid(call.reference, longest, call.ecr.quirks, is_push=call.request.method == "PUT")
    return ImageId(image_tag=call.reference)
