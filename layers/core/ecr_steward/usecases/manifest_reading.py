"""Reading the manifests of images that are copied: some are kept, and of large ones one is in memory at a time."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from contextlib import suppress
from dataclasses import replace

from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.errors import InvalidManifestError
from ecr_steward.ports.stores import ImageStore

KEPT_BYTES = 8 * 1024 * 1024
"""Of manifests that are kept between reading an image's graph and putting it."""
LARGE_BYTES = 128 * 1024
"""Beyond them a manifest is never kept: those of real images have some kilobytes, and 4 MiB can be ten times as much
when they are parsed."""
AHEAD = 4
"""Manifests of one graph that are read ahead of where they are looked at."""


class Remembering:
    """A ``ManifestSource`` that keeps some of what it has read: a graph is read, and then put.

    ``large`` is a pool of one thread: what is large is read, looked at and put there, and dropped.
    """

    def __init__(self, store: ImageStore, large: Executor) -> None:
        self.store = store
        self._large = large
        self._kept: dict[Digest, Manifest] = {}
        self._left = KEPT_BYTES
        self._lock = threading.Lock()

    def digest_of(self, reference: Digest | ImageTag) -> Digest | None:
        return self.store.digest_of(reference)

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        return self.store.referrers(subject)

    def manifest(self, reference: Digest | ImageTag) -> Manifest:
        if isinstance(reference, Digest) and (kept := self._kept.get(reference)) is not None:
            return kept
        manifest = self.store.manifest(reference)
        if len(manifest.content) <= min(self._left, LARGE_BYTES):
            self.remember(manifest)
        return manifest

    def use[Found](self, manifest: Descriptor, do: Callable[[Manifest], Found]) -> Found:
        """What is made of a manifest that has just been read. It is not to be held any longer."""
        if manifest.size <= LARGE_BYTES:
            return do(self.manifest(manifest.digest))
        return self._large.submit(lambda: do(self.manifest(manifest.digest))).result()

    def remember(self, manifest: Manifest) -> None:
        """Keep what is nowhere else to be read, or is read soon again."""
        with self._lock:
            if manifest.digest not in self._kept:
                self._kept[manifest.digest] = manifest
                self._left -= len(manifest.content)


class Ahead:
    """A ``ManifestSource`` for one graph, which reads manifests before they are looked at, a few at a time.

    ``pool`` is for nothing else: whoever looks at a manifest waits for it. What is large comes without its bytes, and
    when it is asked for.
    """

    def __init__(self, source: Remembering, pool: Executor) -> None:
        self._source = source
        self._pool = pool
        self._coming: dict[Digest, Future[Manifest]] = {}
        self._expected: deque[Digest] = deque()
        self._listed: dict[Digest, Descriptor] = {}

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        return self._source.referrers(subject)

    def manifest(self, reference: Digest | ImageTag) -> Manifest:
        coming = listed = None
        if isinstance(reference, Digest):
            coming, listed = self._coming.pop(reference, None), self._listed.get(reference)
            with suppress(ValueError):
                self._expected.remove(reference)
        self._go_ahead()
        if listed is None:
            return self._source.manifest(reference)
        return coming.result() if coming else self._read(listed)

    def expect(self, manifests: Sequence[Descriptor]) -> None:
        """Begin to read manifests that are asked for soon, in this order."""
        self._listed |= {each.digest: each for each in manifests}
        self._expected.extendleft(each.digest for each in reversed(manifests) if each.size <= LARGE_BYTES)
        self._go_ahead()

    def _read(self, listed: Descriptor) -> Manifest:
        """Raises InvalidManifestError for what is large and was said to be small: it would be many at a time."""
        if listed.size > LARGE_BYTES:
            return self._source.use(listed, lambda read: replace(read, content=b"", annotations={}))
        manifest = self._source.manifest(listed.digest)
        if len(manifest.content) > LARGE_BYTES:
            size = len(manifest.content)
            raise InvalidManifestError(f"{listed.digest} has {size} bytes, and is listed with {listed.size}")
        return manifest

    def _go_ahead(self) -> None:
        while self._expected and len(self._coming) < AHEAD:
            digest = self._expected.popleft()
            if digest not in self._coming:
                self._coming[digest] = self._pool.submit(self._read, self._listed[digest])
