"""Who is calling: from a request's credential to a principal, and to the identity that CloudTrail writes down."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from local_ecr.errors import EcrError
from local_ecr.iam import Principal as PolicyPrincipal
from local_ecr.names import DEFAULT_REGISTRY, InvalidNameError, Registry

DEFAULT_ACCOUNT = DEFAULT_REGISTRY.account

_SCOPE = re.compile(r"Credential=([^/,\s]{1,256})/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request")
_ACCOUNT_KEY = re.compile(r"[0-9]{12}")


@dataclass(frozen=True)
class Credential:
    """The public half of what a request was signed with."""

    access_key_id: str
    session_token: str | None = None


@dataclass(frozen=True)
class Principal:
    """An account's root, a user, or a role's session, by ARN; or an AWS service, by its name."""

    account: str
    """Of a service: the account on whose behalf it calls."""
    arn: str
    """Of a service: its name, such as `lambda.amazonaws.com`."""
    access_key_id: str = ""
    path: str = "/"
    """Path of a session's role, which the session's ARN does not have."""
    unique_id: str = ""
    """IAM's own id of the user or of the session's role, which nobody else gets, not even under the same name."""
    source_arn: str = ""
    """Of a service: the ARN of what it calls for, such as a Lambda function; what aws:SourceArn tells."""
    session_began: str = ""
    """When a role was assumed, such as `2026-11-16T01:20:00Z`, where that is known."""

    @property
    def is_service(self) -> bool:
        """Whether this is an AWS service, which acts by itself and not as a role."""
        return self.arn.endswith(".amazonaws.com") and ":" not in self.arn

    @property
    def session_name(self) -> str | None:
        """The session's name when a role was assumed."""
        return self.arn.rsplit("/", 1)[1] if ":assumed-role/" in self.arn else None

    @property
    def is_root(self) -> bool:
        """Whether this is the account itself."""
        return self.arn.endswith(":root")

    @property
    def role_arn(self) -> str | None:
        """The role when one was assumed."""
        if self.session_name is None:
            return None
        _, partition, *_ = self.arn.split(":")
        name = self.arn.split(":assumed-role/", 1)[1].rsplit("/", 1)[0]
        return f"arn:{partition}:iam::{self.account}:role{self.path}{name}"

    @property
    def in_policies(self) -> PolicyPrincipal:
        """As policies name it."""
        if self.is_service:
            return PolicyPrincipal("Service", self.arn)
        return PolicyPrincipal("AWS", self.arn, self.role_arn, self.user_id, self.session_began)

    @property
    def user_id(self) -> str:
        """Value of aws:userid, and what GetCallerIdentity calls UserId; empty when IAM's own id is not known."""
        if self.is_root:
            return self.account
        return f"{self.unique_id}:{self.session_name}" if self.unique_id and self.session_name else self.unique_id


@dataclass(frozen=True)
class SignedScope:
    """What a SigV4 `Authorization` header says about itself; its signature is not verified here."""

    credential: Credential
    region: str
    service: str


def root_of_key(access_key_id: str) -> Principal | None:
    """The root of the account that a key of 12 digits names; None for any other key."""
    if not _ACCOUNT_KEY.fullmatch(access_key_id):
        return None
    return Principal(access_key_id, f"arn:aws:iam::{access_key_id}:root", access_key_id)


def account_principal(credential: Credential) -> Principal:
    """The default: a 12-digit access key id is that account, any other key belongs to DEFAULT_ACCOUNT."""
    key = credential.access_key_id
    return root_of_key(key) or Principal(DEFAULT_ACCOUNT, f"arn:aws:iam::{DEFAULT_ACCOUNT}:root", key)


def read_signature(authorization: str | None, session_token: str | None) -> SignedScope:
    """Read key, region and service from an `Authorization` header. Raises EcrError in AWS's words when it has none."""
    if not authorization:
        raise EcrError("MissingAuthenticationTokenException", "Missing Authentication Token")
    match = _SCOPE.search(authorization) if authorization.startswith("AWS4-HMAC-SHA256 ") else None
    if match is None:
        raise EcrError("IncompleteSignatureException", "Authorization header requires a SigV4 'Credential' parameter.")
    key, _date, region, service = match.groups()
    return SignedScope(Credential(key, session_token), region, service)


def registry_of(principal: Principal, region: str) -> Registry:
    """The caller's own registry in the region that the request was signed for."""
    try:
        return Registry.parse(principal.account, region)
    except InvalidNameError as cause:
        raise EcrError("SignatureDoesNotMatch", f"Credential should be scoped to a valid region: {cause}") from cause


def user_identity(principal: Principal) -> dict[str, Any]:
    """`userIdentity` of a CloudTrail record. CloudTrail user guide, "CloudTrail userIdentity element"."""
    if principal.is_service:
        return {"type": "AWSService", "invokedBy": principal.arn}
    identity: dict[str, Any] = {
        "arn": principal.arn,
        "accountId": principal.account,
        "accessKeyId": principal.access_key_id,
    }
    name = principal.arn.rsplit("/", 1)[-1]
    if principal.session_name is not None:
        role_arn = str(principal.role_arn)
        issuer = {
            "type": "Role",
            "principalId": principal.unique_id or "AROALOCALECRSESSION",
            "arn": role_arn,
            "accountId": principal.account,
            "userName": role_arn.rsplit("/", 1)[-1],
        }
        began = {"creationDate": principal.session_began} if principal.session_began else {}
        return {
            "type": "AssumedRole",
            "principalId": f"{issuer['principalId']}:{name}",
            **identity,
            "sessionContext": {"sessionIssuer": issuer, "attributes": {**began, "mfaAuthenticated": "false"}},
        }
    if principal.is_root:
        return {"type": "Root", "principalId": principal.account, **identity}
    return {"type": "IAMUser", "principalId": principal.unique_id or "AIDALOCALECRUSER", **identity, "userName": name}
