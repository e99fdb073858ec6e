"""What a registry holds, as facts read at one moment."""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Self

from ecr_steward.domain.names import Digest, ImageRef, ImageTag, OtherRepository, RepositoryRef
from ecr_steward.errors import InvalidManifestError

MANIFEST_LIMIT = 4 * 1024 * 1024
"""Bytes in a manifest that ECR takes (``imageManifest`` in the PutImage API reference)."""
DEPTH_LIMIT = 8
"""Levels of indexes within indexes, and of referrers of referrers."""
PARTS_LIMIT = 10_000
"""Manifests of one image, referrers included."""

OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
_STAYS_ELSEWHERE = ("application/vnd.docker.image.rootfs.foreign.", "application/vnd.oci.image.layer.nondistributable.")
"""Media types whose bytes a registry does not hold: their licence keeps them at their own address."""

OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
IMAGE_CONFIG_MEDIA_TYPES = frozenset(
    {
        OCI_CONFIG,
        DOCKER_CONFIG,
        "application/vnd.docker.plugin.v1+json",
        "application/octet-stream",
        "application/json",
        "text/html",
    }
)
"""Of configs that can hold labels, and with which a client runs the manifest: Docker does with each of these
(tests/clients/test_docker.py). Any other makes the manifest something else than an image, such as a chart."""
ATTESTATION_MEDIA_TYPES = frozenset(
    {
        "application/vnd.in-toto+json",
        "application/vnd.dev.cosign.simplesigning.v1+json",
        "application/vnd.dsse.envelope.v1+json",
        "application/vnd.cyclonedx",
        "application/vnd.cyclonedx+json",
        "application/vnd.cyclonedx+xml",
        "application/vnd.syft+json",
        "application/spdx+json",
        "text/spdx",
        "text/spdx+json",
        "text/spdx+xml",
    }
)
"""Of layers that no client unpacks. BuildKit (``docs/attestations/attestation-storage.md``) and cosign
(``specs/SIGNATURE_SPEC.md``, ``specs/SBOM_SPEC.md``) store them in manifests whose config is that of an image."""
_BLOBS = (
    "application/vnd.oci.image.layer.",
    "application/vnd.docker.image.rootfs.",
    "application/vnd.buildkit.cacheconfig.",
    OCI_CONFIG,
    DOCKER_CONFIG,
)
"""Media types of what is no manifest although an index may list it: BuildKit's registry cache does (``type=registry``
without ``image-manifest=true``). regclient and go-containerregistry copy these as blobs, too."""
INDEX_MEDIA_TYPES = frozenset({OCI_INDEX, DOCKER_LIST})
MANIFEST_MEDIA_TYPES = (OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST)


@dataclass(frozen=True)
class Image:
    """One entry of a repository: an image, an index or a referrer, and the image tags it holds now."""

    ref: ImageRef
    image_tags: frozenset[ImageTag] = frozenset()
    subject: Digest | None = None
    """What this is a referrer of: the digest of a signed or described image, which need not be there."""
    media_type: str | None = None
    """Of the manifest, where the registry says."""
    artifact_media_type: str | None = None
    """Of the config, by which artifacts are told from images, where the registry says; an index has none."""
    size: int | None = None
    """Bytes of its layers, compressed; of an index, those of its largest child."""
    pushed_at: datetime | None = None
    """When the manifest was first put, or came back from the archive: ECR's own rules count from then on.

    Another tag for it changes nothing: ECR has no time for image tags.
    """
    last_pulled_at: datetime | None = None
    """When somebody last pulled it, recorded at most once a day; ``None`` where nobody has, or it is not recorded."""
    can_run: bool = False
    """Whether a client can run it although it claims to belong to another image. Read of those alone that claim it."""

    @property
    def digest(self) -> Digest:
        return self.ref.digest

    @property
    def is_referrer(self) -> bool:
        """Whether this only describes its subject, as a signature or an SBOM does.

        The pusher controls ``subject``, so it exempts no image: neither an index, nor a manifest with an image config,
        nor one with an image tag whose config type the registry does not say.
        """
        if self.subject is None or self.media_type in INDEX_MEDIA_TYPES or self.can_run:
            return False
        if self.artifact_media_type is None:
            return not self.image_tags
        return self.artifact_media_type not in IMAGE_CONFIG_MEDIA_TYPES


@dataclass(frozen=True)
class RepositoryImages:
    """All images of one repository at one moment, tagged or not."""

    repository: RepositoryRef
    images: Mapping[Digest, Image] = field(default_factory=dict)
    released: frozenset[tuple[Digest, ImageTag | None]] = frozenset()
    """What people have released from the rules for a time: an image's tag, or with ``None`` the image as a whole."""
    archived: frozenset[Digest] = frozenset()
    """Images that are in ECR's archive, or on their way back: nobody can pull them, and they are none of ``images``."""

    @classmethod
    def of(
        cls,
        repository: RepositoryRef,
        images: Iterable[Image],
        released: Iterable[tuple[Digest, ImageTag | None]] = (),
        archived: Iterable[Digest] = (),
    ) -> Self:
        """The images of a repository, by digest."""
        return cls(repository, {image.digest: image for image in images}, frozenset(released), frozenset(archived))

    @property
    def digests(self) -> Set[Digest]:
        """The digest of every image."""
        return self.images.keys()

    @cached_property
    def holders(self) -> Mapping[ImageTag, Digest]:
        """Which image holds each image tag."""
        return {tag: image.digest for image in self.images.values() for tag in image.image_tags}

    def has(self, digest: Digest) -> bool:
        """Whether an image is there, be it in the archive."""
        return digest in self.images or digest in self.archived

    def is_released(self, digest: Digest, image_tag: ImageTag | None = None) -> bool:
        """Whether a person has said that this image may hold this tag, or may be as it is, although a rule objects."""
        return (digest, image_tag) in self.released

    def tags_of(self, digest: Digest) -> frozenset[ImageTag]:
        """The image tags that an image holds; none where there is no such image."""
        image = self.images.get(digest)
        return image.image_tags if image else frozenset()

    def subject_of(self, digest: Digest) -> Digest | None:
        """What a referrer refers to; ``None`` for an image that stands for itself, whatever its manifest says."""
        image = self.images.get(digest)
        return image.subject if image and image.is_referrer else None

    def root_of(self, digest: Digest) -> Digest:
        """The image that a referrer refers to, through referrers of referrers; what is none stands for itself."""
        seen: set[Digest] = set()
        while (subject := self.subject_of(digest)) is not None and digest not in seen:
            seen.add(digest)
            digest = subject
        return digest

    def referrers_of(self, root: Digest) -> Sequence[Digest]:
        """What refers to a tagged image in the end."""
        return self._referrers[0].get(root, ())

    @property
    def referrers_of_untagged(self) -> Mapping[Digest, Digest]:
        """Referrers that refer in the end to an image without a tag, such as the child of an index; and to which."""
        return self._referrers[1]

    @cached_property
    def with_subject(self) -> Mapping[Digest, Sequence[Image]]:
        """All that names a subject, by that: referrers, and what only says that it is one."""
        found: dict[Digest, list[Image]] = {}
        for image in self.images.values():
            if image.subject is not None:
                found.setdefault(image.subject, []).append(image)
        return found

    def below(self, subjects: Set[Digest]) -> Sequence[Image]:
        """All that names one of these as its subject, or what does so itself; each once, and none of these."""
        found: dict[Digest, Image] = {}
        left = list(subjects)
        while left:
            for image in self.with_subject.get(left.pop(), ()):
                if image.digest not in found and image.digest not in subjects:
                    found[image.digest] = image
                    left.append(image.digest)
        return tuple(found.values())

    @cached_property
    def _referrers(self) -> tuple[Mapping[Digest, Sequence[Digest]], Mapping[Digest, Digest]]:
        tagged = set(self.holders.values())
        of_tagged: dict[Digest, list[Digest]] = {}
        of_untagged: dict[Digest, Digest] = {}
        for digest, image in self.images.items():
            if not image.is_referrer:
                continue
            if (root := self.root_of(digest)) in tagged:
                of_tagged.setdefault(root, []).append(digest)
            else:
                of_untagged[digest] = root
        return of_tagged, of_untagged


@dataclass(frozen=True)
class OtherImages:
    """What is known of a repository that is not ECR's: it answers what one asks for, and lists no images."""

    repository: OtherRepository
    holders: Mapping[ImageTag, Digest] = field(default_factory=dict)
    """Which image holds each image tag that was asked for."""
    digests: Set[Digest] = frozenset()
    """Of the images that were asked for, those that are there."""


type Holdings = RepositoryImages | OtherImages


@dataclass(frozen=True)
class Descriptor:
    """A pointer to content: what it is, how large, and its digest."""

    media_type: str
    digest: Digest
    size: int
    platform: str | None = field(default=None, compare=False)
    """``os/architecture`` of an index's entry, where it says. What an image runs on is no part of which image it is."""
    artifact_type: str | None = field(default=None, compare=False)
    """What it is beyond an image or index, as the referrers API has it: of a signature or SBOM, its format."""

    @property
    def runs_nowhere(self) -> bool:
        """Whether no client picks this entry of an index for a machine: it holds an attestation, and is no image.

        BuildKit marks attestations so (``docs/attestations/attestation-storage.md``). Its annotation
        ``vnd.docker.reference.type`` alone proves nothing: clients pick by platform, and whoever pushes may annotate.
        """
        return self.platform == "unknown/unknown"

    @property
    def is_blob(self) -> bool:
        """Whether this is a blob by its media type, where an index lists it beside manifests."""
        return self.media_type.startswith(_BLOBS)

    def __post_init__(self) -> None:
        if self.size < 0:
            raise InvalidManifestError(f"a descriptor of {self.digest} claims a size of {self.size} bytes")


@dataclass(frozen=True)
class Manifest:
    """A manifest or index: its exact bytes, and what they point to."""

    descriptor: Descriptor
    content: bytes = field(repr=False)
    blobs: tuple[Descriptor, ...] = ()
    """Config and layers, in the order of the document; of an index, what it lists that is no manifest."""
    children: tuple[Descriptor, ...] = ()
    """The manifests of an index."""
    subject: Descriptor | None = None
    annotations: Mapping[str, str] = field(default_factory=dict, compare=False)

    @property
    def digest(self) -> Digest:
        return self.descriptor.digest

    @property
    def is_index(self) -> bool:
        """Whether this is a list of manifests rather than an image."""
        return self.descriptor.media_type in INDEX_MEDIA_TYPES

    @property
    def can_run(self) -> bool:
        """Whether a client can run this: it has the config of an image, and not only attestations for layers.

        An index that lists blobs is judged as if it were one: no scanner looks into it.
        """
        if self.is_index:
            return bool(self.blobs)
        if not self.blobs or self.blobs[0].media_type not in IMAGE_CONFIG_MEDIA_TYPES:
            return False
        layers = self.blobs[1:]
        return not layers or any(layer.media_type not in ATTESTATION_MEDIA_TYPES for layer in layers)

    @property
    def stored_blobs(self) -> tuple[Descriptor, ...]:
        """The blobs that a registry holds."""
        return tuple(blob for blob in self.blobs if not blob.media_type.startswith(_STAYS_ELSEWHERE))


@dataclass(frozen=True)
class Part:
    """One manifest or index of an image, without its bytes: a graph of many large ones must fit into a function."""

    manifest: Descriptor
    blobs: tuple[Descriptor, ...]
    """Those that a registry holds."""
    rank: int = 0
    """Parts of one rank point to none of each other: they may be put at the same time, after those of lower ranks."""


@dataclass(frozen=True)
class ImageGraph:
    """An image with all that belongs to it: children of an index, referrers, their children and referrers."""

    parts: tuple[Part, ...]
    """Each once; whatever a manifest points to comes before it, referrers after their subject."""
    remarks: tuple[str, ...] = ()
    """Referrers that could not be read: they stay behind, the image does not wait for them."""
