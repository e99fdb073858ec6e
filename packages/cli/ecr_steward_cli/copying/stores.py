"""From places to stores: which address, and which login."""

# ruff: noqa: PLC0415 - botocore takes longer to import than many a copy takes, and only ECR needs it

import os
from collections.abc import Mapping
from functools import cache, cached_property, partial
from typing import TYPE_CHECKING

from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.proxies import Proxies
from ecr_steward.adapters.registry_store import RegistryStore
from ecr_steward.adapters.schemes import scheme_of
from ecr_steward.adapters.token_servers import TOKEN_SERVERS, ChallengedLogin, IdentityToken, KeptLogin
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.errors import AccessDeniedError, ImageNotFoundError
from ecr_steward.ports.stores import ImageStore
from ecr_steward_cli.copying.docker_config import DockerConfigError, login_for
from ecr_steward_cli.copying.layout import LayoutStore
from ecr_steward_cli.copying.places import FolderPlace, Place, RegistryPlace

if TYPE_CHECKING:
    from ecr_steward.adapters.clients import AwsClients


class Stores:
    """Opens places. One transport serves them all."""

    def __init__(self, *, insecure: bool, idle: int, token_servers: Mapping[str, str] | None = None) -> None:
        """``insecure`` allows plain HTTP to other machines. ``token_servers`` are known beside the usual ones."""
        self._insecure = insecure
        self._transport = Transport(idle=idle, proxies=Proxies(os.environ))
        self._token_servers = {**TOKEN_SERVERS, **(token_servers or {})}

    def source(self, place: Place) -> ImageStore:
        """A place to read from.

        Raises AccessDeniedError, RegistryUnavailableError, and ImageNotFoundError for a folder that is no layout.
        """
        if isinstance(place, FolderPlace) and not (place.folder / "index.json").is_file():
            raise ImageNotFoundError(f"{place.folder} is no OCI image layout: it has no index.json")
        return self._open(place, "pull")

    def destination(self, place: Place, source: Place) -> ImageStore:
        """A place to write to. Likewise. A neighbour of the source may take its blobs from there."""
        is_neighbour = (
            isinstance(place, RegistryPlace) and isinstance(source, RegistryPlace) and place.host == source.host
        )
        return self._open(place, "pull,push", source if is_neighbour else None)

    def _open(self, place: Place, actions: str, neighbour: Place | None = None) -> ImageStore:
        if isinstance(place, FolderPlace):
            return LayoutStore(place.folder)
        scopes = [f"repository:{place.repository_name}:{actions}"]
        if isinstance(neighbour, RegistryPlace):
            scopes.append(f"repository:{neighbour.repository_name}:pull")
        kept = cache(partial(_kept_login, place.host))  # a helper may ask a person, or take its time
        if place.registry:
            elsewhere = _endpoint_of_ecr()
            repository = RepositoryRef(place.registry, place.repository_name)
            return self._of_ecr(place.host, repository, None if elsewhere else kept(), elsewhere)
        origin = f"{scheme_of(place.host, insecure=self._insecure, transport=self._transport)}://{place.host}"
        login = ChallengedLogin(origin, tuple(scopes), kept, self._transport, self._token_servers)
        client = DistributionClient(
            origin,
            login.authorization,
            challenged=login.challenged,
            transport=self._transport,
            is_ecr=False,
        )
        return RegistryStore(client, place.repository_name)

    def _of_ecr(
        self, host: str, repository: RepositoryRef, kept: KeptLogin | None, elsewhere: str | None
    ) -> ImageStore:
        """ECR by the login that Docker keeps; without one by AWS's own, with the address that AWS tells.

        ``elsewhere`` is where the environment has ECR be: AWS's own login is for there, a kept one is for AWS.
        """
        if isinstance(kept, IdentityToken):
            raise AccessDeniedError(
                f"an identity token is kept for {host}, which ECR does not take: docker logout {host} lets AWS's own "
                "login be used"
            )
        if kept is not None:
            from ecr_steward_cli.copying.ecr_login import EcrLogin

            login = EcrLogin(f"https://{host}", kept, repository.registry, self._transport, lambda: self.aws)
            client = DistributionClient(login.origin, login.authorization, renew=login.renew, transport=self._transport)
            return RegistryStore(client, repository.name)
        from ecr_steward.adapters.registry_content import RegistryContent

        try:
            return RegistryContent(self.aws, self._transport).store(repository)
        except AccessDeniedError as error:
            error.add_note(
                f"ECR is at {elsewhere}, as the environment says, so a login that is kept for {host} is not for it"
                if elsewhere
                else f"no login is kept for {host}: run docker login, or see to AWS's own credentials"
            )
            raise

    @cached_property
    def aws(self) -> "AwsClients":
        """Clients as AWS's own credentials."""
        from ecr_steward.adapters.clients import AwsClients

        return AwsClients()


def _endpoint_of_ecr(environment: Mapping[str, str] = os.environ) -> str | None:
    """Where the environment has ECR be, if not at AWS (AWS SDKs and Tools Reference Guide, "Service-specific
    endpoints"). What a profile says is not looked for: that would take botocore."""
    if environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return None
    return environment.get("AWS_ENDPOINT_URL_ECR") or environment.get("AWS_ENDPOINT_URL") or None


def _kept_login(host: str) -> KeptLogin | None:
    try:
        return login_for(host)
    except DockerConfigError as cause:
        raise AccessDeniedError(str(cause)) from cause
