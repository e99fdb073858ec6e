"""Sessions of roles: the credentials that were given out, for whom, and until when."""

from __future__ import annotations

import base64
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ecr_steward_sandbox.identity import iam
from local_ecr import Policy, Principal
from local_ecr.iam import Identity

_KEY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_TOKEN_BYTES = 96
KEPT = timedelta(days=1)
"""For so long after its end a session is known as one that has expired; then its key is nobody's."""


@dataclass(frozen=True)
class RoleSession:
    """Temporary credentials."""

    principal: Principal
    secret_access_key: str
    session_token: str
    expires_at: datetime
    policy: Policy | None = None
    """The session policy: the session may only do what this and the role's policies both allow."""

    @property
    def variables(self) -> dict[str, str]:
        """As environment variables, which is how Lambda gives them to a function."""
        return {
            "AWS_ACCESS_KEY_ID": self.principal.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_SESSION_TOKEN": self.session_token,
        }


def now() -> datetime:
    """The time of this process, which may be ahead of the real one."""
    return datetime.now(UTC)


class Sessions:
    """Thread-safe. A session stays known for a while after its end: whoever still uses it is told that it expired."""

    def __init__(self, clock: Callable[[], datetime] = now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, RoleSession] = {}

    def begin(self, role_arn: str, session_name: str, lifetime: timedelta, policy: Policy | None = None) -> RoleSession:
        """Give out credentials of a role. Nobody is asked: that is for STS or Lambda to do before."""
        role = iam.find_role(role_arn)
        _, partition, _, _, account, resource = role_arn.split(":", 5)
        path, _, name = resource.removeprefix("role").rpartition("/")
        key = "ASIA" + "".join(secrets.choice(_KEY_LETTERS) for _ in range(16))
        arn = f"arn:{partition}:sts::{account}:assumed-role/{name}/{session_name}"
        began = self._clock().replace(microsecond=0)
        role_id = role.id if role is not None else ""
        session = RoleSession(
            principal=Principal(account, arn, key, f"{path}/", role_id, session_began=f"{began:%Y-%m-%dT%H:%M:%SZ}"),
            secret_access_key=base64.b64encode(secrets.token_bytes(30)).decode(),
            session_token=base64.b64encode(secrets.token_bytes(_TOKEN_BYTES)).decode(),
            expires_at=began + lifetime,
            policy=policy,
        )
        oldest = self._clock() - KEPT
        with self._lock:
            self._known = {known: one for known, one in self._known.items() if one.expires_at > oldest}
            self._known[key] = session
        return session

    def find(self, access_key_id: str) -> RoleSession | None:
        """The session of a key, ended or not."""
        with self._lock:
            return self._known.get(access_key_id)

    def identity_of(self, principal: Principal) -> Identity | None:
        """What IAM holds of a principal, as `iam.identity_of`; of a session also its own policy.

        None for a session that is not known any more: without its policy it would be allowed too much.
        """
        identity = iam.identity_of(principal)
        if identity is None or principal.role_arn is None:
            return identity
        session = self.find(principal.access_key_id)
        return None if session is None else replace(identity, session=session.policy)

    def has_ended(self, session: RoleSession) -> bool:
        """Whether its time is over."""
        return session.expires_at <= self._clock()
