"""Images from one store → the same bytes in another: blobs first, then manifests by digest, image tags last.

Several images are copied at a time, and several blobs, the largest first. A blob that images of one run share is moved
once. Whatever fails, the destination shows no image tag whose content is incomplete.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby, islice
from typing import Self

from ecr_steward.domain.images import Descriptor, ImageGraph, Manifest, Part
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.errors import DigestMismatchError, ImageNotFoundError, RefusedByRegistryError, StewardError
from ecr_steward.ports.stores import ImageStore
from ecr_steward.usecases.image_graph import read_graph
from ecr_steward.usecases.manifest_reading import AHEAD, Ahead, Remembering
from ecr_steward.usecases.moving import Mover, Pace, Progress
from ecr_steward.usecases.stores import is_held

IMAGE_WORKERS = 8
"""Images under way at a time: each is done when the last of its blobs is."""
WINDOW = 64
"""Images of a run that are begun, or wait for that: a list of tags may be long."""
ATTACHED = ("sig", "att", "sbom")
"""Endings of the tags by which cosign attaches to an image what is no referrer: ``sha256-<hex>.sig``."""


class Result(StrEnum):
    """What became of one image."""

    COPIED = "copied"
    PRESENT = "present"
    """It was there already."""
    SKIPPED = "skipped"
    """Another image holds the tag, which was not to be moved."""
    PLANNED = "planned"
    """Nothing was to be done but to look."""


@dataclass(frozen=True)
class Wanted:
    """One image to be copied."""

    reference: Digest | ImageTag
    """At the source."""
    image_tag: ImageTag | None
    """At the destination. Without one it is put by its digest alone."""

    def __str__(self) -> str:
        return str(self.reference)


@dataclass(frozen=True)
class How:
    """What belongs to a copy, and what is taken on trust."""

    referrers: bool = False
    """Whether signatures, SBOMs and attestations come along."""
    deep: bool = False
    """Whether each manifest and blob is looked for, although what leads to it is there."""
    no_clobber: bool = False
    """Whether an image tag that another image holds stays where it is."""
    dry_run: bool = False
    select: Callable[[Manifest], Manifest | Digest] | None = None
    """What to copy instead of the image that was found, when some of its platforms are wanted: one that is at the
    source, or one that is made for it."""


@dataclass(frozen=True)
class Copied:
    """One image, and what became of it."""

    wanted: Wanted
    digest: Digest
    """Of what is at the destination now."""
    result: Result
    manifests: int = 0
    """That were put."""
    blobs: int = 0
    """That were moved for this image; one that another image of the run moved is not counted."""
    bytes: int = 0
    """Of these blobs."""
    remarks: tuple[str, ...] = ()


class CopyRun:
    """Copies images from one store to another. A context: threads end with it."""

    def __init__(
        self,
        source: ImageStore,
        destination: ImageStore,
        how: How,
        progress: Progress,
        *,
        pace: Pace | None = None,
        image_workers: int = IMAGE_WORKERS,
    ) -> None:
        pace = pace or Pace()
        self._destination = destination
        self._how = how
        self._mover = Mover(source, destination, progress, pace)
        self._images = ThreadPoolExecutor(image_workers, "image")
        self._looks = ThreadPoolExecutor(pace.workers, "look")
        self._ahead = ThreadPoolExecutor(image_workers * AHEAD, "ahead")
        self._large = ThreadPoolExecutor(1, "large")
        self._source = Remembering(source, self._large)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        """What is still under way is given up at its next chunk: nobody waits for gigabytes after Ctrl-C."""
        self._mover.give_up()
        for pool in (self._images, self._looks, self._ahead, self._large):
            pool.shutdown(wait=True, cancel_futures=True)
        self._mover.__exit__(*exception)

    def copy_all(
        self, wanted: Sequence[Wanted], *, keep_going: bool = True
    ) -> Iterator[Copied | tuple[Wanted, StewardError]]:
        """Copy images, in their order, and tell what became of each that was begun.

        One that fails keeps none from the others; without ``keep_going`` what is under way then is given up.
        """
        begun: deque[tuple[Wanted, Future[Copied]]] = deque()
        coming = iter(wanted)
        while True:
            begun.extend((each, self._images.submit(self.copy, each)) for each in islice(coming, WINDOW - len(begun)))
            if not begun:
                return
            each, future = begun.popleft()
            if future.cancelled():
                continue
            try:
                yield future.result()
            except StewardError as error:
                yield each, error
                if not keep_going:
                    coming = iter(())
                    for _, other in begun:
                        other.cancel()
                    self._mover.give_up()

    def copy(self, wanted: Wanted) -> Copied:
        """Copy one image. Raises StewardError; then its image tag shows what it showed before."""
        there = self._looks.submit(self._destination.digest_of, wanted.image_tag) if wanted.image_tag else None
        if there and not self._how.select and not self._how.deep and not self._how.referrers:
            digest = self._source.digest_of(wanted.reference)
            if digest is not None and there.result() == digest:
                return Copied(wanted, digest, Result.PRESENT)
        top = self._source.manifest(wanted.reference)
        if self._how.select:
            top = self._selected(self._how.select(top))
        held_by = there.result() if there else None
        if self._how.no_clobber and held_by is not None and not _is(held_by, top):
            why = f"{wanted.image_tag} is {held_by} there, and is not moved"
            return Copied(wanted, top.digest, Result.SKIPPED, remarks=(why,))
        return self._bring(wanted, top, is_tagged=there is None or _is(held_by, top))

    def _selected(self, selected: Manifest | Digest) -> Manifest:
        if isinstance(selected, Digest):
            return self._source.manifest(selected)
        self._source.remember(selected)
        return selected

    def _bring(self, wanted: Wanted, top: Manifest, *, is_tagged: bool) -> Copied:
        graph = self._graph(top, with_referrers=self._how.referrers)
        attached = self._attached(graph) if self._how.referrers else []
        return self._bring_graph(wanted, top, graph, is_tagged, attached)

    def _graph(self, top: Manifest, *, with_referrers: bool) -> ImageGraph:
        source = Ahead(self._source, self._ahead)
        return read_graph(
            top.digest, source, with_referrers=with_referrers, top=top, ahead=source.expect, every_referrer=True
        )

    def _attached(self, graph: ImageGraph) -> list[Copied]:
        """Bring what cosign has attached by tag, before the image shows itself: who verifies it then finds that."""
        digests = [part.manifest.digest for part in graph.parts if part.manifest.digest.algorithm == "sha256"]
        names = [f"sha256-{digest.hex}" for digest in digests]  # with sha512 it would be longer than a tag may be
        tags = [ImageTag(f"{name}.{ending}") for name in names for ending in ATTACHED]
        found = list(zip(tags, self._looks.map(self._source.digest_of, tags), strict=True))
        return [self._bring_attached(tag, digest) for tag, digest in found if digest is not None]

    def _bring_attached(self, tag: ImageTag, digest: Digest) -> Copied:
        wanted, held_by = Wanted(tag, tag), self._destination.digest_of(tag)
        if self._how.no_clobber and held_by not in (None, digest):
            return Copied(wanted, digest, Result.SKIPPED, remarks=(f"{tag} is {held_by} there, and is not moved",))
        top = self._source.manifest(digest)
        graph = self._graph(top, with_referrers=False)
        return self._bring_graph(wanted, top, graph, held_by == digest, [])

    def _bring_graph(
        self, wanted: Wanted, top: Manifest, graph: ImageGraph, is_tagged: bool, attached: Sequence[Copied]
    ) -> Copied:
        missing, suspects = self._missing(graph)
        blobs = list({blob.digest: blob for part in suspects for blob in part.blobs}.values())
        known = self._destination.known_blobs([blob.digest for blob in blobs])
        is_done = not missing and is_tagged
        if self._how.dry_run:
            moved = [blob for blob, there in zip(blobs, self._have(blobs, known), strict=True) if not there]
        else:
            moved = self._mover.move(blobs, known)
            self._put_all(wanted, top, graph, missing, is_tagged=is_tagged)
        is_present = is_done and not moved and all(each.result is Result.PRESENT for each in attached)
        done = Result.PLANNED if self._how.dry_run else Result.COPIED
        return Copied(
            wanted,
            top.digest,
            Result.PRESENT if is_present else done,
            len(missing) + sum(each.manifests for each in attached),
            len(moved) + sum(each.blobs for each in attached),
            sum(blob.size for blob in moved) + sum(each.bytes for each in attached),
            (*graph.remarks, *(remark for each in attached for remark in each.remarks)),
        )

    def _put_all(
        self, wanted: Wanted, top: Manifest, graph: ImageGraph, missing: Sequence[Part], *, is_tagged: bool
    ) -> None:
        """Put manifests, each after what it points to, and the image tag last; then read back what was put."""

        def put(part: Part) -> None:
            is_top = part.manifest.digest == top.digest and wanted.image_tag is None
            self._source.use(part.manifest, lambda manifest: self._mover.put(manifest, None, is_top=is_top))

        before = missing
        if wanted.image_tag and not is_tagged and not self._how.referrers:  # its tag brings it
            before = [part for part in missing if part.manifest.digest != top.digest]
        for _, parts in groupby(sorted(before, key=_rank), _rank):
            list(self._looks.map(put, parts))
        if self._how.referrers:
            self._list_referrers(graph, missing)
        self._mover.prove(
            digest for part in graph.parts for digest in (part.manifest.digest, *(blob.digest for blob in part.blobs))
        )
        if wanted.image_tag and not is_tagged:
            self._mover.put(top, wanted.image_tag)
        if missing or not is_tagged:
            self._prove(top, wanted.image_tag)

    def _missing(self, graph: ImageGraph) -> tuple[list[Part], list[Part]]:
        """The manifests that are not there, and those of which blobs may be missing."""
        found = self._looks.map(lambda part: self._destination.digest_of(part.manifest.digest), graph.parts)
        missing = [part for part, there in zip(graph.parts, found, strict=True) if there is None]
        return missing, list(graph.parts) if self._how.deep else missing

    def _list_referrers(self, graph: ImageGraph, put: Sequence[Part]) -> None:
        """Put once more what is there and not listed: a run may have ended between the one and the other."""
        is_put = {part.manifest.digest for part in put}
        there = [part.manifest for part in graph.parts if part.manifest.digest not in is_put]
        listed: dict[Digest, set[Digest]] = {}

        def list_anew(manifest: Manifest) -> None:
            if manifest.subject is None:
                return
            subject = manifest.subject.digest
            if subject not in listed:
                listed[subject] = {each.digest for each in self._destination.referrers(subject)}
            if manifest.digest not in listed[subject]:
                self._mover.put(manifest, None)

        for each in sorted(there, key=lambda descriptor: descriptor.digest):
            self._source.use(each, list_anew)

    def _have(self, blobs: Sequence[Descriptor], known: Mapping[Digest, bool]) -> list[bool]:
        return list(self._looks.map(lambda blob: is_held(blob.digest, known, self._destination), blobs))

    def _prove(self, top: Manifest, image_tag: ImageTag | None) -> None:
        """Read back what was put. Raises DigestMismatchError, and RefusedByRegistryError where it is not there."""
        try:
            found = self._destination.manifest(image_tag or top.digest)
        except ImageNotFoundError as cause:
            raise RefusedByRegistryError(f"{top.digest} was accepted, and is not there") from cause
        if not _is(found.digest, top):
            raise DigestMismatchError(f"{image_tag} was put as {top.digest}, and is {found.digest} now")


def _rank(part: Part) -> int:
    return part.rank


def _is(digest: Digest | None, image: Manifest) -> bool:
    """Whether a digest is one of an image's: registries say a tag's by sha256, by whichever the image was asked for."""
    return digest is not None and hashlib.new(digest.algorithm, image.content).hexdigest() == digest.hex
