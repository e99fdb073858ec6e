"""Reading an image's graph from a registry, bounded: a hostile index can neither hang nor exhaust a function."""

from collections.abc import Iterator

from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageRef
from ecr_steward.domain.replication import ImageGraph
from ecr_steward.errors import InvalidManifestError
from ecr_steward.ports.registry import ImageContent

DEPTH_LIMIT = 8
"""Levels of indexes within indexes, and of referrers of referrers."""
MANIFEST_LIMIT = 10_000
"""Manifests in one graph, referrers included."""


def read_graph(image: ImageRef, content: ImageContent, *, with_referrers: bool) -> ImageGraph:
    """Read an image, the children of an index, and on request all that refers to any of them.

    Raises ImageNotFoundError where a part is missing, and InvalidManifestError where the graph breaks a limit.
    """
    seen: set[Digest] = set()

    def walk(digest: Digest, depth: int) -> Iterator[Manifest]:
        if digest in seen:
            return  # repeated, or a referrer that leads back into the graph
        seen.add(digest)
        if depth > DEPTH_LIMIT or len(seen) > MANIFEST_LIMIT:
            limits = f"{DEPTH_LIMIT} levels or {MANIFEST_LIMIT} manifests"
            raise InvalidManifestError(f"{image} is more than {limits} large")
        manifest = content.manifest(image.repository, digest)
        for child in manifest.children:
            yield from walk(child.digest, depth + 1)
        yield manifest
        if with_referrers:
            for referrer in _sorted(content.referrers(image.repository, digest)):
                yield from walk(referrer.digest, depth + 1)

    return ImageGraph(image.digest, tuple(walk(image.digest, 0)))


def _sorted(descriptors: tuple[Descriptor, ...]) -> list[Descriptor]:
    return sorted(descriptors, key=lambda descriptor: descriptor.digest)
