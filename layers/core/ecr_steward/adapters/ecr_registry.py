"""The ``Registry`` port over Amazon ECR's API."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from datetime import UTC, datetime
from itertools import batched
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, NotRequired, TypedDict

from botocore.exceptions import ClientError

from ecr_steward.adapters.attachments import Attachments
from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.manifests import digest_of, parse_manifest
from ecr_steward.adapters.paging import all_pages
from ecr_steward.adapters.repository_parts import (
    SCANNING_BATCH_SIZE,
    RepositoryKey,
    described,
    encryption_request,
    read_parts,
    read_registry_scanning,
    read_resource_tags,
    repository_arn,
)
from ecr_steward.adapters.translation import code_of, refusal, translated
from ecr_steward.domain.images import MANIFEST_MEDIA_TYPES, Descriptor, Image, Manifest, RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.policies.text import policy_text
from ecr_steward.domain.repositories import (
    SETTINGS,
    Document,
    Encryption,
    Mutability,
    Part,
    Repository,
    TagMutability,
)
from ecr_steward.errors import (
    DigestMismatchError,
    ImageNotFoundError,
    ImageTaggedMeanwhileError,
    ImageTagIsImmutableError,
    InvalidManifestError,
    LastImageTagError,
    StewardError,
)
from ecr_steward.ports.releases import Releases

if TYPE_CHECKING:
    from mypy_boto3_ecr.client import ECRClient
    from mypy_boto3_ecr.type_defs import (
        ImageDetailTypeDef,
        ImageFailureTypeDef,
        ImageIdentifierTypeDef,
        ImageTagMutabilityExclusionFilterTypeDef,
        ImageTypeDef,
    )

PAGE_SIZE = 1000  # the largest that ECR takes (ListImages API reference)
BATCH_SIZE = 100  # the most images that one call takes (BatchGetImage and BatchDeleteImage API reference)
_NOTHING_TO_TAKE_AWAY = frozenset({"ImageTagDoesNotMatchDigest", "ImageNotFound"})
"""Codes of BatchDeleteImage: the image tag has moved or gone meanwhile, or the image has."""


class _MutabilityRequest(TypedDict):
    imageTagMutability: Literal["MUTABLE", "IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION", "MUTABLE_WITH_EXCLUSION"]
    imageTagMutabilityExclusionFilters: "NotRequired[list[ImageTagMutabilityExclusionFilterTypeDef]]"


class EcrRegistry:
    """A ``Registry`` over every account that is connected; each is spoken to as ``AwsClients.ecr`` says."""

    def __init__(self, clients: AwsClients, releases: Releases | None = None) -> None:
        """Without ``releases``, images are told as if nobody had released any."""
        self._clients = clients
        self._releases = releases
        self._attachments = Attachments(self._manifests)

    def repositories(self, registry: RegistryRef) -> Iterator[Repository]:
        with translated("ecr:DescribeRepositories", registry):
            pages = all_pages(
                self._clients.ecr(registry),
                "describe_repositories",
                "repositories",
                page_size=PAGE_SIZE,
                registryId=registry.account,
            )
            for entry in pages:
                yield described(Repository.unread(RepositoryRef(registry, entry["repositoryName"])), entry)

    def described(self, registry: RegistryRef, names: Sequence[str]) -> Iterator[Repository]:
        client = self._clients.ecr(registry)
        for some in batched(names, BATCH_SIZE, strict=False):
            with translated("ecr:DescribeRepositories", registry):
                answer = client.describe_repositories(registryId=registry.account, repositoryNames=list(some))
            for entry in answer["repositories"]:
                yield described(Repository.unread(RepositoryRef(registry, entry["repositoryName"])), entry)

    def with_registry_scanning(self, registry: RegistryRef, repositories: Sequence[Repository]) -> Iterator[Repository]:
        client = self._clients.ecr(registry)
        for some in batched(repositories, SCANNING_BATCH_SIZE, strict=False):
            decided = read_registry_scanning(client, registry, [each.ref.name for each in some])
            for each in some:
                if each.ref.name in decided:
                    yield each.scanned_as(decided[each.ref.name])

    def repository(self, of: RepositoryRef | Repository, parts: Set[Part] = SETTINGS) -> Repository:
        repository = of if isinstance(of, Repository) else Repository.unread(of)
        client, key = self._address(repository.ref)
        return read_parts(client, key, repository, parts)

    def resource_tags(self, repository: RepositoryRef) -> Mapping[str, str]:
        client, _ = self._address(repository)
        return read_resource_tags(client, repository)

    def images(self, repository: RepositoryRef) -> RepositoryImages:
        client, key = self._address(repository)
        with translated("ecr:DescribeImages", repository):
            pages = all_pages(
                client,
                "describe_images",
                "imageDetails",
                page_size=PAGE_SIZE,
                filter={"imageStatus": "ANY"},  # else archived images are left out
                **key,
            )
            images: list[Image] = []
            archived: list[Digest] = []
            for detail in pages:
                if _is_active(detail):
                    images.append(_image(repository, detail))
                else:
                    archived.append(Digest(detail["imageDigest"]))
        released = self._released(repository) if images else ()
        return self._attachments.marked(RepositoryImages.of(repository, images, released, archived))

    def _released(self, repository: RepositoryRef) -> list[tuple[Digest, ImageTag | None]]:
        given = self._releases.of(repository) if self._releases else ()
        return [(release.image.digest, release.image_tag) for release in given]

    def children(
        self, repository: RepositoryRef, digests: Iterable[Digest]
    ) -> Mapping[Digest, tuple[Descriptor, ...] | StewardError]:
        return {
            digest: read.children if isinstance(read, Manifest) else read
            for digest, read in self._manifests(repository, digests)
            if not isinstance(read, Manifest) or read.is_index
        }

    def _manifests(
        self, repository: RepositoryRef, digests: Iterable[Digest]
    ) -> Iterator[tuple[Digest, Manifest | StewardError]]:
        """Read manifests, verified, many by one call; one that cannot be read with its error, one that is gone not."""
        for some in batched(sorted(set(digests)), BATCH_SIZE, strict=False):
            images, failures = self._batch(repository, [{"imageDigest": digest.value} for digest in some])
            for failure in failures:
                if (error := _failure(repository, failure)) is None:
                    continue
                failed = failure.get("imageId", {}).get("imageDigest")
                if failed is None:
                    raise error
                yield Digest(failed), error
            for image in images:
                digest = Digest(image["imageId"]["imageDigest"])
                try:
                    yield digest, _read(repository, digest, image)
                except (InvalidManifestError, DigestMismatchError) as error:
                    yield digest, error

    def add_image_tag(self, image: ImageRef, image_tag: ImageTag) -> None:
        client, key = self._address(image.repository)
        content, media_type = self._manifest(image)
        with translated("ecr:PutImage", f"{image} as {image_tag}"):
            try:
                client.put_image(
                    imageManifest=content,
                    imageDigest=image.digest.value,
                    imageTag=image_tag,
                    **({"imageManifestMediaType": media_type} if media_type else {}),
                    **key,
                )
            except ClientError as cause:
                if code_of(cause) != "ImageAlreadyExistsException":
                    raise
                # ECR means "this image holds this tag already". moto means that, and "the tag is immutable" too.
                holder = self._stored(image.repository, {"imageTag": image_tag})
                if holder is None or holder["imageId"]["imageDigest"] != image.digest.value:
                    raise ImageTagIsImmutableError(f"{image.repository}: {image_tag} cannot move") from cause

    def remove_image_tag(self, image: ImageRef, image_tag: ImageTag) -> None:
        client, key = self._address(image.repository)
        resource = f"{image} as {image_tag}"
        held = self._tags_of(image) or frozenset()
        if held == {image_tag}:
            raise LastImageTagError(f"{image_tag} has become the last image tag of {image}")
        if image_tag not in held:
            return
        with translated("ecr:BatchDeleteImage", resource):
            identifier: ImageIdentifierTypeDef = {"imageDigest": image.digest.value, "imageTag": image_tag}
            answer = client.batch_delete_image(imageIds=[identifier], **key)
        for failure in answer.get("failures", []):
            if failure["failureCode"] not in _NOTHING_TO_TAKE_AWAY:
                raise refusal("ecr:BatchDeleteImage", resource, failure["failureCode"], failure["failureReason"])

    def delete_image(self, image: ImageRef, image_tags: Set[ImageTag]) -> None:
        client, key = self._address(image.repository)
        if (held := self._tags_of(image)) is None:
            return
        if others := held - image_tags:
            raise ImageTaggedMeanwhileError(f"{image} holds another image tag now: {', '.join(sorted(others))}")
        digest = image.digest.value
        # By its tags: a digest would also delete the tag of a push that ECR takes between the two calls.
        wanted: list[ImageIdentifierTypeDef] = [{"imageDigest": digest, "imageTag": tag} for tag in sorted(held)]
        wanted = wanted or [{"imageDigest": digest}]
        for identifiers in batched(wanted, BATCH_SIZE, strict=False):
            with translated("ecr:BatchDeleteImage", image):
                answer = client.batch_delete_image(imageIds=list(identifiers), **key)
            for failure in answer.get("failures", []):
                if failure["failureCode"] not in _NOTHING_TO_TAKE_AWAY:
                    raise refusal("ecr:BatchDeleteImage", image, failure["failureCode"], failure["failureReason"])
        if held and (left := self._tags_of(image)) is not None:
            now = f"holds {', '.join(sorted(left))} now" if left else "has lost its image tags to other images"
            raise ImageTaggedMeanwhileError(f"{image} {now}")

    def create_repository(
        self,
        repository: RepositoryRef,
        mutability: TagMutability | None,
        encryption: Encryption | None = None,
        resource_tags: Mapping[str, str] = MappingProxyType({}),
    ) -> bool:
        client, key = self._address(repository)
        with translated("ecr:CreateRepository", repository):
            try:
                client.create_repository(
                    **_mutability_request(mutability or TagMutability(Mutability.MUTABLE)),
                    **encryption_request(encryption),
                    tags=[{"Key": name, "Value": value} for name, value in sorted(resource_tags.items())],
                    **key,
                )
            except ClientError as cause:
                if code_of(cause) != "RepositoryAlreadyExistsException":
                    raise
                return False
        return True

    def set_repository_policy(self, repository: RepositoryRef, document: Document) -> None:
        client, key = self._address(repository)
        with translated("ecr:SetRepositoryPolicy", repository):
            client.set_repository_policy(policyText=policy_text(document), **key)

    def delete_repository_policy(self, repository: RepositoryRef) -> None:
        client, key = self._address(repository)
        with translated("ecr:DeleteRepositoryPolicy", repository):
            try:
                client.delete_repository_policy(**key)
            except ClientError as cause:
                if code_of(cause) != "RepositoryPolicyNotFoundException":
                    raise

    def put_lifecycle_policy(self, repository: RepositoryRef, document: Document) -> None:
        client, key = self._address(repository)
        with translated("ecr:PutLifecyclePolicy", repository):
            client.put_lifecycle_policy(lifecyclePolicyText=json.dumps(document), **key)

    def delete_lifecycle_policy(self, repository: RepositoryRef) -> None:
        client, key = self._address(repository)
        with translated("ecr:DeleteLifecyclePolicy", repository):
            try:
                client.delete_lifecycle_policy(**key)
            except ClientError as cause:
                if code_of(cause) != "LifecyclePolicyNotFoundException":
                    raise

    def put_tag_mutability(self, repository: RepositoryRef, mutability: TagMutability) -> None:
        client, key = self._address(repository)
        with translated("ecr:PutImageTagMutability", repository):
            client.put_image_tag_mutability(**_mutability_request(mutability), **key)

    def put_scan_on_push(self, repository: RepositoryRef, scan_on_push: bool) -> None:
        client, key = self._address(repository)
        with translated("ecr:PutImageScanningConfiguration", repository):
            client.put_image_scanning_configuration(imageScanningConfiguration={"scanOnPush": scan_on_push}, **key)

    def add_resource_tags(self, repository: RepositoryRef, resource_tags: Mapping[str, str]) -> None:
        client, _ = self._address(repository)
        with translated("ecr:TagResource", repository):
            client.tag_resource(
                resourceArn=repository_arn(client, repository),
                tags=[{"Key": name, "Value": value} for name, value in resource_tags.items()],
            )

    def _tags_of(self, image: ImageRef) -> frozenset[ImageTag] | None:
        """The image tags of an image; ``None`` where it is gone. Raises ImageTaggedMeanwhileError for the archive."""
        client, key = self._address(image.repository)
        with translated("ecr:DescribeImages", image):
            try:
                answer = client.describe_images(imageIds=[{"imageDigest": image.digest.value}], **key)
            except ClientError as cause:
                if code_of(cause) == "ImageNotFoundException":
                    return None
                raise
        details = answer["imageDetails"]
        if not all(map(_is_active, details)):
            raise ImageTaggedMeanwhileError(f"{image} was archived")
        return frozenset(image_tag(text) for each in details for text in each.get("imageTags", [])) if details else None

    def _address(self, repository: RepositoryRef) -> "tuple[ECRClient, RepositoryKey]":
        """The client for a repository, and the two parameters that name it in every call."""
        key: RepositoryKey = {"registryId": repository.registry.account, "repositoryName": repository.name}
        return self._clients.ecr(repository.registry), key

    def _manifest(self, image: ImageRef) -> tuple[str, str | None]:
        """The manifest of an image and its media type, verified."""
        stored = self._stored(image.repository, {"imageDigest": image.digest.value})
        if stored is None:
            raise ImageNotFoundError(f"there is no image {image}")
        return _verified(image.repository, image.digest, stored), stored.get("imageManifestMediaType")

    def _stored(self, repository: RepositoryRef, identifier: "ImageIdentifierTypeDef") -> "ImageTypeDef | None":
        images, failures = self._batch(repository, [identifier])
        for failure in failures:
            if error := _failure(repository, failure):
                raise error
        return next(iter(images), None)

    def _batch(
        self, repository: RepositoryRef, identifiers: "list[ImageIdentifierTypeDef]"
    ) -> "tuple[list[ImageTypeDef], list[ImageFailureTypeDef]]":
        client, key = self._address(repository)
        with translated("ecr:BatchGetImage", repository):
            # With all media types accepted, ECR never converts a manifest, which would change its digest.
            answer = client.batch_get_image(imageIds=identifiers, acceptedMediaTypes=list(MANIFEST_MEDIA_TYPES), **key)
        return answer.get("images", []), answer.get("failures", [])


def _failure(repository: RepositoryRef, failure: "ImageFailureTypeDef") -> StewardError | None:
    """The error of one entry of ``failures[]``; ``None`` for an image that is not there."""
    if failure["failureCode"] == "ImageNotFound":
        return None
    return refusal("ecr:BatchGetImage", repository, failure["failureCode"], failure.get("failureReason", ""))


def _read(repository: RepositoryRef, digest: Digest, image: "ImageTypeDef") -> Manifest:
    content = _verified(repository, digest, image)
    return parse_manifest(content.encode(), image.get("imageManifestMediaType"), digest.algorithm)


def _verified(repository: RepositoryRef, digest: Digest, image: "ImageTypeDef") -> str:
    """The text of a manifest that ECR answered with, if it is the one of this digest."""
    content = image["imageManifest"]
    received = digest_of(content.encode(), digest.algorithm)
    if received != digest:
        raise DigestMismatchError(f"{repository} answered {received} when asked for {digest}")
    return content


def _image(repository: RepositoryRef, detail: "ImageDetailTypeDef") -> Image:
    subject = detail.get("subjectManifestDigest")
    return Image(
        ImageRef(repository, Digest(detail["imageDigest"])),
        image_tags=frozenset(image_tag(text) for text in detail.get("imageTags", [])),
        subject=Digest(subject) if subject else None,
        media_type=detail.get("imageManifestMediaType"),
        artifact_media_type=detail.get("artifactMediaType"),
        size=detail.get("imageSizeInBytes"),
        pushed_at=_utc(detail.get("lastActivatedAt", detail.get("imagePushedAt"))),
        last_pulled_at=_utc(detail.get("lastRecordedPullTime")),
    )


def _is_active(detail: "ImageDetailTypeDef") -> bool:
    """Whether an image is neither archived nor still on its way back."""
    return detail.get("imageStatus", "ACTIVE") == "ACTIVE"


def _utc(time: datetime | None) -> datetime | None:
    """A time as botocore reads it, which is in the zone of the machine."""
    return time.astimezone(UTC) if time else None


def _mutability_request(mutability: TagMutability) -> "_MutabilityRequest":
    request: _MutabilityRequest = {"imageTagMutability": Mutability(mutability.mode).value}
    if mutability.exclusions:
        request["imageTagMutabilityExclusionFilters"] = [
            {"filterType": "WILDCARD", "filter": exclusion} for exclusion in sorted(mutability.exclusions)
        ]
    return request
