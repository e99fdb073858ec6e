"""Reading an image's graph from a registry, bounded, and without keeping the bytes of its manifests."""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from graphlib import TopologicalSorter

from ecr_steward.domain.images import DEPTH_LIMIT, PARTS_LIMIT, Descriptor, ImageGraph, Manifest, Part
from ecr_steward.domain.names import Digest
from ecr_steward.errors import ImageNotFoundError, InvalidManifestError, TooManyReferrersError
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
    every_referrer: bool = False,
) -> ImageGraph:
    """Read an image, the children of an index, and on request all that refers to any of them.

    ``judged`` are the images that passed a verdict, where only those are wanted: any other that can run is refused,
    whatever its index, its subject or its tag says of it. ``top`` is the image's manifest, where it is known already.
    ``ahead`` receives the manifests that will be read from the source next.

    Raises ImageNotFoundError where a part is missing, and InvalidManifestError where the image or a child cannot be
    read, has no verdict or breaks a limit. A referrer of which that is true is left out, with a remark, and so are
    those that are more than a limit: anybody who may push can attach them, and the image shall not wait for it. With
    ``every_referrer`` more of them than are listed raise TooManyReferrersError: a person has asked for all.
    """
    reader = _Reader(image, source, {top.digest: top} if top else {}, ahead, judged=judged)
    found = list(reader.walk(image, 0))
    if with_referrers:
        found += reader.referrers_of(found, every_referrer=every_referrer)
    parts = {part.manifest.digest: part for part in found}
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
        judged: Collection[Digest] | None,
    ) -> None:
        self._image = image
        self._source = source
        self._judged = judged
        self._known = known
        self._ahead = ahead
        self._depths: dict[Digest, int] = {}
        """Of all that was looked at."""
        self.before: dict[Digest, set[Digest]] = {}
        """What each of them points to."""
        self.remarks: list[str] = []

    def walk(self, digest: Digest, depth: int) -> Iterator[Part]:
        """An image and the children of an index, what is pointed to first, each once."""
        if digest in self._depths:
            return
        self._depths[digest] = depth
        if depth > DEPTH_LIMIT or len(self._depths) > PARTS_LIMIT:
            limits = f"{DEPTH_LIMIT} levels or {PARTS_LIMIT} manifests"
            raise InvalidManifestError(f"{self._image} has more than {limits}")
        manifest = self._known.get(digest) or self._source.manifest(digest)
        if self._judged is not None and manifest.can_run and digest not in self._judged:
            raise InvalidManifestError(f"{digest} can be run like an image, and has no verdict of its own")
        pointed_to = [*manifest.children, *([manifest.subject] if manifest.subject else [])]
        self.before[digest] = {each.digest for each in pointed_to}
        self._ahead([child for child in manifest.children if child.digest not in self._depths])
        for child in manifest.children:
            yield from self.walk(child.digest, depth + 1)
        yield Part(manifest.descriptor, manifest.stored_blobs)

    def referrers_of(self, parts: Sequence[Part], *, every_referrer: bool) -> Iterator[Part]:
        """What refers to these, the last of them first, and what refers to that; it may lead back into the graph."""
        left = 0
        subjects = deque(part.manifest.digest for part in reversed(parts))
        while subjects:
            subject = subjects.popleft()
            listed = self._listed(subject, every_referrer=every_referrer)
            new = sorted((each for each in listed if each.digest not in self._depths), key=lambda each: each.digest)
            room = max(PARTS_LIMIT - len(self._depths), 0)
            left += len(new[room:])
            self._ahead(new[:room])
            for referrer in new[:room]:
                found = self._walk_referrer(referrer, self._depths[subject] + 1)
                subjects.extend(part.manifest.digest for part in reversed(found))
                yield from found
        if left:
            self.remarks.append(f"{left} referrers stay behind: {self._image} has more than {PARTS_LIMIT} manifests")

    def _listed(self, subject: Digest, *, every_referrer: bool) -> Sequence[Descriptor]:
        try:
            return self._source.referrers(subject)
        except TooManyReferrersError as error:
            if every_referrer:
                raise
            self.remarks.append(f"the referrers of {subject} stay behind: {error}")
            return ()

    def _walk_referrer(self, referrer: Descriptor, depth: int) -> list[Part]:
        try:
            return list(self.walk(referrer.digest, depth))
        except (InvalidManifestError, ImageNotFoundError) as error:
            self.remarks.append(f"the referrer {referrer.digest} stays behind: {error}")
            return []
