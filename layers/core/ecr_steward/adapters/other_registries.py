"""Registries that are not ECR, as rules name them: which may be copied to, and by which login."""

import copy
from collections.abc import Callable, Mapping
from functools import partial
from typing import Self

from botocore.exceptions import ClientError

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.distribution import DistributionClient
from ecr_steward.adapters.docker_logins import LoginsError, keys_of, login_at, read_logins
from ecr_steward.adapters.registry_store import RegistryStore
from ecr_steward.adapters.schemes import scheme_of
from ecr_steward.adapters.token_servers import TOKEN_SERVERS, ChallengedLogin, KeptLogin
from ecr_steward.adapters.translation import code_of, translated
from ecr_steward.adapters.transport import Transport
from ecr_steward.domain.names import OtherRepository
from ecr_steward.errors import AccessDeniedError, RegistryNotAllowedError
from ecr_steward.ports.stores import ImageStore


class OtherRegistries:
    """Opens repositories of registries that are not ECR. Nothing is asked for before the first request."""

    def __init__(
        self, clients: AwsClients, transport: Transport, allowed: Mapping[str, str | None] | None = None
    ) -> None:
        """``allowed`` are the hosts that images may go to, and their token servers, as ``hosts_in`` answers.

        ``None``: a person copies, who may copy anywhere.
        """
        self._aws = clients
        self._transport = transport
        self._allowed = allowed
        self._clients: dict[OtherRepository, DistributionClient] = {}

    def over(self, transport: Transport) -> Self:
        """The same over another transport, such as one whose time is limited."""
        made = copy.copy(self)
        made._transport = transport
        made._clients = {}
        return made

    def store(self, repository: OtherRepository) -> ImageStore:
        """A repository as a store. Raises RegistryNotAllowedError and RegistryUnavailableError."""
        if self._allowed is not None and repository.host not in self._allowed:
            raise RegistryNotAllowedError(
                f"{repository.host} is a registry that this deployment may not copy to: name it in the template's "
                "parameter OtherRegistries, or take it out of the rulebook"
            )
        if repository not in self._clients:
            self._clients[repository] = self._opened(repository)
        return RegistryStore(self._clients[repository], repository.name)

    def _opened(self, repository: OtherRepository) -> DistributionClient:
        origin = f"{scheme_of(repository.host)}://{repository.host}"
        scopes = (f"repository:{repository.name}:pull,push",)
        told = (self._allowed or {}).get(repository.host)
        token_servers = {**TOKEN_SERVERS, **({repository.host: told} if told else {})}
        login = ChallengedLogin(origin, scopes, _read_by(self._aws, repository), self._transport, token_servers)
        return DistributionClient(
            origin, login.authorization, challenged=login.challenged, transport=self._transport, is_ecr=False
        )


def _read_by(clients: AwsClients, repository: OtherRepository) -> Callable[[], KeptLogin | None]:
    """Reads the login each time that it is needed, which is seldom: one that was renewed meanwhile is the new one."""
    if repository.login is None:
        return lambda: None
    return partial(_login, clients, repository.host, repository.login)


def _login(clients: AwsClients, host: str, name: str) -> KeptLogin:
    """The login to a registry in a secret. Needs secretsmanager:GetSecretValue. Raises AccessDeniedError."""
    where = f"the secret {name}"
    with translated("secretsmanager:GetSecretValue", name):
        try:
            text = clients.secretsmanager.get_secret_value(SecretId=name).get("SecretString", "")
        except ClientError as cause:
            if code_of(cause) != "ResourceNotFoundException":
                raise
            raise AccessDeniedError(f"{where} is not there: create it, with the login to {host}") from cause
    try:
        document = read_logins(text, where)
        found = next((login for key in keys_of(host) if (login := login_at(document, key, where))), None)
    except LoginsError as cause:
        raise AccessDeniedError(f"{cause}; it should be as Docker writes it into config.json") from cause
    if found is None:
        raise AccessDeniedError(f'{where} has no login for {host}: it needs {{"auths": {{"{host}": {{"auth": ...}}}}}}')
    return found
