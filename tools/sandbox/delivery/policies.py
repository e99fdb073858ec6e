"""AWS policies: does a set of policy documents allow one call?

Small and strict: an element, operator or variable that is not known here raises UnsupportedPolicyError instead of being
skipped, since a skipped condition would allow what AWS denies. Source: IAM user guide, "Policy evaluation logic" and
"IAM JSON policy elements reference".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any

type Document = Mapping[str, Any]


class UnsupportedPolicyError(ValueError):
    """A policy uses something that this evaluation does not know; it is refused rather than guessed."""


class Decision(Enum):
    """What policies say about a call; an explicit deny wins over every allow."""

    ALLOWED = "allowed"
    DENIED = "explicitly denied"
    NOT_ALLOWED = "not allowed by any statement"


@dataclass(frozen=True)
class Principal:
    """Who calls: an AWS service (`events.amazonaws.com`) or an IAM identity (its ARN)."""

    kind: str  # "Service" or "AWS"
    name: str


@dataclass(frozen=True)
class Call:
    """One call to decide about. `context` holds condition keys, such as aws:SourceArn, in any case."""

    action: str
    resource: str
    principal: Principal | None = None  # None: an identity policy, which names no principal
    context: Mapping[str, str] = field(default_factory=dict)


def decide(documents: Iterable[Document], call: Call) -> Decision:
    """What these documents, taken together, say about the call. Raises UnsupportedPolicyError."""
    decision = Decision.NOT_ALLOWED
    for document in documents:
        for statement in _list(document.get("Statement", [])):
            if not _applies(statement, call):
                continue
            if statement["Effect"] == "Deny":
                return Decision.DENIED
            decision = Decision.ALLOWED
    return decision


def check(document: Document) -> None:
    """Find out at once what decide() would stumble over later. Raises UnsupportedPolicyError."""
    for statement in _list(document.get("Statement", [])):
        _check_elements(statement)
        for element in ("Action", "NotAction", "Resource", "NotResource"):
            for text in _list(statement.get(element, [])):
                _wildcards(text)
        for operator, block in statement.get("Condition", {}).items():
            name = operator.removesuffix("IfExists")
            if name not in {*_OPERATORS, *_NEGATED, "Null"}:
                raise UnsupportedPolicyError(f"condition operator {operator} is not evaluated here")
            for values in block.values():
                for text in _list(values):
                    _wildcards(str(text))


def allows(documents: Iterable[Document], call: Call) -> bool:
    """Whether these documents allow the call."""
    return decide(documents, call) is Decision.ALLOWED


KNOWN_ELEMENTS = {"Sid", "Effect", "Principal", "Action", "NotAction", "Resource", "NotResource", "Condition"}


def _applies(statement: Mapping[str, Any], call: Call) -> bool:
    _check_elements(statement)
    return (
        _names_principal(statement, call)
        and _names(statement, "Action", call.action.lower(), str.lower)
        and _names(statement, "Resource", call.resource, str)
        and all(
            _holds(operator, key, _list(values), call.context)
            for operator, block in statement.get("Condition", {}).items()
            for key, values in block.items()
        )
    )


def _check_elements(statement: Mapping[str, Any]) -> None:
    if unknown := statement.keys() - KNOWN_ELEMENTS:
        raise UnsupportedPolicyError(f"statement elements {', '.join(sorted(unknown))} are not evaluated here")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise UnsupportedPolicyError(f"Effect {statement.get('Effect')!r} is neither Allow nor Deny")


def _names_principal(statement: Mapping[str, Any], call: Call) -> bool:
    wanted, principal = statement.get("Principal"), call.principal
    if principal is None:
        return True
    if wanted is None:
        raise UnsupportedPolicyError("a statement of a resource policy names no Principal")
    if wanted == "*":
        return True
    names = _list(wanted.get(principal.kind, []))
    if principal.kind == "Service":
        return principal.name in names
    account = principal.name.split(":")[4]
    accepted = {"*", principal.name}
    if statement["Effect"] == "Deny" or account != call.resource.split(":")[4]:
        # To allow its own account says no more than that the account's identity policies decide.
        accepted |= {account, f"arn:aws:iam::{account}:root"}
    return not accepted.isdisjoint(names)


def _names(statement: Mapping[str, Any], element: str, value: str, fold: Callable[[str], str]) -> bool:
    if f"Not{element}" in statement:
        return not any(_like(fold(wanted), value) for wanted in _list(statement[f"Not{element}"]))
    if element not in statement:
        # A trust policy has no Resource: it is the role's own.
        return element == "Resource"
    return any(_like(fold(wanted), value) for wanted in _list(statement[element]))


def _like(wanted: str, value: str) -> bool:
    return _wildcards(wanted).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def _wildcards(text: str) -> re.Pattern[str]:
    if "${" in text:
        raise UnsupportedPolicyError(f"policy variables are not evaluated here: {text}")
    escaped = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in text)
    return re.compile(escaped, re.DOTALL)


def _arn_like(wanted: str, value: str) -> bool:
    """The six parts of an ARN are compared one by one: `*` never reaches over a colon before the last part."""
    wanted_parts, value_parts = wanted.split(":", 5), value.split(":", 5)
    return len(wanted_parts) == len(value_parts) == 6 and all(map(_like, wanted_parts, value_parts))


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": _like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def _holds(operator: str, key: str, wanted: list[str], context: Mapping[str, str]) -> bool:
    value = {name.lower(): text for name, text in context.items()}.get(key.lower())
    if operator == "Null":
        return any(str(text).lower() == str(value is None).lower() for text in wanted)
    if operator.endswith("IfExists"):
        if value is None:
            return True
        operator = operator.removesuffix("IfExists")
    if operator in _NEGATED:
        # A missing key satisfies a negated operator, as in IAM.
        return value is None or not any(_OPERATORS[_NEGATED[operator]](str(text), value) for text in wanted)
    if operator not in _OPERATORS:
        raise UnsupportedPolicyError(f"condition operator {operator} is not evaluated here")
    return value is not None and any(_OPERATORS[operator](str(text), value) for text in wanted)


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
