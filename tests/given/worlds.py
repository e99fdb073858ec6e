"""Registries to hypothesise about: images, indexes, referrers, tags in the wrong places, settings of all kinds."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from ecr_steward.adapters.memory.clock import NOON, noon
from ecr_steward.adapters.memory.image_content import InMemoryImageContent
from ecr_steward.adapters.memory.messages import InMemoryNotices, InMemoryReplicationQueue
from ecr_steward.adapters.memory.registry import InMemoryRegistry
from ecr_steward.adapters.memory.registry_settings import InMemoryRegistrySettings
from ecr_steward.adapters.memory.scans import InMemoryScans
from ecr_steward.domain.images import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Descriptor, Image, Manifest
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.repositories import Document, Mutability, Repository, RepositorySettings, TagMutability
from ecr_steward.domain.rules import Waiver
from ecr_steward.domain.scans import Finding, Scan, ScanStatus, Severity
from ecr_steward.ports.clock import Clock
from ecr_steward.usecases.sweep_repository import Hands
from tests.given.appliers import applier_of
from tests.given.rules import API, SETTINGS, Pattern

IMAGE_TAGS = tuple(
    map(
        ImageTag,
        ("1.4.2", "1.4.3", "1.10.0", "2.0.0", "3.0.0-rc.1", "latest", "dev", "1.4-latest", "1-latest", "9-latest"),
    )
)
"""Versions, a pre-release, violations, aliases with and without a version behind them."""


def digest_of(content: bytes) -> Digest:
    """The digest of some bytes."""
    return Digest(f"sha256:{hashlib.sha256(content).hexdigest()}")


def blob(name: str) -> Descriptor:
    """A layer whose content is its name."""
    content = name.encode()
    return Descriptor("application/vnd.oci.image.layer.v1.tar+gzip", digest_of(content), len(content))


def config(name: str) -> Descriptor:
    """A config of an image. What labels it says is up to ``InMemoryImageContent``."""
    return replace(blob(f"config {name}"), media_type=OCI_CONFIG)


def signature(name: str = "signature") -> Manifest:
    """What cosign attaches by an image tag: its config is that of an image, its layer is not."""
    layer = replace(blob(name), media_type="application/vnd.dev.cosign.simplesigning.v1+json")
    return manifest(name, blobs=[config(name), layer])


def sbom_of(subject: Manifest) -> Manifest:
    """A referrer whose config is not that of an image."""
    config_of_sbom = replace(blob("config of sbom"), media_type="application/vnd.example.sbom.config.v1+json")
    return manifest("sbom", blobs=[config_of_sbom], subject=subject)


def manifest(
    name: str,
    *,
    blobs: Sequence[Descriptor] = (),
    children: Sequence[Manifest] = (),
    subject: Manifest | None = None,
    annotations: Mapping[str, str] | None = None,
    artifact_type: str | None = None,
) -> Manifest:
    """A manifest, or an index where there are children. Its bytes stand for its name and for what it points to."""
    media_type = OCI_INDEX if children else OCI_MANIFEST
    pointers = [*blobs, *(child.descriptor for child in children), *([subject.descriptor] if subject else [])]
    said = {"annotations": annotations, "artifactType": artifact_type}
    document = [name, [pointer.digest.value for pointer in pointers], *filter(None, said.values())]
    content = json.dumps(document).encode()
    return Manifest(
        Descriptor(media_type, digest_of(content), len(content), artifact_type=artifact_type),
        content,
        tuple(blobs),
        tuple(child.descriptor for child in children),
        subject.descriptor if subject else None,
        annotations or {},
    )


@dataclass(frozen=True)
class World:
    """A registry's control plane, data plane and scanner over the same images, and what was put into them."""

    registry: InMemoryRegistry
    content: InMemoryImageContent
    scans: InMemoryScans
    manifests: tuple[Manifest, ...]

    @property
    def images(self) -> list[ImageRef]:
        """Every image of the repository at home, in the order in which it was put."""
        return [ImageRef(API, held.digest) for held in self.manifests]

    @property
    def tagged(self) -> list[ImageRef]:
        """Those of them that hold an image tag."""
        return [image for image in self.images if self.registry.tags_of(image)]


def world(manifests: Sequence[Manifest], tags: Mapping[Any, Manifest], repository: RepositoryRef = API) -> World:
    """A repository that holds these manifests, some of them tagged."""
    registry = InMemoryRegistry([Repository(repository, SETTINGS)])
    content = InMemoryImageContent(registry)
    for held in manifests:
        content.hold(repository, held)
    for image_tag, holder in tags.items():
        give_tag(registry, ImageRef(repository, holder.digest), ImageTag(image_tag))
    registry.calls.clear()
    return World(registry, content, InMemoryScans(registry), tuple(manifests))


def give_tag(registry: InMemoryRegistry, image: ImageRef, image_tag: ImageTag) -> None:
    """Let an image hold a tag whatever the repository's settings: the world was not always governed."""
    held = registry.images(image.repository).images[image.digest]
    registry.restore(replace(held, image_tags=held.image_tags | {image_tag}))


@st.composite
def manifest_sets(draw: st.DrawFn) -> tuple[Manifest, ...]:
    """One to four images that share layers, perhaps indexes of them, perhaps referrers and referrers of referrers."""
    made = [
        manifest(f"image {n}", blobs=[blob(f"config {n}"), *map(blob, draw(st.sets(st.sampled_from("abc"))))])
        for n in range(draw(st.integers(1, 4)))
    ]
    for n in range(draw(st.integers(0, 2))):
        children = draw(st.lists(st.sampled_from(made), min_size=1, max_size=3, unique_by=lambda m: m.digest))
        made.append(manifest(f"index {n}", children=children))
    for n in range(draw(st.integers(0, 2))):
        made.append(manifest(f"referrer {n}", blobs=[blob(f"sbom {n}")], subject=draw(st.sampled_from(made))))
    return tuple(made)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A repository whose tags sit anywhere, quarantine tags and cosign's included."""
    manifests = draw(manifest_sets())
    digests = [held.digest for held in manifests]
    attached = [ImageTag(f"sha256-{digest.hex}.sig") for digest in digests]
    quarantined = [ImageTag(f"quarantine-{digest.hex[:12]}") for digest in digests]
    pool = [*IMAGE_TAGS, *quarantined, *attached]
    tags = draw(st.dictionaries(st.sampled_from(pool), st.sampled_from(manifests), min_size=1, max_size=10))
    return world(manifests, tags)


@st.composite
def scanned_worlds(draw: st.DrawFn) -> World:
    """One of those worlds, most of whose images somebody has scanned."""
    drawn = draw(worlds())
    for held in drawn.manifests:
        if draw(st.integers(0, 4)):
            scan = draw(scans_of(held.digest))
            drawn.scans.end(ImageRef(API, held.digest), scan.status, scan.findings, scan.said)
    return drawn


FINDING_NAMES = ("CVE-2026-10001", "CVE-2026-10002", "CVE-2026-10003")


def findings() -> st.SearchStrategy[Finding]:
    """Any finding of a few, in one of two packages or nowhere in particular."""
    packages = st.sampled_from(["openssl 3.0.13", "zlib 1.3", None])
    return st.builds(
        Finding, st.sampled_from(FINDING_NAMES), st.sampled_from(Severity), packages, is_suppressed=st.booleans()
    )


def scans_of(digest: Digest) -> st.SearchStrategy[Scan]:
    """Any scan of an image; most are complete, and most of those without a finding."""
    found = st.just(()) | st.lists(findings(), max_size=4).map(tuple)
    status = st.sampled_from([*ScanStatus, *[ScanStatus.COMPLETE] * 10])
    return st.builds(Scan, st.just(digest), status, found, st.none() | st.just("in its own words"))


def waivers() -> st.SearchStrategy[Waiver]:
    """A waiver for one of the findings, expired or not, for this repository or another."""
    return st.builds(
        Waiver,
        finding=st.sampled_from(FINDING_NAMES),
        repositories=st.sampled_from([(Pattern("team-.*"),), (Pattern("other"),)]),
        until=st.integers(-2, 2).map(lambda days: NOON.date() + timedelta(days=days)),
        reason=st.sampled_from(["not reachable", "no fix yet"]),
        owner=st.none() | st.just("team-a"),
    )


def settings() -> st.SearchStrategy[RepositorySettings]:
    """Any settings of a repository, those of the rulebook among them."""
    documents: st.SearchStrategy[Document | None] = st.none() | st.sampled_from(
        [SETTINGS.policy, SETTINGS.lifecycle, {"Statement": []}]
    )
    filters = st.frozensets(st.sampled_from(["*-latest", "dev-*", "v*"]), max_size=3)
    mutability = st.builds(TagMutability, st.sampled_from(Mutability), filters)
    return st.builds(
        RepositorySettings,
        policy=documents,
        lifecycle=documents,
        mutability=mutability | st.just(SETTINGS.mutability),
        scan_on_push=st.booleans(),
        resource_tags=st.dictionaries(st.sampled_from(["managed-by", "owner"]), st.sampled_from(["ecr-steward", "me"])),
    )


def images_lost(before: frozenset[Image], after: frozenset[Image]) -> frozenset[Digest]:
    """The images that are no longer there."""
    return frozenset(image.digest for image in before) - {image.digest for image in after}


def hands_of(
    world: World,
    notices: InMemoryNotices,
    queue: InMemoryReplicationQueue,
    now: Clock = noon,
    settings: InMemoryRegistrySettings | None = None,
) -> Hands:
    """What a sweep of a world reads with and acts with."""
    settings = settings or InMemoryRegistrySettings()
    applier = applier_of(world.registry, world.content, notices, settings, now=now)
    return Hands(world.registry, world.content, world.scans, notices, queue, now, applier, settings)
