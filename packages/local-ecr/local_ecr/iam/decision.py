"""What the policies of who calls and of what is called upon say together.

In one account an allow of either is enough; across accounts both must allow; an explicit deny of any wins. What
identity policies allow, a permission boundary and a session policy must allow as well; what a resource policy allows to
a user, to a session or to everybody, they need not, what it allows to a role they must. The root of an account may do
everything in it that no resource policy denies. A resource policy that names its own account allows nothing itself: it
leaves the decision to that account's identity policies. An AWS service has no policies of its own: it may what a
resource policy allows it.

The policies of an organization are not evaluated. Source: IAM user guide, "How AWS enforcement code logic evaluates
requests to allow or deny access", "Policy evaluation for requests within a single account", "Cross-account policy
evaluation logic", "Permissions boundaries for IAM entities" and "Policies and permissions" on session policies.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from local_ecr.iam.calls import Call, UnsupportedPolicyError
from local_ecr.iam.naming import Naming
from local_ecr.iam.policies import Decision, Policy, Ruling, evaluate

EVERYTHING = Policy(
    "Everything", {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
)
"""An identity policy without limits."""

ACCOUNT_ROOT = Policy("account root", EVERYTHING.document)
"""What the root of an account may do: as if it had this identity policy."""

SESSION_POLICY = "session policy"
"""What decisions and explanations call it; a session has one at most."""


@dataclass(frozen=True)
class Identity:
    """What IAM holds of a user or a role: policies (inline, attached, and those of its groups), boundary and tags."""

    policies: Sequence[Policy] = ()
    boundary: Policy | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    """What aws:PrincipalTag tells."""
    session: Policy | None = None
    """The session policy with which the role was assumed."""


@dataclass(frozen=True)
class Judgement:
    """Whether a call is allowed, the statements that say so, and for a refusal the end of AWS's sentence."""

    is_allowed: bool
    by: str = ""
    """`identity policy NAME, statement SID`, `permission boundary NAME, statement SID`, `session policy, statement
    SID`, `repository policy, statement SID`, `registry policy, statement SID`, `account root`, or several with `and`;
    empty when nothing applied."""
    why: str = ""
    """`because no identity-based policy allows the ecr:PutImage action` and the like; empty when allowed."""


def judge(
    call: Call,
    identity: Identity | Sequence[Policy] | None,
    resource: Sequence[Policy] = (),
    *,
    is_trust: bool = False,
) -> Judgement:
    """Decide one call, whose principal must be named. A policy that is not understood allows nothing.

    `identity` is None for a user or role that is gone: it may nothing, whatever a resource's policy says of its name.
    The owner is the account in the ARN of `call.resource`; a resource without one ("*") is the caller's own.
    `is_trust`: the resource is a role and its policies are its trust policy, without which nobody may assume it: in the
    role's own account, too, an identity policy is not enough.
    """
    try:
        if call.principal is not None and call.principal.kind == "Service":
            return _of_service(call, resource)
        if identity is None:
            return Judgement(False, why="because the identity does not exist any more")
        return _of_identity(call, identity_of(call, identity), resource, is_trust=is_trust)
    except UnsupportedPolicyError as cause:
        return Judgement(False, why=f"because it is not known what a policy means: {cause}")


def identity_of(call: Call, identity: Identity | Sequence[Policy]) -> Identity:
    """What is evaluated of who calls: a root has all, whatever else is said of it."""
    if call.principal is not None and call.principal.name.endswith(":root"):
        return Identity((ACCOUNT_ROOT,))
    return identity if isinstance(identity, Identity) else Identity(identity)


def as_resources_see(call: Call, identity: Identity) -> Call:
    """The call as it is for a resource policy, whose NotPrincipal leaves nobody alone who has a boundary."""
    if call.principal is None or identity.boundary is None:
        return call
    return replace(call, principal=replace(call.principal, is_bounded=True))


def _of_service(call: Call, resource: Sequence[Policy]) -> Judgement:
    ruling = evaluate(resource, call)
    if ruling.decision is Decision.ALLOWED:
        return Judgement(True, ruling.by)
    if ruling.decision is Decision.DENIED:
        return Judgement(False, ruling.by, "with an explicit deny in a resource-based policy")
    return Judgement(False, why=f"because no resource-based policy allows the {call.action} action")


def _of_identity(call: Call, identity: Identity, resource: Sequence[Policy], *, is_trust: bool) -> Judgement:
    principal = call.principal
    assert principal is not None, "an identity calls"  # noqa: S101  our own mistake
    by_identity = evaluate(identity.policies, call, is_of_identity=True)
    limits = _limits(call, identity)
    by_resource = evaluate(resource, as_resources_see(call, identity))
    if refused := _denied(by_identity, limits, by_resource):
        return refused
    is_own = call.owner == principal.account
    if is_own and by_resource.decision is Decision.ALLOWED:
        if by_resource.naming is Naming.DIRECTLY:
            return Judgement(True, by_resource.by)
        return _within(call, limits, by_resource.by)
    if by_identity.decision is not Decision.ALLOWED:
        return Judgement(False, why=f"because no identity-based policy allows the {call.action} action")
    allowed_by = _identity(by_identity)
    if is_trust or not is_own:
        if by_resource.decision is Decision.NOT_ALLOWED:
            return Judgement(False, why=f"because no resource-based policy allows the {call.action} action")
        allowed_by = f"{allowed_by} and {by_resource.by}"
    return _within(call, limits, allowed_by)


@dataclass(frozen=True)
class _Limit:
    """What a policy that allows nothing by itself says about the call."""

    kind: str
    """As AWS's sentences have it."""
    decision: Decision
    by: str


def _limits(call: Call, identity: Identity) -> list[_Limit]:
    """Of a permission boundary and of a session policy, where there is one."""
    found = []
    if identity.boundary is not None:
        ruling = evaluate((identity.boundary,), call, is_of_identity=True)
        found.append(_Limit("permissions boundary", ruling.decision, f"permission boundary {ruling.by}"))
    if identity.session is not None:
        ruling = evaluate((identity.session,), call, is_of_identity=True)
        found.append(_Limit(SESSION_POLICY, ruling.decision, f"{SESSION_POLICY}, statement {ruling.statement}"))
    return found


def _denied(by_identity: Ruling, limits: Sequence[_Limit], by_resource: Ruling) -> Judgement | None:
    if by_identity.decision is Decision.DENIED:
        return Judgement(False, _identity(by_identity), "with an explicit deny in an identity-based policy")
    for limit in limits:
        if limit.decision is Decision.DENIED:
            return Judgement(False, limit.by, f"with an explicit deny in a {limit.kind}")
    if by_resource.decision is Decision.DENIED:
        return Judgement(False, by_resource.by, "with an explicit deny in a resource-based policy")
    return None


def _within(call: Call, limits: Sequence[_Limit], otherwise_by: str) -> Judgement:
    """What is allowed otherwise, as far as the permission boundary and the session policy go."""
    for limit in limits:
        if limit.decision is not Decision.ALLOWED:
            return Judgement(False, why=f"because no {limit.kind} allows the {call.action} action")
    return Judgement(True, " and ".join([otherwise_by, *(limit.by for limit in limits)]))


def sentence(call: Call, judgement: Judgement) -> str:
    """A refusal in AWS's words. Source: IAM user guide, "Troubleshoot access denied error messages"."""
    name = call.principal.name if call.principal else ""
    return f"User: {name} is not authorized to perform: {call.action} on resource: {call.resource} {judgement.why}"


def _identity(ruling: Ruling) -> str:
    return ACCOUNT_ROOT.name if ruling.policy == ACCOUNT_ROOT.name else f"identity policy {ruling.by}"
