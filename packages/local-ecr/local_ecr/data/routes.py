"""One table: what a method on a path means as an operation of ECR, and who does it."""

from __future__ import annotations

from dataclasses import dataclass

from local_ecr.data import blobs, listings, manifests, uploads
from local_ecr.data.call import DataHandler
from local_ecr.data.errors import DistributionError, unsupported
from local_ecr.names import MIN_REPOSITORY_NAME, is_repository_name
from local_ecr.quirks import Quirks


@dataclass(frozen=True)
class Route:
    kind: str
    repository_name: str
    reference: str = ""


@dataclass(frozen=True)
class DataOperation:
    name: str
    """The operation of ECR's API that this is; the request log and the access check go by it."""
    handler: DataHandler


OPERATIONS: dict[tuple[str, str], DataOperation] = {
    ("catalog", "GET"): DataOperation("DescribeRepositories", listings.list_repositories),
    ("blob", "HEAD"): DataOperation("BatchCheckLayerAvailability", blobs.get_blob),
    ("blob", "GET"): DataOperation("GetDownloadUrlForLayer", blobs.get_blob),
    ("blob", "DELETE"): DataOperation("BatchDeleteImage", blobs.delete_blob),  # whoever may delete images may delete it
    ("uploads", "POST"): DataOperation("InitiateLayerUpload", uploads.start_upload),
    ("upload", "GET"): DataOperation("GetLayerUpload", uploads.get_upload),
    ("upload", "PATCH"): DataOperation("UploadLayerPart", uploads.receive_chunk),
    ("upload", "PUT"): DataOperation("CompleteLayerUpload", uploads.finish_upload),
    ("upload", "DELETE"): DataOperation("CancelLayerUpload", uploads.cancel_upload),
    ("manifest", "HEAD"): DataOperation("BatchGetImage", manifests.get_manifest),
    ("manifest", "GET"): DataOperation("BatchGetImage", manifests.get_manifest),
    ("manifest", "PUT"): DataOperation("PutImage", manifests.put_manifest),
    ("manifest", "DELETE"): DataOperation("BatchDeleteImage", manifests.delete_manifest),
    ("tags", "GET"): DataOperation("ListImages", listings.list_tags),
    ("referrers", "GET"): DataOperation("ListImageReferrers", listings.list_referrers),
}


def parse_path(path: str, quirks: Quirks) -> Route:
    """What a path below /v2/ names. Raises DistributionError."""
    if path == "_catalog":
        return Route("catalog", "")
    parts = path.split("/")
    match parts:
        case [*name, "blobs", "uploads"] | [*name, "blobs", "uploads", ""]:
            route = Route("uploads", "/".join(name))
        case [*name, "blobs", "uploads", upload_id]:
            route = Route("upload", "/".join(name), upload_id)
        case [*name, "blobs", digest]:
            route = Route("blob", "/".join(name), digest)
        case [*name, "manifests", reference]:
            route = Route("manifest", "/".join(name), reference)
        case [*name, "tags", "list"]:
            route = Route("tags", "/".join(name))
        case [*name, "referrers", digest]:
            route = Route("referrers", "/".join(name), digest)
        case _:
            raise DistributionError("NAME_UNKNOWN", "there is nothing at this path", 404)
    shortest = MIN_REPOSITORY_NAME if quirks.short_names_refused else 1
    if not is_repository_name(route.repository_name, shortest):
        raise DistributionError("NAME_INVALID", f"not a repository name: {route.repository_name[:100]!r}", 400)
    return route


def operation_of(route: Route, method: str, quirks: Quirks) -> DataOperation:
    operation = OPERATIONS.get((route.kind, method))
    is_switched_off = (route.kind, method) == ("blob", "DELETE") and quirks.blob_delete_unsupported
    if operation is None or is_switched_off:
        raise unsupported()
    return operation
