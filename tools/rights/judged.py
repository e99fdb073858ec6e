"""What is wrong with the templates' rights: a sentence for each thing, and none where all fits.

Compared are the statements of the roles (roles.py), the recorded calls (calls.py), AWS's service authorization
reference (published.py) and the reasons (explained.py).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Final

from rights.calls import Call, Seen
from rights.explained import GIVEN_BY_TESTS, NEEDS, NO_RESOURCE, NOT_NEEDED, REFUSED, UNSEEN, WIDE, Need, Reason
from rights.published import is_published, keys_of, needed_by, resources_of
from rights.roles import SESSIONS_OF, Statement, actors, granted, role_of, statements

RECORD: Final = "`make rights` records it where a test does it; if none can, tools/rights/explained.py says why"
_GLOBAL: Final = re.compile(r"aws:", re.IGNORECASE)


@dataclass(frozen=True)
class Use:
    """Why a statement allows an action."""

    statement: Statement
    action: str
    is_recorded: bool
    reasons: tuple[Reason, ...]
    """Of what is not recorded; none for what nothing explains."""


def uses(seen: Seen) -> tuple[Use, ...]:
    """Each action of each statement, and what it is for."""
    recorded = {(role_of(one.actor), name, one.action) for one in seen.allowed for name in one.allowed_by}
    asked = _asked(seen)
    found = []
    for one in statements():
        for action in one.actions:
            is_recorded = (one.role, one.name, action) in recorded
            reasons = () if is_recorded else (*_needed_as(one.role, action, asked), *_unseen(one, action))
            found.append(Use(one, action, is_recorded, reasons))
    return tuple(found)


def _asked(seen: Seen) -> Mapping[str, frozenset[str]]:
    """The recorded actions of each actor; a function does in connected accounts what it does in the hub's."""
    own = {actor: {one.action for one in seen.allowed if one.actor == actor} for actor in actors()}
    return {actor: frozenset(own[actor] | own.get(at_home(actor), set()) & granted(actor)) for actor in actors()}


def at_home(actor: str) -> str:
    """The role in the hub of the function that a session is of."""
    words = actor.partition(" as ")[2].split("_")
    return f"hub/{''.join(word.capitalize() for word in words)}FunctionRole"


def needs_of(actor: str, asked: frozenset[str]) -> Iterator[Need]:
    """What AWS asks an actor for, beside the actions that it asks for."""
    for need in NEEDS:
        is_of_actor = any(fnmatchcase(actor, role) for role in need.roles)
        if is_of_actor and any(fnmatchcase(action, of) for of in need.of for action in asked):
            yield need


def _needed_as(role: str, action: str, asked: Mapping[str, frozenset[str]]) -> Iterator[Reason]:
    found = dict.fromkeys(
        need for actor in actors() if role_of(actor) == role for need in needs_of(actor, asked[actor])
    )
    return (Reason(need.when, need.source) for need in found if action in need.actions)


def _unseen(one: Statement, action: str) -> Iterator[Reason]:
    for patterns, reason in UNSEEN.items():
        if all(map(fnmatchcase, (one.role, one.name, action), patterns)):
            yield reason


def not_allowed(seen: Seen) -> Iterator[str]:
    """Calls that the template does not allow, and refusals that are not meant."""
    for one in sorted(seen.allowed):
        if not one.allowed_by and (role_of(one.actor), one.action) not in GIVEN_BY_TESTS:
            yield f"{one}: recorded, and no statement of the role allows it"
    for one in sorted(seen.refused):
        if not _is_meant(one):
            yield f"{one}: a function was refused this, and nothing says that it should be"


def _is_meant(call: Call) -> bool:
    return any(fnmatchcase(call.actor, role) and call.action == action for role, action in REFUSED)


def not_used(seen: Seen) -> Iterator[str]:
    """Actions of statements, and of sessions, that nothing asks for."""
    for use in uses(seen):
        if not use.is_recorded and not use.reasons:
            yield f"{use.statement.role}, {use.statement.name}: {use.action} is granted, and no call is known. {RECORD}"
    asked = _asked(seen)
    for actor in actors():
        if role_of(actor) == SESSIONS_OF:
            needed = {action for need in needs_of(actor, asked[actor]) for action in need.actions}
            for action in sorted(granted(actor) - asked[actor] - needed):
                yield f"{actor}: {action} is left by the session's policy, and no call is known. {RECORD}"


def not_granted(seen: Seen) -> Iterator[str]:
    """What AWS asks for beside recorded calls, and the role does not have."""
    for actor, asked in _asked(seen).items():
        for need in needs_of(actor, asked):
            for action in sorted(set(need.actions) - granted(actor)):
                yield f"{actor}: {action} is missing: {need.when} ({need.source})"
        for action in sorted(asked):
            for needed in sorted(needed_by(action) - granted(actor)):
                yield f"{actor}: {needed} is missing, on which {action} depends (service authorization reference)"


def too_wide() -> Iterator[str]:
    """Resources that are wider than AWS lets them be, or that an action does not know."""
    for one in statements():
        for action in one.actions:
            if not is_published(action):
                yield f"{one.role}, {one.name}: {action} is no action of the service authorization reference"
            elif not resources_of(action):
                if one.resources != ("*",):
                    yield f"{one.role}, {one.name}: {action} knows `*` alone, not {one.resources}"
            elif "*" in one.resources:
                if action not in NO_RESOURCE:
                    yield f"{one.role}, {one.name}: {action} is allowed on `*`, and could name a resource"
            elif not any(_overlap(kind, arn) for kind in resources_of(action) for arn in one.resources):
                yield f"{one.role}, {one.name}: {action} knows none of the kinds of resource {one.resources}"
        for arn in one.resources:
            if arn != "*" and "*" in arn and not any(fnmatchcase(arn, wide) for wide in WIDE):
                yield f"{one.role}, {one.name}: nothing says why `{arn}` has a `*`"


@cache
def _overlap(one: str, other: str) -> bool:
    """Whether some text fits both of two patterns, in which `*` stands for anything."""
    if not one or not other:
        return not (one + other).strip("*")
    if one[0] == "*" or other[0] == "*":
        return _overlap(one[one[0] == "*" :], other[other[0] == "*" :]) or (
            (one[0] == "*" and _overlap(one, other[1:])) or (other[0] == "*" and _overlap(one[1:], other))
        )
    return one[0] == other[0] and _overlap(one[1:], other[1:])


def unknown_keys(seen: Seen) -> Iterator[str]:
    """Condition keys, of statements and of recorded calls, that AWS does not know for the action."""
    for one in statements():
        for action in one.actions:
            yield from (f"{one.role}, {one.name}: {action} has no key {key}" for key in _unknown(action, one.keys))
    for call in sorted(seen.allowed):
        for key in _unknown(call.action, frozenset(name for name, _ in call.keys)):
            yield f"{call}: the action has no key {key}"


def _unknown(action: str, keys: frozenset[str]) -> list[str]:
    return sorted(key for key in keys - keys_of(action) if not _GLOBAL.match(key))


def out_of_date(seen: Seen) -> Iterator[str]:
    """Reasons for what is not there any more."""
    for patterns in UNSEEN:
        fitting = [
            use
            for use in uses(seen)
            if all(map(fnmatchcase, (use.statement.role, use.statement.name, use.action), patterns))
        ]
        if not fitting or any(use.is_recorded for use in fitting):
            yield f"UNSEEN {patterns}: nothing is granted that it explains, or a call of it is recorded"
    given = {(role_of(one.actor), one.action) for one in seen.allowed if not one.allowed_by}
    yield from (f"GIVEN_BY_TESTS {one}: is recorded no more" for one in GIVEN_BY_TESTS.keys() - given)
    for role, action in REFUSED:
        if not any(fnmatchcase(one.actor, role) and one.action == action for one in seen.refused):
            yield f"REFUSED {role} {action}: is recorded no more"
    arns = {arn for one in statements() for arn in one.resources}
    yield from (f"WIDE {wide}: no statement has such a resource" for wide in WIDE if not _fits_any(wide, arns))
    on_all = {action for one in statements() if "*" in one.resources for action in one.actions}
    yield from (f"NO_RESOURCE {action}: is not allowed on `*`" for action in NO_RESOURCE.keys() - on_all)
    asked = _asked(seen)
    for need in NEEDS:
        if not any(need in needs_of(actor, asked[actor]) for actor in actors()):
            yield f"NEEDS of {', '.join(need.of)}: no role makes the call"


def _fits_any(pattern: str, arns: set[str]) -> bool:
    return any(fnmatchcase(arn, pattern) for arn in arns)


def not_as_registry(handlers: Mapping[str, frozenset[str]], calls: Mapping[str, str]) -> Iterator[str]:
    """What CloudFormation's own handlers ask for to make the same call, and a role that makes it does not have.

    `handlers` are the actions by type of resource, `calls` the call of ours that a type stands for.
    """
    for kind, call in calls.items():
        for actor in actors():
            if call in granted(actor):
                for action in sorted(handlers[kind] - granted(actor)):
                    if not any(kind == of and fnmatchcase(action, pattern) for of, pattern in NOT_NEEDED):
                        yield f"{actor}: CloudFormation's {kind} asks for {action} beside {call}"


def all_complaints(seen: Seen) -> Iterator[str]:
    """Everything that is wrong, but for what needs CloudFormation's registry."""
    for by_calls in (not_allowed, not_used, not_granted, unknown_keys, out_of_date):
        yield from by_calls(seen)
    yield from too_wide()
