"""AWS policies: does a set of policy documents allow one call, and which statement says so?

Small and strict: an element or operator that is not known here raises UnsupportedPolicyError instead of being skipped,
since a skipped condition would allow what AWS denies. Source: IAM user guide, "Policy evaluation logic" and
"IAM JSON policy elements reference".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property, lru_cache
from typing import Any

from local_ecr.iam.calls import Call, UnsupportedPolicyError
from local_ecr.iam.known_keys import is_known
from local_ecr.iam.naming import Naming
from local_ecr.iam.statements import Statement, read_statements

Document = Mapping[str, Any]


class Decision(Enum):
    """What policies say about a call; an explicit deny wins over every allow."""

    ALLOWED = "allowed"
    DENIED = "explicitly denied"
    LEFT_TO_ACCOUNT = "left to the account's identity policies"
    """A resource policy allows its own account and says nothing closer about who calls."""
    NOT_ALLOWED = "not allowed by any statement"


@dataclass(frozen=True)
class Policy:
    """A policy document and the name by which people know it."""

    name: str
    document: Document

    @cached_property
    def statements(self) -> tuple[Statement, ...]:
        """The document, read. Raises UnsupportedPolicyError."""
        return read_statements(self.document)


@lru_cache(maxsize=512)
def read_policy(name: str, text: str) -> Policy:
    """The policy of a JSON text, read once for as long as it is the same."""
    return Policy(name, json.loads(text))


@dataclass(frozen=True)
class Ruling:
    """What policies say, and the statement that decided: its policy's name and its Sid or, without one, its number."""

    decision: Decision
    policy: str | None = None
    statement: str | None = None
    naming: Naming = Naming.NOBODY
    """How closely an allowing statement names who calls."""

    @property
    def by(self) -> str:
        """`NAME, statement SID`; empty when no statement applied."""
        return "" if self.policy is None else f"{self.policy}, statement {self.statement}"


_NOTHING = Ruling(Decision.NOT_ALLOWED)


def evaluate(policies: Iterable[Policy], call: Call, *, is_of_identity: bool = False) -> Ruling:
    """What these policies, taken together, say about the call. Raises UnsupportedPolicyError.

    `is_of_identity`: they belong to who calls, as they also do when the call names no principal; else to the resource.
    Of several statements that allow, the one that names the caller most closely decides.
    """
    is_of_identity = is_of_identity or call.principal is None
    ruling = _NOTHING
    for policy in policies:
        for statement in policy.statements:
            naming = statement.naming(call, is_of_identity=is_of_identity)
            if naming and statement.is_deny:
                return Ruling(Decision.DENIED, policy.name, statement.name)
            if naming > ruling.naming:
                decision = Decision.LEFT_TO_ACCOUNT if is_left_to_account(naming, call) else Decision.ALLOWED
                ruling = Ruling(decision, policy.name, statement.name, naming)
    return ruling


def is_left_to_account(naming: Naming, call: Call) -> bool:
    """Whether an allow that names the caller so only leaves the decision to the identity policies of its account."""
    return naming is Naming.ACCOUNT and call.principal is not None and call.owner == call.principal.account


def decide(documents: Iterable[Document], call: Call) -> Decision:
    """What these documents, taken together, say about the call. Raises UnsupportedPolicyError."""
    return evaluate((Policy("policy", document) for document in documents), call).decision


def allows(documents: Iterable[Document], call: Call) -> bool:
    """Whether these documents allow the call."""
    return decide(documents, call) is Decision.ALLOWED


def check(document: Document, *, is_of_identity: bool | None = None) -> None:
    """Find out at once what evaluate() would stumble over later, or could never find. Raises UnsupportedPolicyError.

    A condition key that no request has, such as `aws:PrincipleArn`, is a mistake that nobody notices later: AWS takes
    it for a key that is missing. `is_of_identity` as in evaluate(); None when it is not known which kind of policy it
    is.
    """
    for statement in read_statements(document):
        if unknown := [test.key for test in statement.tests if not is_known(test.key)]:
            raise UnsupportedPolicyError(f"{unknown[0]} is no condition key that AWS documents")
        if is_of_identity is not None:
            statement.check_kind(is_of_identity=is_of_identity)
