"""Whom a statement lets in that is not inside: the public, other accounts, and principals that are no more.

A condition counts where it holds only for callers that are inside: those of an account, an organization, or a service
on behalf of one ("AWS global condition context keys", IAM user guide). ``...IfExists`` and ``ForAllValues`` also hold
where the key is missing, and so keep nobody out.
"""

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from ecr_steward.domain.policies.principals import EVERYBODY, Kind, Principal, read_principals
from ecr_steward.domain.policies.rules import Inside
from ecr_steward.domain.policies.statements import Statement

_ACCOUNT_KEYS: Final = {"aws:principalaccount", "aws:sourceaccount"}
_ARN_KEYS: Final = {"aws:principalarn", "aws:sourcearn"}
_ORGANIZATION_KEYS: Final = {"aws:principalorgid", "aws:sourceorgid"}
_PATH_KEYS: Final = {"aws:principalorgpaths", "aws:sourceorgpaths"}
_NETWORK_KEYS: Final = {"aws:sourcevpc", "aws:sourcevpce", "aws:vpcsourceip", "aws:sourceip", "aws:sourcevpcarn"}
_KEYS: Final = _ACCOUNT_KEYS | _ARN_KEYS | _ORGANIZATION_KEYS | _PATH_KEYS | _NETWORK_KEYS
_OWN_ACCOUNT: Final = "${aws:ResourceAccount}"
_OWN_ORGANIZATION: Final = "${aws:ResourceOrgID}"
_ACCOUNT_IN_ARN: Final = 4
"""The position of the account among the parts of an ARN."""
_WIDEST: Final = {4: 8, 6: 32}
"""Bits of the shortest prefix by which a network is still a network, and not everybody's."""
POSITIVE: Final = re.compile(
    r"(ForAnyValue:)?(String(Equals|EqualsIgnoreCase|Like)|Arn(Equals|Like)|IpAddress)", re.IGNORECASE
)
"""Operators of a condition that only holds for the values that it names."""
_ARN_ACCOUNT = re.compile(r"arn:[^:]*:[^:]*:[^:]*:(?P<account>[0-9]{12}):.*", re.DOTALL)


class Limit(Enum):
    """Which callers the conditions of a statement leave, of all that its principals mean."""

    NONE = auto()
    INSIDE = auto()
    OUTSIDE = auto()
    NETWORK = auto()
    BOUNDLESS = auto()
    """A condition that every account, organization or network meets, such as ``aws:PrincipalOrgID`` like ``*``."""


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
    limit, _ = limit_of(statement.written.get("Condition"), inside)
    # "Allow" with NotPrincipal lets in everybody but those.
    whom = {EVERYBODY} if "NotPrincipal" in statement.written else statement.principals
    where = {each: _place(each, limit, inside) for each in whom if each.kind is not Kind.DELETED}
    return Outsiders(
        let_in=frozenset(each for each, place in where.items() if place is Limit.OUTSIDE),
        deleted=deleted,
        unsure=frozenset(each for each, place in where.items() if place is Limit.NETWORK),
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


def limit_of(condition: Any, inside: Inside) -> tuple[Limit, frozenset[str]]:
    """What a condition limits callers to, and the values that say so.

    All conditions hold together, so one that keeps outsiders out is enough.
    """
    found = list(_limits(condition, inside))
    for limit in (Limit.INSIDE, Limit.OUTSIDE, Limit.NETWORK, Limit.BOUNDLESS):
        if any(each is limit for each, _ in found):
            return limit, frozenset(value for each, values in found if each is limit for value in values)
    return Limit.NONE, frozenset()


def _place(principal: Principal, limit: Limit, inside: Inside) -> Limit:
    if limit is Limit.INSIDE or principal.account in inside.accounts:
        return Limit.INSIDE
    if principal.account is not None or limit in (Limit.OUTSIDE, Limit.BOUNDLESS):
        return Limit.OUTSIDE
    if principal.kind is Kind.EVERYBODY and limit is Limit.NONE:
        return Limit.OUTSIDE
    return Limit.NETWORK


def _limits(condition: Any, inside: Inside) -> Iterator[tuple[Limit, list[str]]]:
    for operator, keys in condition.items() if isinstance(condition, Mapping) else ():
        if isinstance(keys, Mapping) and POSITIVE.fullmatch(operator):
            for key, values in keys.items():
                listed = list(map(str, values if isinstance(values, list | tuple) else [values]))
                if key.lower() in _KEYS and any(_is_boundless(key.lower(), value) for value in listed):
                    yield Limit.BOUNDLESS, listed
                elif key.lower() in _NETWORK_KEYS:
                    yield Limit.NETWORK, listed
                elif listed and all(_is_inside(key.lower(), value, inside) for value in listed):
                    yield Limit.INSIDE, listed
                elif key.lower() in _KEYS:
                    yield Limit.OUTSIDE, [value for value in listed if not _is_inside(key.lower(), value, inside)]


def _is_inside(key: str, value: str, inside: Inside) -> bool:
    if key in _ACCOUNT_KEYS:
        return value in inside.accounts or value == _OWN_ACCOUNT
    if key in _ORGANIZATION_KEYS:
        return value in inside.organizations
    if key in _PATH_KEYS:
        return value.partition("/")[0] in inside.organizations
    arn = _ARN_ACCOUNT.fullmatch(value) if key in _ARN_KEYS else None
    return arn is not None and arn["account"] in inside.accounts


def _is_boundless(key: str, value: str) -> bool:
    """Whether a value leaves open which account, organization or network it means."""
    if key in _NETWORK_KEYS:
        return value == "*" or _is_wide_network(value)
    if key in _ARN_KEYS:
        parts = value.split(":", 5)
        value = parts[4] if len(parts) > _ACCOUNT_IN_ARN else value
    elif key in _PATH_KEYS:
        value = value.partition("/")[0]
    if value in (_OWN_ACCOUNT, _OWN_ORGANIZATION):
        return False
    return any(sign in value for sign in ("*", "?", "${"))


def _is_wide_network(value: str) -> bool:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        return False
    return network.prefixlen < _WIDEST[network.version]
