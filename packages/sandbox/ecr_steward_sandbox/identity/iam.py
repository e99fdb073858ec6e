"""Users, roles and their policies, read from moto's IAM at the moment of asking: a change counts from the next call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from moto.iam.models import iam_backends

from ecr_steward_sandbox.delivery.stores import MOTO_LOCK
from local_ecr import Policy, Principal
from local_ecr.iam import Document, Identity, read_policy

PARTITION = "aws"
DEFAULT_SESSION_SECONDS = 3600
NOTHING: Document = {"Version": "2012-10-17", "Statement": []}


@dataclass(frozen=True)
class Role:
    """A role as IAM holds it."""

    arn: str
    id: str
    trust: Policy
    policies: tuple[Policy, ...]
    max_session: timedelta
    boundary: Policy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def identity(self) -> Identity:
        """What is evaluated of it."""
        return Identity(self.policies, self.boundary, self.tags)


def user_of_key(access_key_id: str) -> Principal | None:
    """The user that has this access key, if the key is active."""
    with MOTO_LOCK:
        for account, backend in _backends():
            for user in backend.users.values():
                for key in user.access_keys:
                    if key.access_key_id == access_key_id and key.status == "Active":
                        return Principal(account, user.arn, access_key_id, unique_id=user.id)
    return None


def secret_of_key(access_key_id: str) -> str | None:
    """The secret of a user's access key; None where no user has it."""
    with MOTO_LOCK:
        for _, backend in _backends():
            for user in backend.users.values():
                for key in user.access_keys:
                    if key.access_key_id == access_key_id:
                        return str(key.secret_access_key)
    return None


def identity_of(principal: Principal) -> Identity | None:
    """Inline and attached policies, boundary and tags of a user (with its groups' policies) or of a session's role.

    None for what is gone: another user or role that has got the name since is somebody else. moto stores no boundary of
    a user: it refuses to set one.
    """
    if principal.role_arn is not None:
        role = find_role(principal.role_arn)
        return role.identity if role is not None and role.id == principal.unique_id else None
    with MOTO_LOCK:
        backend = iam_backends[principal.account][PARTITION]
        user = next((one for one in backend.users.values() if one.id == principal.unique_id), None)
        if user is None:
            return None
        groups = [group for group in backend.groups.values() if user in group.users]
        policies = tuple(policy for holder in (user, *groups) for policy in _policies(holder))
        return Identity(policies, tags=_tags(backend.list_user_tags(user.name)))


def find_role(role_arn: str) -> Role | None:
    """The role of this ARN, path included."""
    account = role_arn.split(":")[4]
    with MOTO_LOCK:
        roles = iam_backends[account][PARTITION].roles.values()
        return next((_role(stored) for stored in roles if stored.arn == role_arn), None)


def all_roles() -> list[Role]:
    """Every role of every account."""
    with MOTO_LOCK:
        return [_role(stored) for _, backend in _backends() for stored in backend.roles.values()]


def _backends() -> Iterator[tuple[str, Any]]:
    for account in list(iam_backends):
        yield account, iam_backends[account][PARTITION]


def _role(stored: Any) -> Role:
    return Role(
        stored.arn,
        stored.id,
        _policy("role trust policy", stored.assume_role_policy_document),
        tuple(_policies(stored)),
        timedelta(seconds=int(stored.max_session_duration or DEFAULT_SESSION_SECONDS)),
        _boundary(stored),
        _tags(stored.tags),
    )


def _boundary(role: Any) -> Policy | None:
    """The managed policy that limits a role; one that is gone allows nothing."""
    arn = role.permissions_boundary_arn
    if not arn:
        return None
    managed = iam_backends[role.account_id][PARTITION].managed_policies.get(arn)
    return _managed(managed) if managed is not None else Policy(arn.rpartition("/")[2], NOTHING)


def _tags(stored: Any) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in stored}


def _policies(holder: Any) -> Iterator[Policy]:
    """Of a user, group or role in moto."""
    for name, text in holder.policies.items():
        yield _policy(name, text)
    for managed in holder.managed_policies.values():
        yield _managed(managed)


def _managed(stored: Any) -> Policy:
    default = next(version for version in stored.versions if version.is_default)
    return _policy(stored.name, default.document)


def _policy(name: str, written: str | Document) -> Policy:
    return read_policy(name, written) if isinstance(written, str) else Policy(name, written)
