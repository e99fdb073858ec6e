"""One repository of a registry as an ``ImageStore``."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.ports.stores import ImageStore


@dataclass(frozen=True)
class RegistryStore:
    """An ``ImageStore`` over a registry's ``/v2/`` face."""

    client: DistributionClient
    repository_name: str

    @property
    def is_believed(self) -> bool:
        return self.client.is_ecr

    def image_tags(self) -> Iterator[ImageTag]:
        return self.client.image_tags(self.repository_name)

    def digest_of(self, reference: Digest | ImageTag) -> Digest | None:
        return self.client.digest_of(self.repository_name, reference)

    def manifest(self, reference: Digest | ImageTag) -> Manifest:
        return self.client.get_manifest(self.repository_name, reference)

    def referrers(self, subject: Digest) -> tuple[Descriptor, ...]:
        return self.client.referrers(self.repository_name, subject)

    def has_blob(self, digest: Digest) -> bool:
        return self.client.blob_exists(self.repository_name, digest)

    def known_blobs(self, digests: Sequence[Digest]) -> Mapping[Digest, bool]:
        return {}

    def read_blob(self, blob: Descriptor) -> AbstractContextManager[Iterable[bytes]]:
        return self.client.read_blob(self.repository_name, blob)

    def write_blob(
        self, blob: Descriptor, source: ImageStore, read: Callable[[], AbstractContextManager[Iterable[bytes]]]
    ) -> bool:
        is_neighbour = isinstance(source, RegistryStore) and source.client.origin == self.client.origin
        mount_from = source.repository_name if is_neighbour and isinstance(source, RegistryStore) else None
        return self.client.have_blob(self.repository_name, blob, read, mount_from)

    def put_manifest(self, manifest: Manifest, image_tag: ImageTag | None, *, is_top: bool = False) -> None:
        reference = image_tag or manifest.digest
        self.client.put_manifest(self.repository_name, reference, manifest.content, manifest.descriptor.media_type)
