"""What identity policies and a resource's policy say together.

In one account an allow of either is enough; across accounts both must allow; an explicit deny of either wins. The root
of an account may do everything in it that no resource policy denies. A resource policy that names the root of its own
account allows nothing itself: it leaves the decision to that account's identity policies. Permission boundaries,
session policies and organization policies are not evaluated. Source: IAM user guide, "Policy evaluation logic" and
"Cross-account policy evaluation logic".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from local_ecr.access.policies import (
    Call,
    Context,
    Decision,
    Policy,
    Principal,
    Ruling,
    UnsupportedPolicyError,
    evaluate,
)

EVERYTHING = Policy(
    "Everything", {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
"""An identity policy without limits."""

ACCOUNT_ROOT = Policy("account root", EVERYTHING.document)
"""What the root of an account may do: as if it had this identity policy."""


@dataclass(frozen=True)
class Judgement:
    """Whether a call is allowed, the statements that say so, and for a refusal the end of AWS's sentence."""

    is_allowed: bool
    by: str = ""
    """`identity policy NAME, statement SID`, `repository policy, statement SID`, `account root`, or two of them with
    `and`; empty when nothing applied."""
    why: str = ""
    """`because no identity-based policy allows the ecr:PutImage action` and the like; empty when allowed."""


def judge(
    call: Call, identity: Sequence[Policy] | None, resource: Sequence[Policy] = (), *, is_trust: bool = False
) -> Judgement:
    """Decide one call of an IAM identity, which `call.principal` names. A policy that is not understood allows nothing.

    `identity` is None for a user or role that is gone: it may nothing, whatever a resource's policy says of its name.
    The owner is the account in the ARN of `call.resource`; a resource without one ("*") is the caller's own.
    `is_trust`: the resource is a role and its policies are its trust policy, without which nobody may assume it: in the
    role's own account, too, an identity policy is not enough.
    """
    principal = call.principal
    assert principal is not None, "an identity calls"  # noqa: S101  our own mistake
    is_own = owner_of(call) == principal.account
    if identity is None:
        return Judgement(False, why="because the identity does not exist any more")
    policies = (ACCOUNT_ROOT,) if principal.name.endswith(":root") else identity
    try:
        by_identity = evaluate(policies, replace(call, principal=None))
        by_resource = evaluate(resource, call)
        trusting = evaluate(resource, call, delegates=True) if is_trust or not is_own else None
    except UnsupportedPolicyError as cause:
        return Judgement(False, why=f"because it is not known what a policy means: {cause}")
    if by_identity.decision is Decision.DENIED:
        return Judgement(False, _identity(by_identity), "with an explicit deny in an identity-based policy")
    if by_resource.decision is Decision.DENIED:
        return Judgement(False, by_resource.by, "with an explicit deny in a resource-based policy")
    if is_own and by_resource.decision is Decision.ALLOWED:
        return Judgement(True, by_resource.by)
    return _unless_named(call, by_identity, trusting)


def _unless_named(call: Call, by_identity: Ruling, trusting: Ruling | None) -> Judgement:
    """What identity policies decide, together with a resource that has to trust the caller's account first."""
    if by_identity.decision is not Decision.ALLOWED:
        return Judgement(False, why=f"because no identity-based policy allows the {call.action} action")
    if trusting is None:
        return Judgement(True, _identity(by_identity))
    if trusting.decision is not Decision.ALLOWED:
        return Judgement(False, why=f"because no resource-based policy allows the {call.action} action")
    return Judgement(True, f"{_identity(by_identity)} and {trusting.by}")


def owner_of(call: Call) -> str:
    """The account that owns what is called upon."""
    owner = (call.resource.split(":") + [""] * 5)[4]
    return owner or (call.principal.account if call.principal else "")


def sentence(call: Call, judgement: Judgement) -> str:
    """A refusal in AWS's words. Source: IAM user guide, "Troubleshoot access denied error messages"."""
    name = call.principal.name if call.principal else ""
    return f"User: {name} is not authorized to perform: {call.action} on resource: {call.resource} {judgement.why}"


def principal_keys(principal: Principal, organization_id: str | None = None) -> Context:
    """The condition keys that tell of an IAM identity. Source: IAM user guide, "AWS global condition context keys"."""
    name = principal.name
    kind = "Account" if name.endswith(":root") else "AssumedRole" if ":assumed-role/" in name else "User"
    keys = {
        "aws:PrincipalArn": principal.role_arn or name,
        "aws:PrincipalAccount": principal.account,
        "aws:PrincipalType": kind,
        "aws:PrincipalIsAWSService": "false",
    }
    if kind == "User":
        keys["aws:username"] = name.rsplit("/", 1)[-1]
    if organization_id is not None:
        keys["aws:PrincipalOrgID"] = organization_id
    return keys


def call_keys(now: datetime, owner: str) -> Context:
    """The condition keys that every call has, whoever makes it; `owner` is the account that is called upon. Source: as
    `principal_keys`.
    """
    return {
        "aws:CurrentTime": now.isoformat(),
        "aws:EpochTime": str(int(now.timestamp())),
        "aws:ResourceAccount": owner,
        "aws:SecureTransport": "true",  # the loopback stands for TLS, which AWS has no way around
    }


def _identity(ruling: Ruling) -> str:
    return ACCOUNT_ROOT.name if ruling.policy == ACCOUNT_ROOT.name else f"identity policy {ruling.by}"
