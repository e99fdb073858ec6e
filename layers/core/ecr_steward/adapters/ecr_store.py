"""One repository of ECR as an ``ImageStore``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.kept_manifests import KeptManifests
from ecr_steward.adapters.registry_store import RegistryStore
from ecr_steward.adapters.translation import translated
from ecr_steward.domain.images import Manifest
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RegistryRef, RepositoryRef
from ecr_steward.errors import RepositoryNotFoundError

LAYERS_AT_ONCE = 100
"""The most that one call takes (BatchCheckLayerAvailability API reference)."""


@dataclass(frozen=True)
class EcrStore(RegistryStore):
    """A ``RegistryStore`` that asks ECR's API for many blobs at once, and reads a small manifest once.

    What ECR cannot say of one, in ``failures[]``, is left to ``has_blob``. A repository that is not there has none.
    """

    clients: AwsClients
    registry: RegistryRef
    kept: KeptManifests = field(default_factory=KeptManifests)

    def manifest(self, reference: Digest | ImageTag) -> Manifest:
        if not isinstance(reference, Digest):
            return super().manifest(reference)
        image = ImageRef(RepositoryRef(self.registry, self.repository_name), reference)
        return self.kept.get(image, lambda: RegistryStore.manifest(self, reference))

    def known_blobs(self, digests: Sequence[Digest]) -> Mapping[Digest, bool]:
        try:
            return dict(self._told(digests))
        except RepositoryNotFoundError:
            return dict.fromkeys(digests, False)

    def _told(self, digests: Sequence[Digest]) -> Iterator[tuple[Digest, bool]]:
        client = self.clients.ecr(self.registry)
        for some in batched(dict.fromkeys(digests), LAYERS_AT_ONCE, strict=False):
            with translated("ecr:BatchCheckLayerAvailability", RepositoryRef(self.registry, self.repository_name)):
                answer = client.batch_check_layer_availability(
                    registryId=self.registry.account,
                    repositoryName=self.repository_name,
                    layerDigests=[digest.value for digest in some],
                )
            for layer in answer.get("layers", []):
                yield Digest(layer["layerDigest"]), layer["layerAvailability"] == "AVAILABLE"
