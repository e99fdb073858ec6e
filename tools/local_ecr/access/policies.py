"""AWS policies: does a set of policy documents allow one call, and which statement says so?

Small and strict: an element, operator or variable that is not known here raises UnsupportedPolicyError instead of being
skipped, since a skipped condition would allow what AWS denies. Source: IAM user guide, "Policy evaluation logic" and
"IAM JSON policy elements reference".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from local_ecr.access.conditions import (
    Context,
    UnsupportedPolicyError,
    all_hold,
    as_list,
    check_conditions,
    resource_wildcards,
    wildcards,
)

__all__ = [
    "Call",
    "Context",
    "Decision",
    "Document",
    "Policy",
    "Principal",
    "Ruling",
    "UnsupportedPolicyError",
    "allows",
    "check",
    "decide",
    "evaluate",
]

type Document = Mapping[str, Any]


class Decision(Enum):
    """What policies say about a call; an explicit deny wins over every allow."""

    ALLOWED = "allowed"
    DENIED = "explicitly denied"
    NOT_ALLOWED = "not allowed by any statement"


@dataclass(frozen=True)
class Policy:
    """A policy document and the name by which people know it."""

    name: str
    document: Document


@dataclass(frozen=True)
class Principal:
    """Who calls: an AWS service (`events.amazonaws.com`) or an IAM identity (its ARN)."""

    kind: str  # "Service" or "AWS"
    name: str
    role_arn: str | None = None
    """Of a role's session: its role. A policy may name either."""

    @property
    def account(self) -> str:
        """Account of an IAM identity."""
        return self.name.split(":")[4]


@dataclass(frozen=True)
class Call:
    """One call to decide about. `context` holds condition keys, such as aws:SourceArn, in any case."""

    action: str
    resource: str
    principal: Principal | None = None  # None: an identity policy, which names no principal
    context: Context = field(default_factory=dict)


@dataclass(frozen=True)
class Ruling:
    """What policies say, and the statement that decided: its policy's name and its Sid or, without one, its number."""

    decision: Decision
    policy: str | None = None
    statement: str | None = None

    @property
    def by(self) -> str:
        """`NAME, statement SID`; empty when no statement applied."""
        return "" if self.policy is None else f"{self.policy}, statement {self.statement}"


def evaluate(policies: Iterable[Policy], call: Call, *, delegates: bool = False) -> Ruling:
    """What these policies, taken together, say about the call. Raises UnsupportedPolicyError.

    `delegates`: a resource policy that allows its own account, and says no more than that the account's identity
    policies decide, counts as an allow too.
    """
    ruling = Ruling(Decision.NOT_ALLOWED)
    for policy in policies:
        for number, statement in enumerate(as_list(policy.document.get("Statement", [])), start=1):
            if not _applies(statement, call, delegates=delegates):
                continue
            name = str(statement.get("Sid") or number)
            if statement["Effect"] == "Deny":
                return Ruling(Decision.DENIED, policy.name, name)
            if ruling.decision is Decision.NOT_ALLOWED:
                ruling = Ruling(Decision.ALLOWED, policy.name, name)
    return ruling


def decide(documents: Iterable[Document], call: Call) -> Decision:
    """What these documents, taken together, say about the call. Raises UnsupportedPolicyError."""
    return evaluate((Policy("policy", document) for document in documents), call).decision


def allows(documents: Iterable[Document], call: Call) -> bool:
    """Whether these documents allow the call."""
    return decide(documents, call) is Decision.ALLOWED


def check(document: Document) -> None:
    """Find out at once what decide() would stumble over later. Raises UnsupportedPolicyError."""
    for statement in as_list(document.get("Statement", [])):
        _check_elements(statement)
        for name, pattern in _PATTERNS.items():
            for element in (name, f"Not{name}"):
                for text in as_list(statement.get(element, [])):
                    pattern(text)
        check_conditions(statement.get("Condition", {}))


KNOWN_ELEMENTS = {"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"}


def _applies(statement: Mapping[str, Any], call: Call, *, delegates: bool) -> bool:
    _check_elements(statement)
    return (
        _names_principal(statement, call, delegates=delegates)
        and _names(statement, "Action", call.action.lower())
        and _names(statement, "Resource", call.resource)
        and all_hold(statement.get("Condition", {}), call.context)
    )


def _check_elements(statement: Mapping[str, Any]) -> None:
    if unknown := statement.keys() - KNOWN_ELEMENTS:
        raise UnsupportedPolicyError(f"statement elements {', '.join(sorted(unknown))} are not evaluated here")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise UnsupportedPolicyError(f"Effect {statement.get('Effect')!r} is neither Allow nor Deny")


def _names_principal(statement: Mapping[str, Any], call: Call, *, delegates: bool) -> bool:
    wanted, principal = statement.get("Principal"), call.principal
    if principal is None:
        return True
    if wanted is None:
        raise UnsupportedPolicyError("a statement of a resource policy names no Principal")
    if wanted == "*":
        return True
    names = as_list(wanted.get(principal.kind, []))
    if principal.kind == "Service":
        return principal.name in names
    partition, account = principal.name.split(":")[1], principal.account
    accepted = {"*", principal.name, principal.role_arn}
    if delegates or statement["Effect"] == "Deny" or account != call.resource.split(":")[4]:
        # To allow its own account says no more than that the account's identity policies decide.
        accepted |= {account, f"arn:{partition}:iam::{account}:root"}
    return not accepted.isdisjoint(names)


def _action_wildcards(text: str) -> re.Pattern[str]:
    """Actions are the same in any case."""
    return wildcards(text.lower())


_PATTERNS: Mapping[str, Callable[[str], re.Pattern[str]]] = {
    "Action": _action_wildcards,
    "Resource": resource_wildcards,
}


def _names(statement: Mapping[str, Any], element: str, value: str) -> bool:
    if f"Not{element}" not in statement and element not in statement:
        # A trust policy has no Resource: it is the role's own. A repository's may leave it out: it is the repository.
        return element == "Resource"
    is_negated = f"Not{element}" in statement
    wanted = as_list(statement[f"Not{element}" if is_negated else element])
    return any(_PATTERNS[element](text).fullmatch(value) for text in wanted) is not is_negated
