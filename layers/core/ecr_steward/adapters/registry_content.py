"""The ``ImageContent`` port over the ``/v2/`` face of ECR registries."""

from collections.abc import Mapping

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.image_config import parse_labels
from ecr_steward.adapters.registry_login import RegistryLogin
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.images import Descriptor, Manifest
from ecr_steward.domain.names import Digest, RegistryRef, RepositoryRef
from ecr_steward.ports.clock import Clock


class RegistryContent:
    """An ``ImageContent``: each registry is logged in to when it is first asked for something."""

    def __init__(self, clients: AwsClients, transport: Transport | None = None, now: Clock = utc_now) -> None:
        self._login = RegistryLogin(clients, now)
        self._transport = transport or Transport()
        self._clients: dict[RegistryRef, DistributionClient] = {}

    def manifest(self, repository: RepositoryRef, digest: Digest) -> Manifest:
        return self._of(repository).get_manifest(repository.name, digest)

    def labels(self, repository: RepositoryRef, config: Descriptor) -> Mapping[str, str]:
        return parse_labels(self._of(repository).get_config(repository.name, config), config.digest)

    def has_blob(self, repository: RepositoryRef, digest: Digest) -> bool:
        return self._of(repository).blob_exists(repository.name, digest)

    def referrers(self, repository: RepositoryRef, subject: Digest) -> tuple[Descriptor, ...]:
        return self._of(repository).referrers(repository.name, subject)

    def copy_blob(self, source: RepositoryRef, destination: RepositoryRef, blob: Descriptor) -> None:
        self._of(source).copy_blob(source.name, self._of(destination), destination.name, blob)

    def put_manifest(self, repository: RepositoryRef, manifest: Manifest) -> None:
        self._of(repository).put_manifest(
            repository.name, manifest.digest, manifest.content, manifest.descriptor.media_type
        )

    def _of(self, repository: RepositoryRef) -> DistributionClient:
        registry = repository.registry
        if registry not in self._clients:
            self._clients[registry] = DistributionClient(
                self._login.to(registry).endpoint,
                lambda: self._login.to(registry).authorization,
                renew=lambda: self._login.renew(registry),
                transport=self._transport,
            )
        return self._clients[registry]
