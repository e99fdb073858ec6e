"""Logins to the ``/v2/`` face of ECR registries."""

from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.translation import translated
from ecr_steward.domain.names import RegistryRef
from ecr_steward.errors import RefusedByRegistryError
from ecr_steward.ports.clock import Clock


@dataclass(frozen=True)
class Login:
    """What GetAuthorizationToken answered for one registry."""

    endpoint: str
    """Such as ``https://111122223333.dkr.ecr.eu-west-1.amazonaws.com``."""
    authorization: str
    """The value of the ``Authorization`` header. A secret."""
    stale_at: datetime
    """Half of its life is over then. Tokens die early at times, so none is used for longer."""

    def __repr__(self) -> str:
        return f"Login({self.endpoint}, stale at {self.stale_at:%H:%M:%S})"


class RegistryLogin:
    """Logins, kept until half of their life is over. Safe to use from several threads."""

    def __init__(self, clients: AwsClients, now: Clock) -> None:
        """A login speaks as whoever fetched it: here as whom the clients speak as to the registry."""
        self._clients = clients
        self._now = now
        self._logins: dict[RegistryRef, Login] = {}
        self._lock = Lock()

    def to(self, registry: RegistryRef) -> Login:
        """A login that the registry should accept.

        Raises AccessDeniedError, with AccountNotConnectedError and RoleNotAssumableError, and the retryable errors.
        """
        with self._lock:
            login = self._logins.get(registry)
            if login is None or login.stale_at <= self._now():
                login = self._logins[registry] = self._new(registry)
            return login

    def renew(self, registry: RegistryRef) -> None:
        """Forget a login that the registry did not accept."""
        with self._lock:
            self._logins.pop(registry, None)

    def _new(self, registry: RegistryRef) -> Login:
        now = self._now()
        with translated("ecr:GetAuthorizationToken", registry):
            # registryIds is deprecated and widens nothing, but tells which registry's address we want.
            client = self._clients.ecr(registry)
            answer = client.get_authorization_token(registryIds=[registry.account])
        for data in answer["authorizationData"]:
            return Login(
                endpoint=data["proxyEndpoint"],
                authorization=f"Basic {data['authorizationToken']}",
                stale_at=now + (data["expiresAt"] - now) / 2,
            )
        raise RefusedByRegistryError(f"ecr:GetAuthorizationToken on {registry}: there is no login in the answer")
