"""Where images are kept, be it a repository of any registry or a folder: what the copier needs of one.

Every method may raise ``AccessDeniedError``, ``ThrottledError`` and ``RegistryUnavailableError``.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol, Self

from ecr_steward.domain.deadline import NEVER, Deadline
from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageTag, OtherRepository, RepositoryRef


class ManifestSource(Protocol):
    """What an image's graph is read from."""

    def manifest(self, reference: Digest | ImageTag) -> Manifest:
        """Read a manifest or index; by digest it is verified, by image tag its bytes say what the digest is.

        On ECR this needs ecr:BatchGetImage. Raises ImageNotFoundError, RepositoryNotFoundError, DigestMismatchError and
        InvalidManifestError.
        """
        ...

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        """What refers to an image, each with its artifact type. On ECR this needs ecr:BatchGetImage."""
        ...


class ImageStore(ManifestSource, Protocol):
    """One repository of a registry, or an OCI layout. Every method may be called from several threads."""

    @property
    def is_believed(self) -> bool:
        """Whether what it says it has taken is there, so that nobody needs to look."""
        ...

    def image_tags(self) -> Iterator[ImageTag]:
        """All image tags. On ECR this needs ecr:ListImages. Raises RepositoryNotFoundError."""
        ...

    def digest_of(self, reference: Digest | ImageTag) -> Digest | None:
        """What is there under a reference, as the store says without showing it; ``None`` where there is nothing.

        On ECR this needs ecr:BatchGetImage.
        """
        ...

    def has_blob(self, digest: Digest) -> bool:
        """Whether a blob is there; false where there is no repository.

        On ECR this needs ecr:BatchCheckLayerAvailability.
        """
        ...

    def known_blobs(self, digests: Sequence[Digest]) -> Mapping[Digest, bool]:
        """Whether blobs are there, of as many as the store can tell by few calls; of the others ``has_blob`` does.

        On ECR this needs ecr:BatchCheckLayerAvailability.
        """
        ...

    def read_blob(self, blob: Descriptor) -> AbstractContextManager[Iterable[bytes]]:
        """A blob as it arrives, not verified: whoever writes it does that. Raises ImageNotFoundError.

        On ECR this needs ecr:GetDownloadUrlForLayer.
        """
        ...

    def write_blob(
        self, blob: Descriptor, source: "ImageStore", read: Callable[[], AbstractContextManager[Iterable[bytes]]]
    ) -> bool:
        """Have a blob that ``source`` holds, verified on the way; false where it need not be read at all.

        After any error nothing of it is there. On ECR this needs ecr:InitiateLayerUpload, ecr:UploadLayerPart and
        ecr:CompleteLayerUpload. Raises DigestMismatchError and RepositoryNotFoundError.
        """
        ...

    def put_manifest(self, manifest: Manifest, image_tag: ImageTag | None, *, is_top: bool = False) -> None:
        """Put a manifest or index byte for byte, under an image tag or by its digest alone.

        ``is_top`` says that it is what was asked for, and no part of that: some stores list only those. A store that
        cannot find referrers by itself lists those that are put.

        On ECR this needs ecr:PutImage.
        """
        ...


class ImageContent(Protocol):
    """The data plane of registries, ECR's and others that rules copy to: manifests, blobs, referrers, over ``/v2/``."""

    def for_job(self, deadline: Deadline = NEVER) -> Self:
        """The same for one job: what others have tried in vain is not held against it.

        Nothing is asked for or waited for that would end after the deadline; what is met then is an OutOfTimeError.
        """
        ...

    def store(self, repository: RepositoryRef) -> ImageStore:
        """A repository of ECR as a store, whether it is there or not.

        Needs ecr:GetAuthorizationToken. Raises AccessDeniedError.
        """
        ...

    def elsewhere(self, repository: OtherRepository) -> ImageStore:
        """A repository of another registry as a store, likewise.

        Needs secretsmanager:GetSecretValue, where the registry wants a login. Raises RegistryNotAllowedError.
        """
        ...

    def labels(self, repository: RepositoryRef, config: Descriptor) -> Mapping[str, str]:
        """Read the labels of an image from its config, verified.

        Needs ecr:GetDownloadUrlForLayer. Raises ImageNotFoundError where there is no such config, DigestMismatchError,
        and InvalidImageConfigError for one that is too large or that two readers could understand differently.
        """
        ...
