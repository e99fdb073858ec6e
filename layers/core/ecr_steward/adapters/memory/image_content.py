"""Manifests and blobs in memory, over the same images as a ``InMemoryRegistry``."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from threading import RLock
from typing import Self

from ecr_steward.adapters.memory.registry import InMemoryRegistry
from ecr_steward.adapters.memory.stores import InMemoryStore
from ecr_steward.domain.deadline import NEVER, Deadline
from ecr_steward.domain.images import Descriptor, Image, Manifest
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, OtherRepository, RepositoryRef
from ecr_steward.errors import (
    DigestMismatchError,
    ImageNotFoundError,
    InvalidManifestError,
    RefusedByRegistryError,
    StewardError,
)
from ecr_steward.ports.stores import ImageStore


class InMemoryImageContent:
    """An ``ImageContent``. What is put here is an image of the registry, and what is deleted there is gone here."""

    def __init__(self, registry: InMemoryRegistry, manifests: Iterable[tuple[RepositoryRef, Manifest]] = ()) -> None:
        """Each manifest of ``manifests`` is held with all its blobs, untagged where the registry lacks it."""
        self.calls = registry.calls
        self.damaged: set[tuple[RepositoryRef, Digest]] = set()
        """Blobs whose bytes are not those of their digest."""
        self.before_reading: Callable[[RepositoryRef], None] = lambda _: None
        """What happens before the bytes of a blob come that goes to a repository."""
        self._deadline = NEVER
        self._labels: dict[Digest, Mapping[str, str] | StewardError] = {}
        self._registry = registry
        self._lock = RLock()
        self._manifests: dict[ImageRef, Manifest] = {}
        self._blobs: set[tuple[RepositoryRef, Digest]] = set()
        self._others: dict[OtherRepository, InMemoryStore] = {}
        for repository, manifest in manifests:
            self.hold(repository, manifest)

    def hold(self, repository: RepositoryRef, manifest: Manifest) -> None:
        """Have a manifest with all its blobs, as after a client's push by digest."""
        self._registry.create_missing(repository)
        self._blobs.update((repository, blob.digest) for blob in manifest.stored_blobs)
        self._keep(repository, manifest)

    def hold_blob(self, repository: RepositoryRef, blob: Digest) -> None:
        """Have a blob that no manifest needs yet."""
        self._registry.create_missing(repository)
        self._blobs.add((repository, blob))

    def hold_labels(self, config: Digest, labels: Mapping[str, str] | StewardError) -> None:
        """Have a config say these labels, or be one that cannot be read. Others say none."""
        self._labels[config] = labels

    def for_job(self, deadline: Deadline = NEVER) -> Self:
        made = copy.copy(self)
        made._deadline = deadline
        return made

    def store(self, repository: RepositoryRef) -> ImageStore:
        return _Held(self, repository)

    def elsewhere(self, repository: OtherRepository) -> InMemoryStore:
        """A repository of a registry that is not ECR; empty until something is put there."""
        with self._lock:
            return self._others.setdefault(repository, _Elsewhere(self.calls))

    def manifest(self, repository: RepositoryRef, digest: Digest) -> Manifest:
        with self._lock, self._asked("manifest", repository, digest):
            self._registry.settings_of(repository)
            found = self._find(repository, digest)
            if found is None:
                raise ImageNotFoundError(f"there is no image {ImageRef(repository, digest)}")
            self._registry.record_pull(ImageRef(repository, digest))
            return found

    def labels(self, repository: RepositoryRef, config: Descriptor) -> Mapping[str, str]:
        with self._asked("labels", repository, config):
            if (repository, config.digest) not in self._blobs:
                raise ImageNotFoundError(f"there is no blob {config.digest} in {repository}")
            if (repository, config.digest) in self.damaged:
                raise DigestMismatchError(f"{repository} sent other bytes than those of {config.digest}")
            found = self._labels.get(config.digest, {})
            if isinstance(found, StewardError):
                raise found
            return found

    def has_blob(self, repository: RepositoryRef, digest: Digest) -> bool:
        with self._lock, self._asked("has_blob", repository, digest):
            return (repository, digest) in self._blobs

    def referrers(self, repository: RepositoryRef, subject: Digest) -> tuple[Descriptor, ...]:
        with self._lock, self._asked("referrers", repository, subject):
            return tuple(
                manifest.descriptor
                for ref, manifest in self._manifests.items()
                if ref.repository == repository
                and manifest.subject is not None
                and manifest.subject.digest == subject
                and self._registry.holds(ref)
            )

    def copy_blob(self, source: RepositoryRef, destination: RepositoryRef, blob: Descriptor) -> None:
        with self._lock, self._asked("copy_blob", source, destination, blob):
            self._registry.settings_of(source)
            self._registry.settings_of(destination)
            if (source, blob.digest) not in self._blobs:
                raise ImageNotFoundError(f"there is no blob {blob.digest} in {source}")
            if (source, blob.digest) in self.damaged:
                raise DigestMismatchError(f"{source} sent other bytes than those of {blob.digest}")
            self._blobs.add((destination, blob.digest))

    def put_manifest(self, repository: RepositoryRef, manifest: Manifest) -> None:
        with self._lock, self._asked("put_manifest", repository, manifest):
            self._registry.settings_of(repository)
            if not manifest.content:
                raise InvalidManifestError(f"{manifest.digest} is empty")
            missing = [blob.digest for blob in manifest.stored_blobs if (repository, blob.digest) not in self._blobs]
            missing += [child.digest for child in manifest.children if not self._find(repository, child.digest)]
            if missing:
                raise RefusedByRegistryError(f"{repository} lacks {', '.join(map(str, missing))} of {manifest.digest}")
            self._keep(repository, manifest)

    def images_in(self, repository: RepositoryRef) -> Iterable[Image]:
        """What the registry has there."""
        return self._registry.images_in(repository)

    def _asked(self, method: str, *arguments: object) -> AbstractContextManager[None]:
        self._deadline.require()
        return self.calls.record(method, *arguments)

    def _find(self, repository: RepositoryRef, digest: Digest) -> Manifest | None:
        ref = ImageRef(repository, digest)
        return self._manifests.get(ref) if self._registry.holds(ref) else None

    def _can_run(self, repository: RepositoryRef, digest: Digest) -> bool:
        return any(image.digest == digest and image.can_run for image in self._registry.images_in(repository))

    def _size(self, repository: RepositoryRef, index: Manifest) -> int:
        """That of its largest child (``imageSizeInBytes`` of DescribeImages)."""
        held = {image.digest: image.size or 0 for image in self._registry.images_in(repository)}
        return max((held.get(child.digest, 0) for child in index.children), default=0)

    def _keep(self, repository: RepositoryRef, manifest: Manifest) -> None:
        ref = ImageRef(repository, manifest.digest)
        self._manifests[ref] = manifest
        subject = manifest.subject.digest if manifest.subject else None
        layers = sum(layer.size for layer in manifest.blobs[1:])
        image = Image(
            ref,
            subject=subject,
            media_type=manifest.descriptor.media_type,
            artifact_media_type=manifest.blobs[0].media_type if manifest.blobs and not manifest.is_index else None,
            size=self._size(repository, manifest) if manifest.is_index else layers,
            can_run=manifest.can_run or any(self._can_run(repository, child.digest) for child in manifest.children),
        )
        self._registry.push(image)
        if manifest.is_index:
            self._registry.hold_children(ref, manifest.children)


@dataclass(frozen=True)
class _Held:
    """What one repository holds, as an ``ImageStore``. Its blobs have no bytes."""

    content: InMemoryImageContent
    repository: RepositoryRef
    is_believed = True

    def image_tags(self) -> Iterator[ImageTag]:
        yield from sorted(tag for image in self._images() for tag in image.image_tags)

    def digest_of(self, reference: Digest | ImageTag) -> Digest | None:
        return next((i.digest for i in self._images() if reference in (i.digest, *i.image_tags)), None)

    def manifest(self, reference: Digest | ImageTag) -> Manifest:
        digest = reference if isinstance(reference, Digest) else self.digest_of(reference)
        if digest is None:
            raise ImageNotFoundError(f"there is no {reference} in {self.repository}")
        return self.content.manifest(self.repository, digest)

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        return self.content.referrers(self.repository, subject)

    def has_blob(self, digest: Digest) -> bool:
        return self.content.has_blob(self.repository, digest)

    def known_blobs(self, digests: Sequence[Digest]) -> Mapping[Digest, bool]:
        return {}

    def read_blob(self, blob: Descriptor) -> AbstractContextManager[Iterable[bytes]]:
        return nullcontext([b""])

    def write_blob(
        self, blob: Descriptor, source: ImageStore, read: Callable[[], AbstractContextManager[Iterable[bytes]]]
    ) -> bool:
        if not isinstance(source, _Held):
            raise TypeError(f"{self} takes blobs from its own kind only")
        self.content.before_reading(self.repository)
        with read() as chunks:
            list(chunks)
        self.content.copy_blob(source.repository, self.repository, blob)
        return True

    def put_manifest(self, manifest: Manifest, image_tag: ImageTag | None = None, *, is_top: bool = False) -> None:
        if image_tag is not None:
            raise TypeError("image tags of rules are added by the registry")
        self.content.put_manifest(self.repository, manifest)

    def _images(self) -> list[Image]:
        return list(self.content.images_in(self.repository))


class _Elsewhere(InMemoryStore):
    """A registry that is not ECR. The blobs that it gets here have no bytes."""

    def write_blob(
        self, blob: Descriptor, source: ImageStore, read: Callable[[], AbstractContextManager[Iterable[bytes]]]
    ) -> bool:
        with read() as chunks, self.calls.record("write_blob", blob.digest):
            list(chunks)
            self.blobs[blob.digest] = b""
        return True
