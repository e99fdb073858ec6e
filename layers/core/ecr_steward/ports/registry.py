"""Ports to container registries. Each method's docstring names its IAM action and its errors.

Every method may raise ``AccessDeniedError``, ``ThrottledError`` and ``RegistryUnavailableError``. Listings read all
pages. ``failures[]`` in a reply become errors, unless the docstring says otherwise.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from types import MappingProxyType
from typing import Protocol

from ecr_steward.domain.images import Descriptor, RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RegistryRef, RepositoryRef
from ecr_steward.domain.repositories import SETTINGS, Document, Encryption, Part, Repository, TagMutability
from ecr_steward.errors import StewardError


class Registry(Protocol):
    """ECR's control plane, over every registry that the caller may reach."""

    def repositories(self, registry: RegistryRef) -> Iterator[Repository]:
        """List a registry: its repositories with their descriptions. Needs ecr:DescribeRepositories."""
        ...

    def described(self, registry: RegistryRef, names: Sequence[str]) -> Iterator[Repository]:
        """Describe repositories of a registry, many by one call. Needs ecr:DescribeRepositories.

        Raises RepositoryNotFoundError where one of them is not there.
        """
        ...

    def with_registry_scanning(self, registry: RegistryRef, repositories: Sequence[Repository]) -> Iterator[Repository]:
        """Read of repositories what the registry's scanning rules decide for them, many by one call.

        One that is not there is left out. Needs ecr:BatchGetRepositoryScanningConfiguration.
        """
        ...

    def repository(self, of: RepositoryRef | Repository, parts: Set[Part] = SETTINGS) -> Repository:
        """Read these parts of a repository; those of them that are known already are not read again.

        Needs ecr:DescribeRepositories, ecr:GetRepositoryPolicy, ecr:GetLifecyclePolicy, ecr:ListTagsForResource and
        ecr:BatchGetRepositoryScanningConfiguration, each for the part of its name. Raises RepositoryNotFoundError.
        """
        ...

    def resource_tags(self, repository: RepositoryRef) -> Mapping[str, str]:
        """Read the resource tags of a repository. Needs ecr:ListTagsForResource. Raises RepositoryNotFoundError."""
        ...

    def images(self, repository: RepositoryRef) -> RepositoryImages:
        """Read all images of a repository, tagged or not, without the archived ones, which nobody can pull.

        With what people have released of them. Needs ecr:DescribeImages. Raises RepositoryNotFoundError.
        """
        ...

    def children(
        self, repository: RepositoryRef, digests: Iterable[Digest]
    ) -> Mapping[Digest, tuple[Descriptor, ...] | StewardError]:
        """Read what indexes point to, in the order of their documents, verified; many at once.

        A digest that is no index, or is gone, is left out. An index that cannot be read is answered with its error, so
        that one bad index of a repository hides no other. Needs ecr:BatchGetImage. Raises RepositoryNotFoundError.
        """
        ...

    def add_image_tag(self, image: ImageRef, image_tag: ImageTag) -> None:
        """Let an image hold an image tag, whoever held it before; an image that holds it already is a success.

        Needs ecr:BatchGetImage and ecr:PutImage (the same manifest is put again under the tag).
        Raises ImageNotFoundError and ImageTagIsImmutableError.
        """
        ...

    def remove_image_tag(self, image: ImageRef, image_tag: ImageTag) -> None:
        """Take an image tag from exactly this image; a tag that has moved or gone meanwhile is a success.

        Needs ecr:DescribeImages and ecr:BatchDeleteImage. Raises LastImageTagError where the image would lose its last
        tag, since ECR would delete it: read right before the call, as ECR has no condition for it.
        """
        ...

    def delete_image(self, image: ImageRef, image_tags: Set[ImageTag]) -> None:
        """Delete an image with all its image tags; one that is gone meanwhile is a success.

        A tagged image is deleted by its tags, each with the digest: a tag that a push gives it in this moment stays,
        and so does the image. An untagged one is deleted by its digest. Needs ecr:DescribeImages and
        ecr:BatchDeleteImage. Raises ImageTaggedMeanwhileError where it holds another image tag than these before or
        after, was put into the archive, or has lost all its tags to other images in this moment. Raises
        ImageIsListedError where an index lists it; then it keeps the last of its tags.
        """
        ...

    def create_repository(
        self,
        repository: RepositoryRef,
        mutability: TagMutability | None,
        encryption: Encryption | None = None,
        resource_tags: Mapping[str, str] = MappingProxyType({}),
    ) -> bool:
        """Create a repository. One that exists already stays as it is: false.

        Needs ecr:CreateRepository, with resource tags also ecr:TagResource (service authorization reference), and with
        a key of the account kms:CreateGrant and kms:DescribeKey on it ("Encryption at rest", ECR user guide).
        """
        ...

    def set_repository_policy(self, repository: RepositoryRef, document: Document) -> None:
        """Replace the repository policy. Needs ecr:SetRepositoryPolicy. Raises RefusedByRegistryError."""
        ...

    def delete_repository_policy(self, repository: RepositoryRef) -> None:
        """Have no repository policy; none that is there is a success. Needs ecr:DeleteRepositoryPolicy."""
        ...

    def put_lifecycle_policy(self, repository: RepositoryRef, document: Document) -> None:
        """Replace the lifecycle policy. Needs ecr:PutLifecyclePolicy. Raises RefusedByRegistryError."""
        ...

    def delete_lifecycle_policy(self, repository: RepositoryRef) -> None:
        """Have no lifecycle policy; where there is none that is a success. Needs ecr:DeleteLifecyclePolicy."""
        ...

    def put_tag_mutability(self, repository: RepositoryRef, mutability: TagMutability) -> None:
        """Set which image tags may move. Needs ecr:PutImageTagMutability."""
        ...

    def put_scan_on_push(self, repository: RepositoryRef, scan_on_push: bool) -> None:
        """Switch basic scanning on push on or off. Needs ecr:PutImageScanningConfiguration."""
        ...

    def add_resource_tags(self, repository: RepositoryRef, resource_tags: Mapping[str, str]) -> None:
        """Set these resource tags, leaving others. Needs ecr:TagResource."""
        ...
