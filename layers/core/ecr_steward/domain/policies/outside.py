"""Whom a statement lets in that is not inside: the public, other accounts, and principals that are no more.

A condition counts where it holds only for callers that are inside: those of an account, an organization, or a service
on behalf of one ("AWS global condition context keys", IAM user guide). ``...IfExists`` and ``ForAllValues`` also hold
where the key is missing, and so keep nobody out.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from ecr_steward.domain.policies.principals import EVERYBODY, Kind, Principal, read_principals
from ecr_steward.domain.policies.rules import Inside
from ecr_steward.domain.policies.statements import Statement, read_statements
from ecr_steward.domain.repositories import Document, UnreadableDocument

_ACCOUNT_KEYS: Final = {"aws:principalaccount", "aws:sourceaccount"}
_ARN_KEYS: Final = {"aws:principalarn", "aws:sourcearn"}
_ORGANIZATION_KEYS: Final = {"aws:principalorgid", "aws:sourceorgid"}
_PATH_KEYS: Final = {"aws:principalorgpaths", "aws:sourceorgpaths"}
_NETWORK_KEYS: Final = {"aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:sourceip", "aws:sourcevpcarn"}
_POSITIVE = re.compile(
    r"(ForAnyValue:)?(String(Equals|EqualsIgnoreCase|Like)|Arn(Equals|Like)|IpAddress)", re.IGNORECASE
)
_ARN_ACCOUNT = re.compile(r"arn:[^:]*:[^:]*:[^:]*:(?P<account>[0-9]{12}):.*", re.DOTALL)


class _Limit(Enum):
    """What conditions make of whoever a principal means."""

    NONE = auto()
    INSIDE = auto()
    OUTSIDE = auto()
    NETWORK = auto()


@dataclass(frozen=True)
class Outsiders:
    """Whom a statement names that is not inside."""

    let_in: frozenset[Principal] = frozenset()
    deleted: frozenset[Principal] = frozenset()
    unsure: frozenset[Principal] = frozenset()
    """Who may be inside or not: the document does not say."""


def outsiders_of(statement: Statement, inside: Inside) -> Outsiders:
    """Whom a statement lets in from outside; a Deny lets in nobody."""
    deleted = frozenset(each for each in statement.principals if each.kind is Kind.DELETED)
    if not statement.is_allow:
        return Outsiders(deleted=deleted)
    limit = _limit(statement.written.get("Condition"), inside)
    # "Allow" with NotPrincipal lets in everybody but those.
    whom = {EVERYBODY} if "NotPrincipal" in statement.written else statement.principals
    where = {each: _place(each, limit, inside) for each in whom if each.kind is not Kind.DELETED}
    return Outsiders(
        let_in=frozenset(each for each, place in where.items() if place is _Limit.OUTSIDE),
        deleted=deleted,
        unsure=frozenset(each for each, place in where.items() if place is _Limit.NETWORK),
    )


def newly_let_in(before: Document | None, after: Document, account: str) -> frozenset[Principal]:
    """Whom a policy of an account lets in from outside of it, and another one before it did not, or not so widely."""
    had, has = (_let_in(document, Inside(frozenset({account}))) for document in (before or {}, after))
    return frozenset(principal for principal, _ in has - had)


def _let_in(document: Document, inside: Inside) -> frozenset[tuple[Principal, str]]:
    """Outsiders, each with the condition under which it comes in. What cannot be read counts for none."""
    statements = read_statements(document)
    return frozenset(
        (principal, json.dumps(statement.written.get("Condition"), sort_keys=True, default=str))
        for statement in (() if isinstance(statements, UnreadableDocument) else statements)
        for principal in outsiders_of(statement, inside).let_in
    )


def deleted_in(statement: Statement) -> frozenset[Principal]:
    """The deleted principals of a statement that can be left out: where ``NotPrincipal`` names them, they stay."""
    return frozenset(each for each in statement.principals if each.kind is Kind.DELETED)


def accounts_of(statements: tuple[Mapping[str, Any], ...]) -> frozenset[str]:
    """The accounts that statements name as principals."""
    return frozenset(
        principal.account
        for written in statements
        for principal in read_principals(written.get("Principal", {}))
        if principal.account is not None
    )


def _place(principal: Principal, limit: _Limit, inside: Inside) -> _Limit:
    if limit is _Limit.INSIDE or principal.account in inside.accounts:
        return _Limit.INSIDE
    if principal.account is not None or limit is _Limit.OUTSIDE:
        return _Limit.OUTSIDE
    if principal.kind is Kind.EVERYBODY and limit is _Limit.NONE:
        return _Limit.OUTSIDE
    return _Limit.NETWORK


def _limit(condition: Any, inside: Inside) -> _Limit:
    """All conditions hold together, so one that keeps outsiders out is enough."""
    limits = list(_limits(condition, inside))
    return next((limit for limit in (_Limit.INSIDE, _Limit.OUTSIDE, _Limit.NETWORK) if limit in limits), _Limit.NONE)


def _limits(condition: Any, inside: Inside) -> Iterator[_Limit]:
    for operator, keys in condition.items() if isinstance(condition, Mapping) else ():
        if isinstance(keys, Mapping) and _POSITIVE.fullmatch(operator):
            for key, values in keys.items():
                listed = values if isinstance(values, list | tuple) else [values]
                if key.lower() in _NETWORK_KEYS:
                    yield _Limit.NETWORK
                elif listed and all(_is_inside(key.lower(), str(value), inside) for value in listed):
                    yield _Limit.INSIDE
                elif key.lower() in _ACCOUNT_KEYS | _ARN_KEYS | _ORGANIZATION_KEYS | _PATH_KEYS:
                    yield _Limit.OUTSIDE


def _is_inside(key: str, value: str, inside: Inside) -> bool:
    if key in _ACCOUNT_KEYS:
        return value in inside.accounts
    if key in _ORGANIZATION_KEYS:
        return value in inside.organizations
    if key in _PATH_KEYS:
        return value.partition("/")[0] in inside.organizations
    arn = _ARN_ACCOUNT.fullmatch(value) if key in _ARN_KEYS else None
    return arn is not None and arn["account"] in inside.accounts
