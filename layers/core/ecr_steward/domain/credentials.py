"""Registry logins that lie in other places: when a sink is due, and what is written into it.

A sink is looked at by the version that it holds: the writer of a secret chooses its version's id
(``ClientRequestToken`` in the PutSecretValue API reference), and the steward's say for which role and registries the
version was written. So one reading tells apart what is fresh, what the rulebook has outgrown, and what another one has
written. What is fresh by that is also tried where it lies, since logins of assumed roles have been seen to die early.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.plan import PublishCredential
from ecr_steward.domain.rules import Credential, SecretSink
from ecr_steward.errors import ForeignSecretError

TOKEN_LIFE = timedelta(hours=12)
"""How long an authorization token is good for (GetAuthorizationToken API reference); nobody can ask for less."""
DUE_AFTER = TOKEN_LIFE / 2
"""When a login is replaced. Not ``expiresAt`` less some margin: tokens of assumed roles have been seen to die hours
before it (awslabs/amazon-ecr-credential-helper#1027, kubernetes/kubernetes#69141), and the other half leaves room for
refreshes that fail."""

_VERSION_PREFIX = "ecr-steward-"


@dataclass(frozen=True)
class SecretText:
    """Text that nobody should read by chance: ``repr`` and ``str`` hide it, ``reveal`` is where it is meant."""

    reveal: str

    def __repr__(self) -> str:
        return "SecretText(***)"


@dataclass(frozen=True)
class SecretVersion:
    """What a secret holds now."""

    id: str
    written_at: datetime
    text: SecretText | None
    """``None`` where it holds bytes."""


@dataclass(frozen=True)
class StoredSecret:
    """A secret that is there."""

    current: SecretVersion | None
    """``None`` where nothing was ever put into it."""


@dataclass(frozen=True)
class AuthorizationToken:
    """A login to one registry, as ECR gave it out. It speaks as the role that asked for it, whoever holds it."""

    registry: RegistryRef
    role: str
    """The role's name."""
    endpoint: str
    """Such as ``https://111122223333.dkr.ecr.eu-west-1.amazonaws.com``."""
    username: str
    """``AWS``."""
    password: SecretText
    expires_at: datetime

    @property
    def host(self) -> str:
        """The registry as Docker's configuration names it: the endpoint without its scheme."""
        return self.endpoint.partition("://")[2].rstrip("/")

    @property
    def basic(self) -> SecretText:
        """User and password as HTTP Basic and Docker's ``auth`` write them."""
        return SecretText(base64.b64encode(f"{self.username}:{self.password.reveal}".encode()).decode())


def registries_of(credential: Credential, home: RegistryRef) -> tuple[RegistryRef, ...]:
    """The registries that a credential is for, where the steward stands in ``home``: each once, in order."""
    return tuple(sorted({each.registry(home) for each in credential.registries}))


def plan_sink(
    credential: Credential, sink: SecretSink, stored: StoredSecret | None, *, home: RegistryRef, now: datetime
) -> PublishCredential | None:
    """Plan what a sink needs; nothing while its logins are fresh. ``stored`` is ``None`` where there is no secret.

    Raises ForeignSecretError for a sink that is due, but holds something that is no Docker configuration.
    """
    registries = registries_of(credential, home)
    why = _why_due(sink, stored, version_stamp(credential.role, registries), now)
    if why is None:
        return None
    merge_docker_config(sink.secret, stored, ())
    return _publishing(credential, sink, registries, why)


def published_login(token: AuthorizationToken, sink: SecretSink, stored: StoredSecret | None) -> AuthorizationToken:
    """The login that a sink holds to the registry of a token, as a token; an empty one where it holds none.

    Raises ForeignSecretError for what is no Docker configuration.
    """
    auth = logins_in(sink.secret, stored).get(token.host, {})
    return replace(token, username=str(auth.get("username", "")), password=SecretText(str(auth.get("password", ""))))


def logins_in(secret: str, stored: StoredSecret | None) -> Mapping[str, Mapping[str, Any]]:
    """The entries of a secret's Docker configuration, by host.

    Raises ForeignSecretError where ``secret`` holds something else than a Docker configuration.
    """
    logins: Mapping[str, Mapping[str, Any]] = _docker_config(secret, stored).get("auths", {})
    return logins


def plan_dead_sink(
    credential: Credential, sink: SecretSink, refused: Sequence[RegistryRef], *, home: RegistryRef
) -> PublishCredential:
    """Plan what a sink needs that is fresh by its age, and whose logins to these registries are refused."""
    why = f"its login to {', '.join(map(str, refused))} is refused before it is {_hours(DUE_AFTER)} hours old"
    return replace(_publishing(credential, sink, registries_of(credential, home), why), replaces_dead=True)


def version_stamp(role: str, registries: Sequence[RegistryRef]) -> str:
    """How the ids of versions begin that hold logins to these registries under this role."""
    what_for = json.dumps([role, *(str(registry) for registry in sorted(registries))])
    return f"{_VERSION_PREFIX}{hashlib.sha256(what_for.encode()).hexdigest()[:16]}-"


def merge_docker_config(secret: str, stored: StoredSecret | None, tokens: Sequence[AuthorizationToken]) -> SecretText:
    """A Docker configuration with these logins. Logins to other hosts, and all other keys, stay as they are.

    ``auth`` is what Docker reads, ``username`` and ``password`` are what some other readers of the same file want.
    Raises ForeignSecretError where ``secret`` holds something else than a Docker configuration.
    """
    config = _docker_config(secret, stored)
    logins = {
        token.host: {
            "auth": token.basic.reveal,
            "username": token.username,
            "password": token.password.reveal,
        }
        for token in tokens
    }
    return SecretText(json.dumps({**config, "auths": {**config.get("auths", {}), **logins}}))


def _publishing(
    credential: Credential, sink: SecretSink, registries: tuple[RegistryRef, ...], why: str
) -> PublishCredential:
    return PublishCredential(
        rule=credential.name, why=why, sink=sink.secret, role=credential.role, registries=registries
    )


def _why_due(sink: SecretSink, stored: StoredSecret | None, stamp: str, now: datetime) -> str | None:
    if stored is None:
        return f"there is no secret {sink.secret}"
    current = stored.current
    if current is None:
        return "the secret holds nothing yet"
    if not current.id.startswith(_VERSION_PREFIX):
        return "somebody else has written the secret, so nobody knows how old its logins are"
    if not current.id.startswith(stamp):
        return "the secret was written for other registries or another role"
    age = now - current.written_at
    if age >= DUE_AFTER:
        return f"its logins are {_hours(age)} hours old, and live for {_hours(TOKEN_LIFE)}"
    return None


def _docker_config(secret: str, stored: StoredSecret | None) -> dict[str, Any]:
    if stored is None or stored.current is None:
        return {}
    if stored.current.text is None:
        raise _foreign(secret, "bytes")
    try:
        document = json.loads(stored.current.text.reveal)
    except (ValueError, RecursionError):
        # The cause is left out on purpose: a JSONDecodeError keeps the whole document.
        raise _foreign(secret, "text that is no JSON") from None
    if not isinstance(document, dict) or (document and "auths" not in document):
        raise _foreign(secret, "JSON without `auths`")
    auths = document.get("auths", {})
    if not isinstance(auths, dict) or not all(isinstance(auth, dict) for auth in auths.values()):
        raise _foreign(secret, "`auths` that map no host to a login")
    return document


def _foreign(secret: str, what: str) -> ForeignSecretError:
    return ForeignSecretError(
        f"the secret {secret} holds {what}, not a Docker configuration: it is left as it is. "
        "Name another secret in the rulebook, or empty this one by putting {} into it"
    )


def _hours(duration: timedelta) -> str:
    return f"{duration / timedelta(hours=1):.3g}"
