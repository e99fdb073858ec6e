"""A refusal as the distribution specification writes it: its code, its status, ECR's message."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import JSONResponse, Response

from local_ecr.errors import EcrError

_FORMS: dict[str, tuple[str, int]] = {
    "RepositoryNotFoundException": ("NAME_UNKNOWN", 404),
    "ImageNotFoundException": ("MANIFEST_UNKNOWN", 404),
    "ImageNotFound": ("MANIFEST_UNKNOWN", 404),
    "ImageReferencedByManifestList": ("DENIED", 403),
    "ImageTagAlreadyExistsException": ("TAG_INVALID", 400),
    "ImageDigestDoesNotMatchException": ("MANIFEST_INVALID", 400),
    "LayersNotFoundException": ("MANIFEST_BLOB_UNKNOWN", 400),
    "ReferencedImagesNotFoundException": ("MANIFEST_BLOB_UNKNOWN", 400),
    "UploadNotFoundException": ("BLOB_UPLOAD_UNKNOWN", 404),
    "InvalidLayerException": ("DIGEST_INVALID", 400),
    "LayerPartTooSmallException": ("BLOB_UPLOAD_INVALID", 400),
    "LimitExceededException": ("SIZE_INVALID", 413),
    "AccessDeniedException": ("DENIED", 403),
    "ThrottlingException": ("TOOMANYREQUESTS", 429),
    "ServerException": ("UNKNOWN", 500),
}


class DistributionError(EcrError):
    """A refusal that only the data plane knows; its code is one of the distribution specification's."""

    def __init__(self, code: str, message: str, status: int, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code, message, status=status)
        self.headers = dict(headers or {})


def error_response(refusal: EcrError) -> Response:
    headers: Mapping[str, str] = {}
    if isinstance(refusal, DistributionError):
        code, status, headers = refusal.code, refusal.status, refusal.headers
    else:
        code, status = _FORMS.get(refusal.code, ("UNSUPPORTED", refusal.status))
    body = {"errors": [{"code": code, "message": refusal.message}]}
    return JSONResponse(body, status_code=status, headers=dict(headers))


def unsupported(message: str = "The operation is unsupported.") -> DistributionError:
    return DistributionError("UNSUPPORTED", message, 405)


def blob_unknown(digest: str, repository_name: str) -> DistributionError:
    return DistributionError(
        "BLOB_UNKNOWN", f"The layer '{digest}' does not exist in the repository with name '{repository_name}'", 404
    )


def digest_invalid(digest: str) -> DistributionError:
    return DistributionError("DIGEST_INVALID", f"The digest {digest[:100]!r} is not a sha256 or sha512 digest.", 400)
