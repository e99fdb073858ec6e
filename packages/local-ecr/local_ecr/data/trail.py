"""What CloudTrail writes down of a request below /v2/: the calls of ECR's API that its front end makes for it.

Names and shapes by the ECR user guide, "Logging Amazon ECR actions with AWS CloudTrail", and "Blob mounting" for
MountLayer. What the front end refuses itself, before any call, is in no trail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from local_ecr.data.errors import DistributionError
from local_ecr.errors import EcrError
from local_ecr.names import Registry, is_digest
from local_ecr.principals import Principal
from local_ecr.requests import facts_of
from local_ecr.services import Services
from local_ecr.state import images, repositories
from local_ecr.trail import FRONTEND, ApiCall, tell_trail
from local_ecr.uploads import PART_SIZE_HINT

Parameters = dict[str, Any]


@dataclass(frozen=True)
class Exchange:
    """A request of a known caller, and how it ended."""

    ecr: Services
    request: Request
    operation: str
    """What the request is at ECR, as the request log has it."""
    registry: Registry
    principal: Principal
    repository_name: str
    reference: str
    response: Response
    refusal: EcrError | None

    @property
    def named(self) -> Parameters:
        return {"registryId": self.registry.account, "repositoryName": self.repository_name}

    @property
    def upload_id(self) -> str:
        return self.reference or self.response.headers.get("Docker-Upload-UUID", "")

    @property
    def image_id(self) -> dict[str, str]:
        return {"imageDigest" if is_digest(self.reference) else "imageTag": self.reference}


def tell_of(exchange: Exchange) -> None:
    """Deliver the records of a request. Blocks."""
    if isinstance(exchange.refusal, DistributionError):
        return
    for operation, parameters, response in _calls(exchange):
        refusal = exchange.refusal
        tell_trail(
            exchange.ecr,
            ApiCall(
                operation=operation,
                principal=exchange.principal,
                registry=exchange.registry,
                parameters=parameters,
                response=None if refusal else response,
                error=(refusal.code, refusal.message) if refusal else None,
                request_id=facts_of(exchange.request).id,
                sender=FRONTEND,
            ),
        )


def _calls(exchange: Exchange) -> Iterator[tuple[str, Parameters, Parameters | None]]:
    """Operation, input and output of each call; of a refused request, of the one that it is known by."""
    shapes = _SHAPES.get(exchange.operation, _named_only)
    if exchange.refusal is not None:
        yield exchange.operation, *shapes(exchange)
        return
    query = exchange.request.query_params
    has_begun = exchange.operation == "InitiateLayerUpload"
    if has_begun and "mount" in query and exchange.response.status_code == 201:
        mounted = {**exchange.named, "layerDigest": query["mount"]}
        source = {"mountFromRepositoryName": query["from"]} if "from" in query else {}
        yield "MountLayer", {**mounted, **source}, mounted
        return
    is_whole = has_begun and "digest" in query and exchange.response.status_code == 201
    if exchange.operation == "CompleteLayerUpload" and _has_body(exchange.request):
        yield "UploadLayerPart", *_upload_layer_part(exchange)
    yield exchange.operation, *shapes(exchange)
    if is_whole:
        yield "UploadLayerPart", *_upload_layer_part(exchange)
        yield "CompleteLayerUpload", *_complete_layer_upload(exchange)


def _has_body(request: Request) -> bool:
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


def _named_only(exchange: Exchange) -> tuple[Parameters, Parameters | None]:
    return (exchange.named if exchange.repository_name else {}), None


def _initiate_layer_upload(exchange: Exchange) -> tuple[Parameters, Parameters]:
    return exchange.named, {"uploadId": exchange.upload_id, "partSize": PART_SIZE_HINT}


def _upload_layer_part(exchange: Exchange) -> tuple[Parameters, Parameters]:
    """Without the bytes that the part begins and ends at: the front end cuts its parts as it likes."""
    part = {**exchange.named, "uploadId": exchange.upload_id}
    return part, part


def _complete_layer_upload(exchange: Exchange) -> tuple[Parameters, Parameters]:
    upload, digest = {**exchange.named, "uploadId": exchange.upload_id}, exchange.request.query_params.get("digest", "")
    return {**upload, "layerDigests": [digest]}, {**upload, "layerDigest": digest}


def _put_image(exchange: Exchange) -> tuple[Parameters, Parameters]:
    given = {**exchange.named, **exchange.image_id}
    pushed = _pushed(exchange)
    digest = pushed.pop("imageDigest", "")
    image = {**exchange.named, "imageId": {**exchange.image_id, "imageDigest": digest}}
    return {**given, **pushed}, {"image": {**image, **pushed}}


def _pushed(exchange: Exchange) -> dict[str, str]:
    """The image as it is now; nothing of a refused push, or of an image that is gone again."""
    digest = exchange.response.headers.get("Docker-Content-Digest")
    if exchange.refusal is not None or digest is None:
        return {}
    with exchange.ecr.store.reading() as connection:
        repository = repositories.find(connection, exchange.registry, exchange.repository_name)
        image = images.by_digest(connection, repository.id, digest) if repository else None
        if image is None:
            return {"imageDigest": digest}
        manifest = images.manifest_of(connection, image).decode()
    return {"imageDigest": digest, "imageManifest": manifest, "imageManifestMediaType": image.media_type}


def _batch_get_image(exchange: Exchange) -> tuple[Parameters, None]:
    accepted = [one.partition(";")[0].strip() for one in exchange.request.headers.get("accept", "").split(",")]
    types = {"acceptedMediaTypes": accepted} if accepted != [""] else {}
    return {**exchange.named, "imageIds": [exchange.image_id], **types}, None


def _batch_delete_image(exchange: Exchange) -> tuple[Parameters, Parameters]:
    wanted = {"imageIds": [exchange.image_id]}
    return {**exchange.named, **wanted}, {**wanted, "failures": []}


def _layers(member: str, exchange: Exchange) -> tuple[Parameters, None]:
    digest: Mapping[str, Any] = {member: exchange.reference if member == "layerDigest" else [exchange.reference]}
    return {**exchange.named, **digest}, None


def _list_image_referrers(exchange: Exchange) -> tuple[Parameters, None]:
    return {**exchange.named, "subjectId": {"imageDigest": exchange.reference}}, None


_SHAPES = {
    "InitiateLayerUpload": _initiate_layer_upload,
    "UploadLayerPart": _upload_layer_part,
    "CompleteLayerUpload": _complete_layer_upload,
    "PutImage": _put_image,
    "BatchGetImage": _batch_get_image,
    "BatchDeleteImage": _batch_delete_image,
    "GetDownloadUrlForLayer": lambda exchange: _layers("layerDigest", exchange),
    "BatchCheckLayerAvailability": lambda exchange: _layers("layerDigests", exchange),
    "ListImageReferrers": _list_image_referrers,
}
