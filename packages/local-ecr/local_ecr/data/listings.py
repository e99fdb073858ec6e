"""What a repository has: its tags and the referrers of a digest; and what a registry has: its repositories."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

from starlette.responses import JSONResponse, Response

from local_ecr.data.call import DataCall
from local_ecr.data.errors import DistributionError, digest_invalid
from local_ecr.errors import repository_not_found
from local_ecr.images.media_types import OCI_INDEX
from local_ecr.images.referrers import fit_page
from local_ecr.names import is_digest
from local_ecr.state import images, repositories
from local_ecr.state.images import Referrer
from local_ecr.threads import in_thread
from local_ecr.tokens import InvalidTokenError

REFERRERS_PAGE = 50


async def list_tags(call: DataCall) -> Response:
    if call.ecr.quirks.tags_page_by_token:
        return await _list_tags_by_token(call)
    size = call.count()
    found = await in_thread(_tags, call, call.query("last") or "", size + 1)
    shown = found[:size]
    more = call.next_page("tags/list", n=str(size), last=shown[-1]) if shown and len(found) > size else {}
    return JSONResponse({"name": call.repository_name, "tags": shown}, headers=more)


async def _list_tags_by_token(call: DataCall) -> Response:
    size, start = call.count(), _tags_start(call)
    found = await in_thread(_tags_of_images, call, start, size + 1)
    shown, more = found[:size], {}
    if shown and len(found) > size:
        image_id, _, image_tag = shown[-1]
        last = call.ecr.signer.page_token(
            ["tags", call.registry.repository_arn(call.repository_name), image_id, image_tag]
        )
        path = call.path("tags/list", n=str(size), last=last)
        more["Link"] = f'<{call.origin}{path}>; rel="next"'
    return JSONResponse({"name": call.repository_name, "tags": [image_tag for _, _, image_tag in shown]}, headers=more)


def _tags_start(call: DataCall) -> tuple[int, str]:
    """The position that `last` stands for. Raises DistributionError for a `last` that this listing did not give."""
    token = call.query("last")
    if token is None:
        return 0, ""
    try:
        position = call.ecr.signer.read_page_token(token)
    except InvalidTokenError:
        position = None
    match position:
        case ["tags", arn, int(image_id), str(image_tag)] if arn == call.registry.repository_arn(call.repository_name):
            return image_id, image_tag
    raise DistributionError(
        "UNSUPPORTED",
        "Invalid parameter at 'NextToken' failed to satisfy constraint: 'Invalid next token provided'",
        405,
    )


def _tags_of_images(call: DataCall, after: tuple[int, str], limit: int) -> list[tuple[int, str, str | None]]:
    with call.ecr.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        return images.identifiers_page(connection, repository.id, "TAGGED", images.ACTIVE, after, limit)


async def list_repositories(call: DataCall) -> Response:
    size = call.count()
    found = await in_thread(_repository_names, call, call.query("last") or "", size + 1)
    shown, more = found[:size], {}
    if shown and len(found) > size:
        more["Link"] = f'</v2/_catalog?{urlencode({"n": size, "last": shown[-1]})}>; rel="next"'
    return JSONResponse({"repositories": shown}, headers=more)


async def list_referrers(call: DataCall) -> Response:
    """An index of what names the digest as its subject; empty, never missing, when nothing does."""
    if not is_digest(call.reference):
        raise digest_invalid(call.reference)
    artifact_type = call.query("artifactType")
    found, fitting = await in_thread(_referrers, call, artifact_type, _referrers_start(call))
    shown = found[:fitting]
    headers = {"OCI-Filters-Applied": "artifactType"} if artifact_type else {}
    if len(found) > fitting:
        query = {"after": call.ecr.signer.page_token(["referrers", shown[-1].image.id])}
        if artifact_type:
            query["artifactType"] = artifact_type
        headers |= call.next_page(f"referrers/{call.reference}", **query)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [_descriptor(one) for one in shown]}
    return Response(json.dumps(index), headers=headers, media_type=OCI_INDEX)


def _referrers_start(call: DataCall) -> int:
    token = call.query("after")
    if token is None:
        return 0
    try:
        listing, position = call.ecr.signer.read_page_token(token)
    except InvalidTokenError:
        listing, position = "", 0
    if listing != "referrers":
        raise DistributionError("UNSUPPORTED", "'after' is not from this listing", 400)
    return int(position)


def _descriptor(referrer: Referrer) -> dict[str, Any]:
    image = referrer.image
    descriptor: dict[str, Any] = {
        "mediaType": image.media_type,
        "digest": image.digest,
        "size": image.manifest_size,
    }
    if image.artifact_type:
        descriptor["artifactType"] = image.artifact_type
    if referrer.annotations:
        descriptor["annotations"] = dict(referrer.annotations)
    return descriptor


def _tags(call: DataCall, after: str, limit: int) -> list[str]:
    with call.ecr.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        return images.tag_names(connection, repository.id, after, limit)


def _repository_names(call: DataCall, after: str, limit: int) -> list[str]:
    with call.ecr.store.reading() as connection:
        return [found.name for found in repositories.page(connection, call.registry, after, limit)]


def _referrers(call: DataCall, artifact_type: str | None, after: int) -> tuple[list[Referrer], int]:
    """As `fit_page` has them."""
    with call.ecr.store.reading() as connection:
        repository = repositories.find(connection, call.registry, call.repository_name)
        if repository is None and call.ecr.quirks.repositories_come_first:
            raise repository_not_found(call.repository_name, call.registry.account)
        if repository is None:  # "the registry MUST NOT return a 404 Not Found to a referrers API requests"
            return [], 0
        types = [artifact_type] if artifact_type else None
        found = images.referrers(connection, repository.id, call.reference, images.ACTIVE, types, after)
        return fit_page(found, REFERRERS_PAGE)
