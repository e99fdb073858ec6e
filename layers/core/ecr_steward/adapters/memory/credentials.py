"""Fakes of registry logins and of the secrets that they are kept in."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import count

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.domain.credentials import TOKEN_LIFE, AuthorizationToken, SecretText, SecretVersion, StoredSecret
from ecr_steward.domain.names import RegistryRef
from ecr_steward.errors import (
    AccountNotConnectedError,
    CredentialRefusedError,
    RefusedByRegistryError,
    RegistryUnavailableError,
    RoleNotAssumableError,
)

LARGEST_TEXT = 65_536


@dataclass(frozen=True)
class InMemoryRole:
    """What a role may do at the registries of its account."""

    may_pull: bool = True
    may_push: bool = False


class InMemoryLogins:
    """A ``Logins``: the roles of each connected account. Every login has a password of its own."""

    def __init__(self, now: Callable[[], datetime], calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.roles: dict[tuple[str, str], InMemoryRole] = {}
        """By account and name."""
        self.own_role: tuple[str, str] | None = None
        self.passwords: list[str] = []
        """Of the logins that were given out: no log, error or notice may hold one."""
        self.dead: set[str] = set()
        """Those of them that the registry knows no more, whatever their age."""
        self._now = now
        self._numbers = count(1)

    def fetch(self, registry: RegistryRef, role: str) -> AuthorizationToken:
        with self.calls.record("fetch", registry, role):
            if (registry.account, role) == self.own_role:
                raise CredentialRefusedError(f"{role} is the role of the caller itself")
            if registry.account not in {account for account, _ in self.roles}:
                raise AccountNotConnectedError(f"the account {registry.account} is not connected")
            if (registry.account, role) not in self.roles:
                raise RoleNotAssumableError(f"the role {role} of {registry.account} cannot be assumed")
            self.passwords.append(f"canary-{next(self._numbers)}")
            return AuthorizationToken(
                registry=registry,
                role=role,
                endpoint=f"https://{registry.account}.dkr.ecr.{registry.region}.amazonaws.com",
                username="AWS",
                password=SecretText(self.passwords[-1]),
                expires_at=self._now() + TOKEN_LIFE,
            )

    def may_pull(self, token: AuthorizationToken) -> bool:
        with self.calls.record("may_pull", token):
            is_known = token.password.reveal in set(self.passwords) - self.dead
            return is_known and self.roles[token.registry.account, token.role].may_pull

    def may_push(self, token: AuthorizationToken) -> bool:
        with self.calls.record("may_push", token):
            return self.roles[token.registry.account, token.role].may_push


class InMemorySecrets:
    """A ``Secrets``: each secret with all that was ever written into it, the current version last."""

    def __init__(self, now: Callable[[], datetime], calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.deleted: set[str] = set()
        """Those that are marked for deletion."""
        self._versions: dict[str, list[SecretVersion]] = {}
        self._now = now
        self._numbers = count(1)

    def hold(self, name: str, *texts: str | None) -> None:
        """Have somebody else write a secret: nothing at all, or one version after the other; ``None`` is bytes."""
        versions = self._versions.setdefault(name, [])
        for text in texts:
            self._write(versions, SecretText(text) if text is not None else None, "somebody-else-")

    def texts(self, name: str) -> list[str | None]:
        """What was written into a secret, in order."""
        return [version.text.reveal if version.text else None for version in self._versions[name]]

    @property
    def names(self) -> set[str]:
        """The secrets that are there."""
        return set(self._versions)

    def read(self, name: str) -> StoredSecret | None:
        with self.calls.record("read", name):
            if name in self.deleted:
                raise RefusedByRegistryError(f"the secret {name} is marked for deletion: restore it")
            versions = self._versions.get(name)
            return None if versions is None else StoredSecret(versions[-1] if versions else None)

    def put(self, name: str, text: SecretText, version_stamp: str) -> None:
        with self.calls.record("put", name, text, version_stamp):
            _check_size(name, text)
            if name not in self._versions:
                raise RefusedByRegistryError(f"there is no secret {name}")
            self._write(self._versions[name], text, version_stamp)

    def create(self, name: str, text: SecretText, version_stamp: str) -> None:
        with self.calls.record("create", name, text, version_stamp):
            _check_size(name, text)
            if name in self._versions:
                raise RegistryUnavailableError(f"somebody else has created the secret {name}")
            self._write(self._versions.setdefault(name, []), text, version_stamp)

    def _write(self, versions: list[SecretVersion], text: SecretText | None, version_stamp: str) -> None:
        versions.append(SecretVersion(f"{version_stamp}{next(self._numbers):032}", self._now(), text))


def _check_size(name: str, text: SecretText) -> None:
    if (size := len(text.reveal.encode())) > LARGEST_TEXT:
        raise RefusedByRegistryError(f"the secret {name} would hold {size} bytes")
