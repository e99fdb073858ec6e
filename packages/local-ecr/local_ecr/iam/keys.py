"""The condition keys that a request has whatever its service: who calls, when, and on whose behalf.

A key that AWS's request has and that is not known here is UNKNOWN: a policy that asks for it is refused. Source: IAM
user guide, "AWS global condition context keys".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from local_ecr.iam.calls import UNKNOWN, Context, Principal


def principal_keys(
    principal: Principal, organization_id: str | None = None, tags: Mapping[str, str] | None = None
) -> Context:
    """The condition keys that tell of who calls; `tags` are of the user, or of the role and its session."""
    if principal.kind == "Service":
        return {
            "aws:PrincipalIsAWSService": "true",
            "aws:PrincipalServiceName": principal.name,
            "aws:PrincipalServiceNamesList": [principal.name],
            "aws:ViaAWSService": "false",  # it calls in its own name, not in that of whoever called it
        }
    name = principal.name
    kind = "Account" if name.endswith(":root") else "AssumedRole" if ":assumed-role/" in name else "User"
    keys: dict[str, str] = {
        "aws:PrincipalArn": principal.role_arn or name,
        "aws:PrincipalAccount": principal.account,
        "aws:PrincipalType": kind,
        "aws:PrincipalIsAWSService": "false",
        "aws:ViaAWSService": "false",
        "aws:userid": principal.user_id or (principal.account if kind == "Account" else UNKNOWN),
    }
    if kind == "User":
        keys["aws:username"] = name.rsplit("/", 1)[-1]
    if kind == "AssumedRole":
        keys["aws:MultiFactorAuthPresent"] = "false"  # long-term keys do not have it at all
        keys["aws:TokenIssueTime"] = principal.session_began or UNKNOWN
    for whose in ("Principal", "Resource"):
        keys |= _organization(whose, organization_id)
    for key, value in (tags or {}).items():
        keys[f"aws:PrincipalTag/{key}"] = value
    return keys


def _organization(whose: str, organization_id: str | None) -> dict[str, str]:
    """Every account is in it; where in it is not known."""
    if organization_id is None:
        return {}
    return {f"aws:{whose}OrgID": organization_id, f"aws:{whose}OrgPaths": UNKNOWN}


def call_keys(now: datetime, owner: str) -> Context:
    """The condition keys that every call has, whoever makes it; `owner` is the account that is called upon."""
    return {
        "aws:CurrentTime": now.isoformat(),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:ResourceAccount": owner,
        "aws:SecureTransport": "true",  # the loopback stands for TLS, which AWS has no way around
    }


def source_keys(source_arn: str, source_account: str, organization_id: str | None = None) -> Context:
    """On whose behalf an AWS service calls; nothing for anybody else, who has no source."""
    if not source_arn:
        return {}
    keys = {"aws:SourceArn": source_arn, "aws:SourceAccount": source_account}
    return keys | _organization("Source", organization_id)
