"""Users, roles and service callers from one document, for a LocalEcr that stands alone.

`LocalEcr(data, **read_identities(document).options)`, or `local-ecr --identities FILE`. An example with all
that there is:

    {
      "organization_id": "o-example",
      "accounts": {
        "111122223333": {
          "groups": {"builders": {"policies": ["AmazonEC2ContainerRegistryPowerUser"]}},
          "users": {
            "jo": {
              "path": "/people/",
              "groups": ["builders"],
              "policies": [{"name": "Tags", "document": {"Version": "2012-10-17", "Statement": []}}],
              "boundary": "AmazonEC2ContainerRegistryFullAccess",
              "tags": {"team": "a"},
              "access_keys": ["AKIAJO"]
            }
          },
          "roles": {
            "ci": {"policies": ["AmazonEC2ContainerRegistryPullOnly"], "sessions": {"ASIACI": "run-1"}}
          }
        }
      },
      "secrets": {"AKIAJO": "of-jo"},
      "services": {
        "PULLER": {
          "principal": "lambda.amazonaws.com",
          "source_arn": "arn:aws:lambda:us-east-1:444455556666:function:app",
          "source_account": "444455556666"
        }
      }
    }

Who signs with an access key, or with a key of `sessions`, is that user or that session of the role; a key of `services`
is the service, calling for `source_arn`. A key of 12 digits stays the root of that account; any other is refused.
Calls with a key of `secrets` must be signed with that secret access key; other keys take any. Session tokens are not
verified.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, NoReturn, TypedDict

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from local_ecr.access.managed_policies import MANAGED_POLICIES
from local_ecr.errors import EcrError
from local_ecr.iam import Identity, Policy, UnsupportedPolicyError, check
from local_ecr.principals import Credential, Principal, root_of_key

Account = Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
Name = Annotated[str, StringConstraints(pattern=r"^[\w+=,.@-]{1,64}$")]
Path = Annotated[str, StringConstraints(pattern=r"^/([\x21-\x7e]+/)?$", max_length=512)]
Key = Annotated[str, StringConstraints(pattern=r"^[\w-]{1,128}$")]
Service = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com$")]


class IdentitiesError(ValueError):
    """The document says something that cannot be: what, where, and what to do instead."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where or 'the document'}: {what}")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _InlinePolicy(_Part):
    name: str = Field(min_length=1)
    document: dict[str, Any]


class _Group(_Part):
    policies: list[str | _InlinePolicy] = []


class _User(_Group):
    path: Path = "/"
    groups: list[Name] = []
    boundary: str | _InlinePolicy | None = None
    tags: dict[str, str] = {}
    access_keys: list[Key] = []


class _Role(_Group):
    path: Path = "/"
    boundary: str | _InlinePolicy | None = None
    tags: dict[str, str] = {}
    sessions: dict[Key, Name] = {}


class _Account(_Part):
    groups: dict[Name, _Group] = {}
    users: dict[Name, _User] = {}
    roles: dict[Name, _Role] = {}


class _Caller(_Part):
    principal: Service
    source_arn: Annotated[str, StringConstraints(pattern=r"^arn:[a-z-]+:[a-z0-9-]+:[a-z0-9-]*:[0-9]*:.+$")]
    source_account: Account


class _Document(_Part):
    organization_id: Annotated[str, StringConstraints(pattern=r"^o-[a-z0-9]{1,32}$")] | None = None
    accounts: dict[Account, _Account] = {}
    services: dict[Key, _Caller] = {}
    secrets: dict[Key, Annotated[str, StringConstraints(min_length=1)]] = {}


class Options(TypedDict):
    """Arguments of LocalEcr."""

    principal_of: Callable[[Credential], Principal]
    secret_of: Callable[[str], str | None]
    identities: Callable[[Principal], Identity | None]
    organization_id: str | None


@dataclass(frozen=True)
class KnownIdentities:
    """Who there is, by key and by name; it does not change."""

    organization_id: str | None = None
    principals: Mapping[str, Principal] = field(default_factory=dict)
    """By access key id."""
    identities: Mapping[str, Identity] = field(default_factory=dict)
    """By IAM's own id of a user or role."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Secret access keys by access key id."""

    @property
    def options(self) -> Options:
        """What to give to LocalEcr."""
        return {
            "principal_of": self.principal_of,
            "secret_of": self.secrets.get,
            "identities": self.identity_of,
            "organization_id": self.organization_id,
        }

    def principal_of(self, credential: Credential) -> Principal:
        """Who signs with this. Raises EcrError UnrecognizedClientException for a key that is nobody's."""
        key = credential.access_key_id
        principal = root_of_key(key) or self.principals.get(key)
        if principal is None:
            raise EcrError("UnrecognizedClientException", "The security token included in the request is invalid.")
        return principal

    def identity_of(self, principal: Principal) -> Identity | None:
        """What IAM holds of a user or role; None for one that there is not."""
        return self.identities.get(principal.unique_id)


def read_identities(document: Any) -> KnownIdentities:
    """Read such a document, for example from JSON. Raises IdentitiesError for the first thing that is wrong in it."""
    try:
        known = _Document.model_validate(document)
    except ValidationError as cause:
        _tell(cause)
    identities: dict[str, Identity] = {}
    principals: dict[str, tuple[str, Principal]] = {}
    for found in _callers(known, identities):
        where, key, principal = found
        if root_of_key(key):
            raise IdentitiesError(where, f"{key} is the root of that account: take a key that is not just 12 digits")
        if key in principals:
            raise IdentitiesError(where, f"the key {key} is taken by {principals[key][0]}: every key is one caller's")
        principals[key] = (where, principal)
    callers = {key: principal for key, (_, principal) in principals.items()}
    for key in known.secrets:
        if key not in callers:
            raise IdentitiesError(f"secrets.{key}", "no user, session or service of this document has this key")
    return KnownIdentities(known.organization_id, callers, identities, known.secrets)


def _callers(known: _Document, identities: dict[str, Identity]) -> Iterator[tuple[str, str, Principal]]:
    """Where each key stands, and whose it is; what IAM holds of them goes to `identities`."""
    for account, part in known.accounts.items():
        at = f"accounts.{account}"
        groups = {name: _policies(f"{at}.groups.{name}", group) for name, group in part.groups.items()}
        for name, user in part.users.items():
            where = f"{at}.users.{name}"
            arn = f"arn:aws:iam::{account}:user{user.path}{name}"
            unique_id = _unique_id("AIDA", arn)
            of_groups = [one for group in user.groups for one in _of_group(where, group, groups)]
            identities[unique_id] = _identity(where, user, of_groups)
            for key in user.access_keys:
                yield f"{where}.access_keys", key, Principal(account, arn, key, unique_id=unique_id)
        for name, role in part.roles.items():
            where = f"{at}.roles.{name}"
            unique_id = _unique_id("AROA", f"arn:aws:iam::{account}:role{role.path}{name}")
            identities[unique_id] = _identity(where, role, [])
            for key, session in role.sessions.items():
                arn = f"arn:aws:sts::{account}:assumed-role/{name}/{session}"
                yield f"{where}.sessions", key, Principal(account, arn, key, role.path, unique_id)
    for key, caller in known.services.items():
        principal = Principal(caller.source_account, caller.principal, key, source_arn=caller.source_arn)
        yield "services", key, principal


def _identity(where: str, part: _User | _Role, of_groups: list[Policy]) -> Identity:
    boundary = None if part.boundary is None else _policy(f"{where}.boundary", part.boundary)
    return Identity((*_policies(where, part), *of_groups), boundary, part.tags)


def _policies(where: str, part: _Group) -> list[Policy]:
    return [_policy(f"{where}.policies[{number}]", one) for number, one in enumerate(part.policies)]


def _of_group(where: str, name: str, groups: Mapping[str, list[Policy]]) -> list[Policy]:
    if name not in groups:
        there = ", ".join(groups) or "none yet"
        raise IdentitiesError(f"{where}.groups", f"there is no group {name}: add it to the account's groups ({there})")
    return groups[name]


def _policy(where: str, written: str | _InlinePolicy) -> Policy:
    if isinstance(written, str):
        if written not in MANAGED_POLICIES:
            raise IdentitiesError(
                where,
                f"{written!r} is no policy that is known here: take one of {', '.join(MANAGED_POLICIES)}, or write it "
                'out as {"name": …, "document": …}',
            )
        return MANAGED_POLICIES[written]
    try:
        check(written.document, is_of_identity=True)
    except UnsupportedPolicyError as cause:
        raise IdentitiesError(f"{where}.document", f"{cause}: change the policy {written.name}") from cause
    return Policy(written.name, written.document)


def _unique_id(prefix: str, arn: str) -> str:
    """As IAM's own ids look; the same for the same ARN."""
    return prefix + base64.b32encode(hashlib.sha256(arn.encode()).digest()).decode()[:17]


def _tell(cause: ValidationError) -> NoReturn:
    first = cause.errors()[0]
    where = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in first["loc"] if one != "[key]")
    what = first["msg"]
    if first["type"] == "extra_forbidden":
        what = "there is no such word here: take it out, or see the example in local_ecr/access/identities.py"
    elif first["type"] == "string_pattern_mismatch":
        what = f"{first['input']!r} does not look like it should: it must match {first['ctx']['pattern']}"
    raise IdentitiesError(where.removeprefix("."), what) from cause
