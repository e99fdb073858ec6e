"""Manifests: read, pushed and deleted by tag or by digest."""

from __future__ import annotations

from starlette.responses import Response

from local_ecr.data.call import DataCall, in_thread
from local_ecr.data.errors import DistributionError, digest_invalid
from local_ecr.errors import EcrError
from local_ecr.images.manifest import MAX_MANIFEST_BYTES, InvalidManifestError, Manifest, read_manifest
from local_ecr.images.push import push_image
from local_ecr.images.removal import remove_image
from local_ecr.images.selection import ImageFailureError, ImageId, select_image
from local_ecr.names import MAX_IMAGE_TAG, is_digest, is_image_tag
from local_ecr.state import images, repositories
from local_ecr.state.images import Image


async def get_manifest(call: DataCall) -> Response:
    image, body = await in_thread(_read, call, _image_id(call))
    headers = {"Docker-Content-Digest": image.digest, "Content-Length": str(len(body))}
    return Response(b"" if call.is_head else body, headers=headers, media_type=image.media_type)


async def put_manifest(call: DataCall) -> Response:
    wanted = _image_id(call)
    body = await _read_body(call)
    content_type = call.request.headers.get("content-type", "").partition(";")[0].strip()
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
    try:
        manifest = read_manifest(body, media_type)
    except InvalidManifestError as cause:
        raise DistributionError(
            "MANIFEST_INVALID",
            f"Invalid parameter at 'ImageManifest' failed to satisfy constraint: '{cause}'",
            400,
        ) from cause
    with call.ecr.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        push_image(change, repository, manifest, digest=wanted.digest, image_tag=wanted.image_tag, now=call.ecr.clock())
    return manifest


def _read(call: DataCall, wanted: ImageId) -> tuple[Image, bytes]:
    with call.ecr.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        try:
            image = select_image(connection, repository.id, wanted)
        except ImageFailureError as failure:
            raise EcrError(failure.code, failure.reason) from failure
        return image, images.manifest_of(connection, image)


def _remove(call: DataCall, wanted: ImageId) -> None:
    with call.ecr.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        try:
            remove_image(change, repository, wanted, call.ecr.clock())
        except ImageFailureError as failure:
            raise EcrError(failure.code, failure.reason) from failure
    call.ecr.housekeeping.sweep_when_due()


def _image_id(call: DataCall) -> ImageId:
    """A digest names an image, anything else that is a tag names a tag."""
    if is_digest(call.reference):
        return ImageId(digest=call.reference)
    if ":" in call.reference:
        raise digest_invalid(call.reference)
    if not is_image_tag(call.reference):
        raise DistributionError(
            "TAG_INVALID",
            f"{call.reference[:40]!r} is no image tag: at most {MAX_IMAGE_TAG} letters, digits, '_', '.' and '-', not "
            "beginning with '.' or '-'",
            400,
        )
    return ImageId(image_tag=call.reference)
