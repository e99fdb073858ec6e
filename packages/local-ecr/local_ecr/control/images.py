"""Images, read and written through the API."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from typing import Any

from local_ecr.control.call import Call, Handler
from local_ecr.errors import EcrError, image_not_found, invalid_parameter
from local_ecr.images.conversion import convert_manifest
from local_ecr.images.manifest import InvalidManifestError, read_manifest
from local_ecr.images.pulls import record_pulls
from local_ecr.images.push import push_image, require_new
from local_ecr.images.referrers import fit_page
from local_ecr.images.selection import (
    DIGEST_FORM,
    IMAGE_TAG_FORM,
    ImageFailureError,
    ImageId,
    not_found,
    require_active,
    select_image,
)
from local_ecr.names import is_image_tag
from local_ecr.state import images, repositories
from local_ecr.state.images import Image, Referrer
from local_ecr.state.repositories import Repository

REFERRERS_PAGE = 20


def put_image(call: Call) -> Mapping[str, Any]:
    image_tag, digest = call.input.get("imageTag"), call.input.get("imageDigest")
    if digest is not None and not re.fullmatch(DIGEST_FORM, digest):
        raise _not_of_form("imageDigest", DIGEST_FORM)
    if image_tag is not None and not re.fullmatch(IMAGE_TAG_FORM, image_tag):
        raise _not_of_form("imageTag", IMAGE_TAG_FORM)
    if image_tag is not None and not is_image_tag(image_tag):  # no client could pull it
        raise _not_of_form("imageTag", "[a-zA-Z0-9_][a-zA-Z0-9._-]*")
    try:
        manifest = read_manifest(call.input["imageManifest"].encode(), call.input.get("imageManifestMediaType"))
    except InvalidManifestError as cause:
        raise invalid_parameter("ImageManifest", str(cause)) from cause
    if call.ecr.quirks.media_type_parameters_refused and manifest.has_media_type_parameters:
        raise invalid_parameter("ImageManifest", "a media type with parameters")
    with call.store.changing() as change:
        repository = repositories.get(change.connection, call.registry, call.repository_name)
        pushed = push_image(change, repository, manifest, digest=digest, image_tag=image_tag, now=call.now())
        image = require_new(pushed, repository, image_tag)
    return {"image": _image(call, ImageId(image.digest, image_tag), image.media_type, manifest.body)}


def batch_get_image(call: Call) -> Mapping[str, Any]:
    found, failures, pulled = [], [], []
    with call.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        for wanted in dict.fromkeys(call.image_ids):
            try:
                image = require_active(select_image(connection, repository.id, wanted))
                found.append(_accepted_image(call, image, wanted, images.manifest_of(connection, image)))
            except ImageFailureError as failure:
                failures.append(failure_entry(wanted, failure))
            else:
                pulled.append(image)
    record_pulls(call.store, call.registry, call.principal, pulled, call.now())
    return {"images": found, "failures": failures}


def describe_images(call: Call) -> Mapping[str, Any]:
    """A listing has active images only, unless it asks for others; an image that is named is described as it is."""
    wanted = call.input.get("filter", {})
    call.require_unpaged("imageIds")
    with call.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        if "imageIds" in call.input:
            selected = {one.id: one for one in (find_image(call, connection, repository, i) for i in call.image_ids)}
            return {"imageDetails": [_detail(call, connection, image) for image in selected.values()]}
        found = images.page(
            connection,
            repository.id,
            wanted.get("tagStatus", "ANY"),
            wanted.get("imageStatus", images.ACTIVE),
            call.page_start(0),
            call.page_size + 1,
        )
        shown, next_token = call.page(found, lambda image: image.id)
        details = [_detail(call, connection, image) for image in shown]
    return {"imageDetails": details, "nextToken": next_token}


def list_images(call: Call) -> Mapping[str, Any]:
    wanted = call.input.get("filter", {})
    with call.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        found = images.identifiers_page(
            connection,
            repository.id,
            wanted.get("tagStatus", "ANY"),
            wanted.get("imageStatus", images.ACTIVE),
            tuple(call.page_start((0, ""))),
            call.page_size + 1,
        )
    shown, next_token = call.page(found, lambda row: (row[0], row[2] or ""))
    return {
        "imageIds": [ImageId(digest, image_tag).as_json() for _, digest, image_tag in shown],
        "nextToken": next_token,
    }


def list_image_referrers(call: Call) -> Mapping[str, Any]:
    subject = call.input["subjectId"]["imageDigest"]
    if not re.fullmatch(DIGEST_FORM, subject):
        raise _not_of_form("subjectId.imageDigest", DIGEST_FORM)
    wanted = call.input.get("filter", {})
    artifact_types = wanted.get("artifactTypes")
    size = call.input.get("maxResults", REFERRERS_PAGE)
    with call.store.reading() as connection:
        repository = repositories.get(connection, call.registry, call.repository_name)
        found = images.referrers(
            connection,
            repository.id,
            subject,
            wanted.get("artifactStatus", images.ACTIVE),
            artifact_types or None,
            call.page_start(0),
        )
        page, fitting = fit_page(found, size)
    shown, next_token = call.page(page, lambda referrer: referrer.image.id, fitting)
    return {"referrers": [_referrer(one) for one in shown], "nextToken": next_token}


def failure_entry(wanted: ImageId, failure: ImageFailureError) -> dict[str, Any]:
    return {"imageId": wanted.as_json(), "failureCode": failure.code, "failureReason": failure.reason}


def find_image(call: Call, connection: sqlite3.Connection, repository: Repository, wanted: ImageId) -> Image:
    """The image that is meant. Raises EcrError ImageNotFoundException or InvalidParameterException."""
    try:
        return select_image(connection, repository.id, wanted)
    except ImageFailureError as failure:
        if failure.code in {"ImageNotFound", "ImageTagDoesNotMatchDigest"}:
            raise image_not_found(repository.name, call.registry.account, wanted.digest, wanted.image_tag) from failure
        if failure.code == "InvalidImageDigest":
            raise _not_of_form("imageDigest", DIGEST_FORM) from failure
        if failure.code == "InvalidImageTag":
            raise _not_of_form("imageTag", IMAGE_TAG_FORM) from failure
        member = "imageIds" if "imageIds" in call.input else "imageId"
        raise invalid_parameter(member, failure.reason) from failure


def find_asked_image(call: Call, connection: sqlite3.Connection, wanted: ImageId) -> Image:
    """The same in the repository that the call names. Raises EcrError RepositoryNotFoundException, too."""
    return find_image(call, connection, repositories.get(connection, call.registry, call.repository_name), wanted)


def _not_of_form(member: str, form: str) -> EcrError:
    return invalid_parameter(member, f"must satisfy regular expression '{form}'")


def _accepted_image(call: Call, image: Image, wanted: ImageId, body: bytes) -> dict[str, Any]:
    """An image in a media type that the caller accepts: by its tag alone it is converted, as in a pull by tag.

    By its digest it comes as it is, whatever is accepted: github.com/aws/containers-roadmap/issues/1075.
    Raises ImageFailureError: by tag it cannot be told so. What ECR does then is not known.
    """
    accepted = call.input.get("acceptedMediaTypes", [image.media_type])
    if image.media_type in accepted or wanted.digest is not None:
        return _image(call, ImageId(image.digest, wanted.image_tag), image.media_type, body)
    converts = call.ecr.quirks.manifests_converted_by_tag
    converted = convert_manifest(body, image.media_type, accepted) if converts else None
    if converted is None:
        raise not_found()
    return _image(call, ImageId(converted.digest, wanted.image_tag), converted.media_type, converted.body)


def _image(call: Call, named: ImageId, media_type: str, body: bytes) -> dict[str, Any]:
    return call.in_repository(imageId=named.as_json(), imageManifest=body.decode(), imageManifestMediaType=media_type)


def _detail(call: Call, connection: sqlite3.Connection, image: Image) -> dict[str, Any]:
    return call.in_repository(
        imageDigest=image.digest,
        imageTags=images.tags_of(connection, image) or None,
        imageSizeInBytes=image.size,
        imagePushedAt=image.pushed_at,
        imageManifestMediaType=image.media_type,
        artifactMediaType=image.artifact_media_type,
        subjectManifestDigest=image.subject,
        lastRecordedPullTime=image.last_pulled_at,
        imageStatus=image.status,
        lastArchivedAt=image.archived_at,
        lastActivatedAt=image.activated_at,
    )


def _referrer(referrer: Referrer) -> dict[str, Any]:
    image = referrer.image
    return {
        "digest": image.digest,
        "mediaType": image.media_type,
        "artifactType": image.artifact_type,
        "size": image.manifest_size,
        "annotations": referrer.annotations or None,
        "artifactStatus": image.status,
    }


OPERATIONS: dict[str, Handler] = {
    "PutImage": put_image,
    "BatchGetImage": batch_get_image,
    "DescribeImages": describe_images,
    "ListImages": list_images,
    "ListImageReferrers": list_image_referrers,
}
