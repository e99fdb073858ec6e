"""What a policy opens to principals outside of its account, and the policy before it did not.

A statement of another principal, another action, another resource or a weaker condition opens something, and so does
the loss of a Deny. A Deny on everybody that is not of an organization or account is read as the condition that it is.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from ecr_steward.domain.policies.outside import POSITIVE, Limit, limit_of, outsiders_of
from ecr_steward.domain.policies.principals import EVERYBODY, Kind, Principal, read_principals
from ecr_steward.domain.policies.rules import Inside
from ecr_steward.domain.policies.statements import (
    Statement,
    lowered_values,
    normal_condition,
    read_statements,
    values_of,
)
from ecr_steward.domain.repositories import Document, UnreadableDocument

_NEGATED: Final = re.compile(r"(?P<type>String|Arn)Not(?P<how>Equals(?:IgnoreCase)?|Like)(?:IfExists)?", re.IGNORECASE)


@dataclass(frozen=True, order=True)
class Opening:
    """A principal outside of the account of a policy, which the policy lets in or lets do more than the one before."""

    name: str
    """An account, an ARN, a service, the id of an organization, or "everybody"."""
    is_public: bool = False

    def __str__(self) -> str:
        return self.name


def openings(before: Document | None, after: Document, account: str) -> frozenset[Opening]:
    """What a policy of an account opens. A document that cannot be read lets in no one."""
    inside = Inside(frozenset({account}))
    had, has = _read(before or {}), _read(after)
    allowed = [each for each in _fenced(had) if each.is_allow]
    denied = [each for each in has if not each.is_allow]
    lost = [each for each in had if not each.is_allow and not _is_covered(each, denied) and not _is_read(each, had)]
    return frozenset(
        opening
        for each in _fenced(has)
        for principal in _outsiders(each, inside)
        if not _is_covered(each, allowed, principal) or any(_concerns(deny, each, principal) for deny in lost)
        for opening in _named(principal, each, inside)
    )


def let_in_by(statement: Statement, inside: Inside) -> frozenset[Opening]:
    """Each principal that a statement lets in, or may let in, and that is not inside."""
    return frozenset(found for each in _outsiders(statement, inside) for found in _named(each, statement, inside))


def _read(document: Document) -> tuple[Statement, ...]:
    statements = read_statements(document)
    return () if isinstance(statements, UnreadableDocument) else statements


def _outsiders(statement: Statement, inside: Inside) -> frozenset[Principal]:
    found = outsiders_of(statement, inside)
    return found.let_in | found.unsure


def _named(principal: Principal, statement: Statement, inside: Inside) -> Iterator[Opening]:
    limit, values = limit_of(statement.written.get("Condition"), inside)
    if principal.kind is not Kind.EVERYBODY:
        yield Opening(str(principal))
    elif limit is Limit.OUTSIDE:
        yield from map(Opening, values)
    elif limit is Limit.NETWORK:
        yield from (Opening(f"everybody from {value}") for value in values)
    else:
        yield Opening(str(principal), is_public=True)


# ---------------------------------------------------------------- what another statement says already


def _is_covered(statement: Statement, others: Collection[Statement], principal: Principal | None = None) -> bool:
    """Whether other statements say of each action, and of this or of every principal, as much or more."""
    principals = {principal} if principal else (statement.principals or {EVERYBODY})
    held = [other for other in others if _holds(other, statement)]
    return all(
        any(_names(other, each, statement) and _acts(other, action, statement) for other in held)
        for each in principals
        for action in statement.actions or {""}
    )


def _names(other: Statement, principal: Principal, statement: Statement) -> bool:
    if "NotPrincipal" in other.written:
        excepted = read_principals(other.written["NotPrincipal"])
        if "NotPrincipal" in statement.written:
            return excepted <= read_principals(statement.written["NotPrincipal"])
        return principal != EVERYBODY and principal not in excepted
    account = Principal(Kind.ACCOUNT, principal.account, principal.account) if principal.account else principal
    return bool({principal, account, EVERYBODY} & other.principals)


def _acts(other: Statement, action: str, statement: Statement) -> bool:
    if "NotAction" in other.written:
        excepted = lowered_values(other.written["NotAction"])
        if "NotAction" in statement.written:
            return excepted <= lowered_values(statement.written["NotAction"])
        return not any(_matches(pattern, action) or _matches(action, pattern) for pattern in excepted)
    if "NotAction" in statement.written:
        return bool(other.actions & {"*", "ecr:*"})
    return any(_matches(pattern, action) for pattern in other.actions)


def _holds(other: Statement, statement: Statement) -> bool:
    """Whether another statement holds wherever this one does: by its resources and its condition."""
    if other.written.get("NotResource") != statement.written.get("NotResource"):
        return False
    resources, mine = (values_of(each.written.get("Resource", "*")) for each in (other, statement))
    if not all(any(_matches(pattern, one) for pattern in resources) for one in mine):
        return False
    asked, said = (normal_condition(each.written.get("Condition")) for each in (other, statement))
    if asked is None or asked == said:
        return True
    if not isinstance(asked, frozenset) or not isinstance(said, frozenset):
        return False
    return all(
        any(
            (_plain(operator), key) == (_plain(one), name)
            and (values == some or (POSITIVE.fullmatch(operator) and some <= values))
            for one, name, some in said
        )
        for operator, key, values in asked
    )


def _plain(operator: str) -> str:
    """An operator without what it says about several values: callers have one account and one organization."""
    return operator.lower().removeprefix("foranyvalue:")


def _concerns(deny: Statement, allow: Statement, principal: Principal) -> bool:
    """Whether a Deny may have kept a principal from something that a statement allows."""
    denied = any(_acts(deny, action, allow) for action in allow.actions or {""})
    if not denied and not any(_acts(allow, action, deny) for action in deny.actions or {""}):
        return False
    if "NotPrincipal" in deny.written or EVERYBODY in deny.principals or principal == EVERYBODY:
        return True
    return any(principal == each or (each.account and each.account == principal.account) for each in deny.principals)


# ---------------------------------------------------------------- a Deny that fences others in


def _fenced(statements: Iterable[Statement]) -> Iterator[Statement]:
    """Statements, each Allow with the conditions that a Deny on all others amounts to."""
    listed = list(statements)
    fences = [(deny, fence) for deny in listed if not deny.is_allow and (fence := _fence(deny)) is not None]
    for each in listed:
        for deny, fence in fences:
            if each.is_allow and _shuts(deny, each):
                condition = each.written.get("Condition")
                merged = {**condition, **fence} if isinstance(condition, Mapping) else fence
                each = Statement({**each.written, "Condition": merged}, each.version)  # noqa: PLW2901
        yield each


def _is_read(deny: Statement, statements: Iterable[Statement]) -> bool:
    """Whether all that a Deny does is read as the conditions of statements that allow something."""
    return _fence(deny) is not None and all(_shuts(deny, each) for each in statements if each.is_allow)


def _fence(deny: Statement) -> dict[str, Any] | None:
    condition = deny.written.get("Condition")
    if EVERYBODY not in deny.principals or not isinstance(condition, Mapping) or len(condition) != 1:
        return None
    ((operator, keys),) = condition.items()
    negated = _NEGATED.fullmatch(operator)
    if negated is None or not isinstance(keys, Mapping) or len(keys) != 1:
        return None
    # An operator that the Allow may have, too, is not overwritten: ForAnyValue holds for the same single value.
    return {f"ForAnyValue:{negated['type']}{negated['how']}": dict(keys)}


def _shuts(deny: Statement, allow: Statement) -> bool:
    if deny.written.get("Resource", "*") not in ("*", ["*"]) or "NotResource" in deny.written:
        return False
    return all(_acts(deny, action, allow) for action in allow.actions or {""})


def _matches(pattern: str, text: str) -> bool:
    parts = (".*" if sign == "*" else "." if sign == "?" else re.escape(sign) for sign in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None
