"""An ``ImageStore`` in memory."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from threading import RLock

from ecr_steward.adapters.blobs import Verified
from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.errors import ImageNotFoundError, RefusedByRegistryError
from ecr_steward.ports.stores import ImageStore


class InMemoryStore:
    """One repository, which takes no manifest before what it points to, as most registries."""

    is_believed = False

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.manifests: dict[Digest, Manifest] = {}
        self.blobs: dict[Digest, bytes] = {}
        self.tags: dict[ImageTag, Digest] = {}
        self._lock = RLock()

    def image_tags(self) -> Iterator[ImageTag]:
        with self._lock, self.calls.record("image_tags"):
            yield from sorted(self.tags)

    def digest_of(self, reference: Digest | ImageTag) -> Digest | None:
        with self._lock, self.calls.record("digest_of", reference):
            digest = reference if isinstance(reference, Digest) else self.tags.get(reference)
            return digest if digest in self.manifests else None

    def manifest(self, reference: Digest | ImageTag) -> Manifest:
        with self._lock, self.calls.record("manifest", reference):
            digest = reference if isinstance(reference, Digest) else self.tags.get(reference)
            if digest not in self.manifests:
                raise ImageNotFoundError(f"there is no {reference}")
            return self.manifests[digest]

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        with self._lock, self.calls.record("referrers", subject):
            return tuple(
                each.descriptor
                for each in self.manifests.values()
                if each.subject is not None and each.subject.digest == subject
            )

    def has_blob(self, digest: Digest) -> bool:
        with self._lock, self.calls.record("has_blob", digest):
            return digest in self.blobs

    def known_blobs(self, digests: Sequence[Digest]) -> Mapping[Digest, bool]:
        return {}

    @contextmanager
    def read_blob(self, blob: Descriptor) -> Iterator[Iterable[bytes]]:
        with self._lock, self.calls.record("read_blob", blob.digest):
            if blob.digest not in self.blobs:
                raise ImageNotFoundError(f"there is no {blob.digest}")
            content = self.blobs[blob.digest]
        half = len(content) // 2
        yield [content[:half], content[half:]]

    def write_blob(
        self, blob: Descriptor, source: ImageStore, read: Callable[[], AbstractContextManager[Iterable[bytes]]]
    ) -> bool:
        with read() as chunks:
            content = b"".join(Verified(chunks, blob))
        with self._lock, self.calls.record("write_blob", blob.digest):
            self.blobs[blob.digest] = content
        return True

    def put_manifest(self, manifest: Manifest, image_tag: ImageTag | None, *, is_top: bool = False) -> None:
        with self._lock, self.calls.record("put_manifest", image_tag or manifest.digest):
            for blob in manifest.stored_blobs:
                if blob.digest not in self.blobs:
                    raise RefusedByRegistryError(f"{manifest.digest} needs the blob {blob.digest}")
            for child in manifest.children:
                if child.digest not in self.manifests:
                    raise RefusedByRegistryError(f"{manifest.digest} needs the manifest {child.digest}")
            self.manifests[manifest.digest] = manifest
            if image_tag is not None:
                self.tags[image_tag] = manifest.digest
