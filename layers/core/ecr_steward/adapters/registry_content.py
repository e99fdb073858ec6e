"""The ``ImageContent`` port over the ``/v2/`` face of registries: ECR's, and others that rules copy to."""

import copy
from collections.abc import Mapping
from typing import Self

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.ecr_store import EcrStore
from ecr_steward.adapters.image_config import parse_labels
from ecr_steward.adapters.kept_manifests import KeptManifests
from ecr_steward.adapters.other_registries import OtherRegistries
from ecr_steward.adapters.registry_login import RegistryLogin
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.deadline import NEVER, Deadline
from ecr_steward.domain.images import Descriptor
from ecr_steward.domain.names import OtherRepository, RegistryRef, RepositoryRef
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.stores import ImageStore


class RegistryContent:
    """An ``ImageContent``: each registry is logged in to when it is first asked for something."""

    def __init__(
        self,
        clients: AwsClients,
        transport: Transport | None = None,
        now: Clock = utc_now,
        other_registries: Mapping[str, str | None] | None = None,
    ) -> None:
        """``other_registries`` are those beside ECR that images may be copied to; see ``OtherRegistries``."""
        self._aws = clients
        self._login = RegistryLogin(clients, now)
        self._transport = transport or Transport()
        self._others = OtherRegistries(clients, self._transport, other_registries)
        self._clients: dict[RegistryRef, DistributionClient] = {}
        self._kept = KeptManifests()

    def for_job(self, deadline: Deadline = NEVER) -> Self:
        made = copy.copy(self)
        made._transport = self._transport.for_job(deadline)
        made._others = self._others.over(made._transport)
        made._clients = {}
        made._kept = KeptManifests()
        return made

    def store(self, repository: RepositoryRef) -> ImageStore:
        return EcrStore(self._of(repository.registry), repository.name, self._aws, repository.registry, self._kept)

    def elsewhere(self, repository: OtherRepository) -> ImageStore:
        return self._others.store(repository)

    def labels(self, repository: RepositoryRef, config: Descriptor) -> Mapping[str, str]:
        return parse_labels(self._of(repository.registry).get_config(repository.name, config), config.digest)

    def _of(self, registry: RegistryRef) -> DistributionClient:
        if registry not in self._clients:
            self._clients[registry] = DistributionClient(
                self._login.to(registry).endpoint,
                lambda: self._login.to(registry).authorization,
                renew=lambda: self._login.renew(registry),
                transport=self._transport,
            )
        return self._clients[registry]
