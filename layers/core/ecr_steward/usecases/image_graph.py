"""Reading an image's graph from a registry, bounded, and without keeping the bytes of its manifests."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from graphlib import TopologicalSorter

from ecr_steward.domain.images import DEPTH_LIMIT, PARTS_LIMIT, Descriptor, ImageGraph, Manifest, Part
from ecr_steward.domain.names import Digest
from ecr_steward.errors import ImageNotFoundError, InvalidManifestError
from ecr_steward.ports.stores import ManifestSource


def _not_at_all(_manifests: Sequence[Descriptor]) -> None: ...


def read_graph(
    image: Digest,
    source: ManifestSource,
    *,
    with_referrers: bool,
    judged: Collection[Digest] | None = None,
    top: Manifest | None = None,
    ahead: Callable[[Sequence[Descriptor]], None] = _not_at_all,
) -> ImageGraph:
    """Read an image, the children of an index, and on request all that refers to any of them.

    ``judged`` are the images that passed a verdict, where only those are wanted: any other that can run is refused,
    whatever its index, its subject or its tag says of it. ``top`` is the image's manifest, where it is known already.
    ``ahead`` receives the manifests that will be read from the source next.

    Raises ImageNotFoundError where a part is missing, and InvalidManifestError where the image or a child cannot be
    read, has no verdict or breaks a limit. A referrer of which that is true is left out, with a remark: anybody who may
    push can attach one, and the image shall not wait for it.
    """
    reader = _Reader(
        image, source, {top.digest: top} if top else {}, ahead, with_referrers=with_referrers, judged=judged
    )
    parts = {part.manifest.digest: part for part in reader.walk(image, 0)}
    return ImageGraph(tuple(_ranked(parts, reader.before)), tuple(reader.remarks))


def _ranked(parts: Mapping[Digest, Part], before: Mapping[Digest, Collection[Digest]]) -> Iterator[Part]:
    """Each after what it points to. The walk alone is no such order: what refers to a child may list its parent.

    There is always one, since nothing can hold the digest of what holds its own.
    """
    sorter = TopologicalSorter({digest: parts.keys() & before[digest] for digest in parts})
    sorter.prepare()
    rank = 0
    while sorter.is_active():
        ready = set(sorter.get_ready())
        yield from (replace(part, rank=rank) for digest, part in parts.items() if digest in ready)
        sorter.done(*ready)
        rank += 1


class _Reader:
    def __init__(
        self,
        image: Digest,
        source: ManifestSource,
        known: Mapping[Digest, Manifest],
        ahead: Callable[[Sequence[Descriptor]], None],
        *,
        with_referrers: bool,
        judged: Collection[Digest] | None,
    ) -> None:
        self._image = image
        self._source = source
        self._with_referrers = with_referrers
        self._judged = judged
        self._known = known
        self._ahead = ahead
        self._seen: set[Digest] = set()
        self.before: dict[Digest, set[Digest]] = {}
        """What each of them points to."""
        self.remarks: list[str] = []

    def walk(self, digest: Digest, depth: int) -> Iterator[Part]:
        """What is pointed to first, referrers last, each once: a referrer may lead back into the graph."""
        if digest in self._seen:
            return
        self._seen.add(digest)
        if depth > DEPTH_LIMIT or len(self._seen) > PARTS_LIMIT:
            limits = f"{DEPTH_LIMIT} levels or {PARTS_LIMIT} manifests"
            raise InvalidManifestError(f"{self._image} has more than {limits}")
        manifest = self._known.get(digest) or self._source.manifest(digest)
        if self._judged is not None and manifest.can_run and digest not in self._judged:
            raise InvalidManifestError(f"{digest} can be run like an image, and has no verdict of its own")
        pointed_to = [*manifest.children, *([manifest.subject] if manifest.subject else [])]
        self.before[digest] = {each.digest for each in pointed_to}
        self._ahead([child for child in manifest.children if child.digest not in self._seen])
        for child in manifest.children:
            yield from self.walk(child.digest, depth + 1)
        yield Part(manifest.descriptor, manifest.stored_blobs)
        if self._with_referrers:
            referrers = self._source.referrers(digest)
            self._ahead([referrer for referrer in referrers if referrer.digest not in self._seen])
            for referrer in sorted(referrers, key=lambda descriptor: descriptor.digest):
                yield from self._walk_referrer(referrer, depth + 1)

    def _walk_referrer(self, referrer: Descriptor, depth: int) -> Iterator[Part]:
        try:
            parts = list(self.walk(referrer.digest, depth))
        except (InvalidManifestError, ImageNotFoundError) as error:
            self.remarks.append(f"the referrer {referrer.digest} stays behind: {error}")
        else:
            yield from parts
