"""The images of a repository, with all that lifecycle rules go by: from ECR, or from what ``aws`` has printed."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import batched, groupby
from pathlib import Path
from typing import Any, Final

from ecr_steward.domain.images import INDEX_MEDIA_TYPES
from ecr_steward.domain.lifecycle.policy import StorageClass
from ecr_steward.domain.lifecycle.simulation import StoredImage
from ecr_steward.domain.names import Digest, image_tag
from ecr_steward.errors import InvalidNameError

_PAGE_SIZE: Final = 1000
_BATCH_SIZE: Final = 100  # the most images that BatchGetImage takes


class UnreadableImagesError(Exception):
    """A file that ``aws ecr describe-images`` did not print. Says what is wrong, and where."""


@dataclass(frozen=True)
class StoredRepository:
    """A repository and its images, archived ones too."""

    name: str
    account: str
    """Empty where it is not known."""
    images: tuple[StoredImage, ...]
    sizes: Mapping[Digest, int] = field(default_factory=dict)
    unread_indexes: frozenset[Digest] = frozenset()
    """Indexes of which it is not known what they list."""


def read_images_file(path: Path) -> list[StoredRepository]:
    """The repositories of a file. Raises OSError and UnreadableImagesError.

    What indexes list is not in such a file.
    """
    text = path.read_text(encoding="utf-8")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as cause:
        raise UnreadableImagesError(f"{path} is not JSON: {cause}") from cause
    details = document.get("imageDetails") if isinstance(document, Mapping) else document
    if not isinstance(details, Sequence) or isinstance(details, str):
        raise UnreadableImagesError(
            f"{path} has no imageDetails: write it with `aws ecr describe-images --output json`"
        )
    return [_stored(name, each) for name, each in _by_repository(details, path)]


def read_repository(client: Any, name: str, account: str | None = None) -> StoredRepository:
    """A repository of ECR. Needs ecr:DescribeImages, and ecr:BatchGetImage where there are indexes.

    Reading what an index lists counts as a pull of the index, unless the caller is excluded from pull times. Raises
    botocore's errors.
    """
    key = {"repositoryName": name, **({"registryId": account} if account else {})}
    pages = client.get_paginator("describe_images").paginate(
        **key, filter={"imageStatus": "ANY"}, PaginationConfig={"PageSize": _PAGE_SIZE}
    )
    details = [detail for page in pages for detail in page["imageDetails"]]
    stored = _stored(name, details)
    children = _children(client, key, stored)
    images = tuple(replace(image, children=children.get(image.digest, frozenset())) for image in stored.images)
    unread = stored.unread_indexes - children.keys()
    return replace(stored, account=stored.account or account or "", images=images, unread_indexes=unread)


def _children(client: Any, key: Mapping[str, str], stored: StoredRepository) -> dict[Digest, frozenset[Digest]]:
    """What indexes list; nothing is answered of those in the archive, which nobody can read."""
    found: dict[Digest, frozenset[Digest]] = {}
    readable = sorted(image.digest for image in stored.images if image.digest in stored.unread_indexes)
    for some in batched(readable, _BATCH_SIZE, strict=False):
        answer = client.batch_get_image(
            **key,
            imageIds=[{"imageDigest": digest.value} for digest in some],
            acceptedMediaTypes=sorted(INDEX_MEDIA_TYPES),
        )
        for image in answer.get("images", []):
            listed = json.loads(image["imageManifest"]).get("manifests", [])
            found[Digest(image["imageId"]["imageDigest"])] = frozenset(Digest(each["digest"]) for each in listed)
    return found


def _by_repository(details: Sequence[Any], path: Path) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
    for number, detail in enumerate(details):
        if not isinstance(detail, Mapping) or not isinstance(detail.get("imageDigest"), str):
            raise UnreadableImagesError(f"{path}: imageDetails[{number}] has no imageDigest")

    def repository(detail: Mapping[str, Any]) -> str:
        return str(detail.get("repositoryName", ""))

    for name, each in groupby(sorted(details, key=repository), key=repository):
        yield name, list(each)


def _stored(name: str, details: Iterable[Mapping[str, Any]]) -> StoredRepository:
    details = list(details)
    images = tuple(map(_image, details))
    account = next((str(detail["registryId"]) for detail in details if "registryId" in detail), "")
    sizes = {
        Digest(each["imageDigest"]): int(each["imageSizeInBytes"]) for each in details if "imageSizeInBytes" in each
    }
    indexes = {
        Digest(each["imageDigest"]) for each in details if each.get("imageManifestMediaType") in INDEX_MEDIA_TYPES
    }
    return StoredRepository(name, account, images, sizes, frozenset(indexes))


def _image(detail: Mapping[str, Any]) -> StoredImage:
    try:
        status = detail.get("imageStatus", "ACTIVE")
        subject = detail.get("subjectManifestDigest")
        return StoredImage(
            digest=Digest(detail["imageDigest"]),
            pushed_at=_required(detail, "imagePushedAt"),
            image_tags=frozenset(map(image_tag, detail.get("imageTags") or ())),
            last_pulled_at=_moment(detail, "lastRecordedPullTime"),
            storage_class=StorageClass.STANDARD if status == "ACTIVE" else StorageClass.ARCHIVE,
            archived_at=_moment(detail, "lastArchivedAt"),
            restored_at=_moment(detail, "lastActivatedAt"),
            is_being_restored=status == "ACTIVATING",
            subject=Digest(subject) if subject else None,
        )
    except InvalidNameError as cause:
        raise UnreadableImagesError(f"the image {detail['imageDigest']}: {cause}") from cause


def _required(detail: Mapping[str, Any], key: str) -> datetime:
    moment = _moment(detail, key)
    if moment is None:
        raise UnreadableImagesError(f"the image {detail['imageDigest']} has no {key}")
    return moment


def _moment(detail: Mapping[str, Any], key: str) -> datetime | None:
    """A moment as boto3 has it, or as version 1 or 2 of the AWS CLI prints it."""
    value = detail.get(key)
    try:
        match value:
            case None:
                return None
            case datetime():
                return value.astimezone(UTC)
            case int() | float():
                return datetime.fromtimestamp(value, UTC)
            case str():
                moment = datetime.fromisoformat(value)
                return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as cause:
        raise UnreadableImagesError(f"the image {detail['imageDigest']}: {key} is no time: {value}") from cause
    raise UnreadableImagesError(f"the image {detail['imageDigest']}: {key} is no time: {value}")
