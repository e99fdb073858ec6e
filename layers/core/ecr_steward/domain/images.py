"""What a registry holds, as facts read at one moment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RepositoryRef
from ecr_steward.errors import InvalidManifestError

MANIFEST_LIMIT = 4 * 1024 * 1024
"""Bytes in a manifest that ECR takes (``imageManifest`` in the PutImage API reference)."""

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_STAYS_ELSEWHERE = ("application/vnd.docker.image.rootfs.foreign.", "application/vnd.oci.image.layer.nondistributable.")
"""Media types whose bytes a registry does not hold: their licence keeps them at their own address."""

INDEX_MEDIA_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFEST_MEDIA_TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST)


@dataclass(frozen=True)
class Image:
    """One entry of a repository: an image, an index or a referrer, and the image tags it holds now."""

    ref: ImageRef
    image_tags: frozenset[ImageTag] = frozenset()
    media_type: str = OCI_MANIFEST
    subject: Digest | None = None
    """What this is a referrer of: the digest of a signed or described image."""

    @property
    def digest(self) -> Digest:
        return self.ref.digest

    @property
    def is_referrer(self) -> bool:
        return self.subject is not None


@dataclass(frozen=True)
class RepositoryImages:
    """The tagged images of one repository at one moment."""

    repository: RepositoryRef
    holders: Mapping[ImageTag, Digest]
    """Which image holds each image tag."""

    def tags_of(self, digest: Digest) -> frozenset[ImageTag]:
        """The image tags that this image holds."""
        return frozenset(tag for tag, holder in self.holders.items() if holder == digest)


@dataclass(frozen=True)
class Descriptor:
    """A pointer to content: what it is, how large, and its digest."""

    media_type: str
    digest: Digest
    size: int

    def __post_init__(self) -> None:
        if self.size < 0:
            raise InvalidManifestError(f"a descriptor of {self.digest} claims a size of {self.size} bytes")


@dataclass(frozen=True)
class Manifest:
    """A manifest or index: its exact bytes, and what they point to."""

    descriptor: Descriptor
    content: bytes = field(repr=False)
    blobs: tuple[Descriptor, ...] = ()
    """Config and layers, in the order of the document."""
    children: tuple[Descriptor, ...] = ()
    """The manifests of an index."""
    subject: Descriptor | None = None

    @property
    def digest(self) -> Digest:
        return self.descriptor.digest

    @property
    def stored_blobs(self) -> tuple[Descriptor, ...]:
        """The blobs that a registry holds."""
        return tuple(blob for blob in self.blobs if not blob.media_type.startswith(_STAYS_ELSEWHERE))

    @property
    def is_index(self) -> bool:
        return self.descriptor.media_type in INDEX_MEDIA_TYPES
