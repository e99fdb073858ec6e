"""A refusal as the distribution specification writes it: its code, its status, ECR's message."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from local_ecr.errors import EcrError
from local_ecr.quirks import Quirks

_FORMS: dict[str, tuple[str, int]] = {
    "RepositoryNotFoundException": ("NAME_UNKNOWN", 404),
    "ImageNotFoundException": ("MANIFEST_UNKNOWN", 404),
    "ImageNotFound": ("MANIFEST_UNKNOWN", 404),
    "ImageInaccessible": ("MANIFEST_UNKNOWN", 404),  # ECR user guide, "Archiving an image"
    "ImageReferencedByManifestList": ("DENIED", 403),
    "ImageTagAlreadyExistsException": ("DENIED", 403),
    "ImageDigestDoesNotMatchException": ("MANIFEST_INVALID", 400),
    "LayersNotFoundException": ("MANIFEST_BLOB_UNKNOWN", 400),
    "ReferencedImagesNotFoundException": ("MANIFEST_BLOB_UNKNOWN", 400),
    "UploadNotFoundException": ("BLOB_UPLOAD_UNKNOWN", 404),
    "InvalidLayerException": ("DIGEST_INVALID", 400),
    "LayerPartTooSmallException": ("BLOB_UPLOAD_INVALID", 400),
    "EmptyUploadException": ("BLOB_UPLOAD_INVALID", 400),
    "LimitExceededException": ("DENIED", 403),  # github.com/aws/containers-roadmap/issues/2159
    "AccessDeniedException": ("DENIED", 403),
    "ThrottlingException": ("TOOMANYREQUESTS", 429),
    "ServerException": ("UNKNOWN", 500),
}


class DistributionError(EcrError):
    """A refusal that only the data plane knows; its code is one of the distribution specification's."""

    def __init__(
        self,
        code: str,
        message: str,
        status: int,
        headers: Mapping[str, str] | None = None,
        detail: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, message, status=status)
        self.headers = dict(headers or {})
        self.detail = dict(detail or {})


def error_response(refusal: EcrError, quirks: Quirks) -> Response:
    headers: Mapping[str, str] = {}
    detail: Mapping[str, Any] = {}
    if isinstance(refusal, DistributionError):
        code, status, headers, detail = refusal.code, refusal.status, refusal.headers, refusal.detail
    else:
        code, status = _form(refusal, quirks)
    error: dict[str, Any] = {"code": code, "message": refusal.message}
    if detail and not quirks.errors_without_detail:
        error["detail"] = detail
    return JSONResponse({"errors": [error]}, status_code=status, headers=dict(headers))


def _form(refusal: EcrError, quirks: Quirks) -> tuple[str, int]:
    if refusal.code == "ImageTagAlreadyExistsException" and quirks.tag_errors_are_tag_invalid:
        return "TAG_INVALID", 400
    if refusal.code == "InvalidLayerException" and quirks.upload_errors_are_upload_invalid:
        return "BLOB_UPLOAD_INVALID", 400
    return _FORMS.get(refusal.code, ("UNSUPPORTED", refusal.status))


def unsupported(message: str = "The operation is unsupported.") -> DistributionError:
    return DistributionError("UNSUPPORTED", message, 405)


def blob_unknown(digest: str, repository_name: str) -> DistributionError:
    return DistributionError(
        "BLOB_UNKNOWN",
        f"The layer '{digest}' does not exist in the repository with name '{repository_name}'",
        404,
        detail={"digest": digest},
    )


def digest_invalid(digest: str) -> DistributionError:
    return DistributionError(
        "DIGEST_INVALID",
        f"The digest {digest[:100]!r} is not a sha256 or sha512 digest.",
        400,
        detail={"digest": digest[:100]},
    )


def manifest_invalid(why: str, quirks: Quirks) -> DistributionError:
    """ECR says 'Invalid JSON syntax' of nearly all that it does not take; why is said here."""
    code, status = ("UNSUPPORTED", 405) if quirks.manifest_errors_are_unsupported else ("MANIFEST_INVALID", 400)
    return DistributionError(
        code, f"Invalid parameter at 'ImageManifest' failed to satisfy constraint: '{why}'", status
    )


def tag_invalid(image_tag: str, longest: int, quirks: Quirks, *, is_push: bool) -> DistributionError:
    """What is no image tag names no image, and can become none."""
    if quirks.tag_errors_are_tag_invalid:
        code, status = "TAG_INVALID", 400
    else:
        code, status = ("MANIFEST_INVALID", 400) if is_push else ("MANIFEST_UNKNOWN", 404)
    return DistributionError(
        code,
        f"{image_tag[:40]!r} is no image tag: at most {longest} letters, digits, '_', '.' and '-', not beginning with "
        "'.' or '-'",
        status,
        detail={"tag": image_tag[:40]},
    )
