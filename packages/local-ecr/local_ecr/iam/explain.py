"""Why a call was allowed or refused, for a person: which policies were looked at, and what was missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from local_ecr.iam.calls import UNKNOWN, Call, UnsupportedPolicyError
from local_ecr.iam.conditions import Test
from local_ecr.iam.decision import SESSION_POLICY, Identity, as_resources_see, identity_of
from local_ecr.iam.policies import Policy, is_left_to_account
from local_ecr.iam.statements import Element, Statement

_SHOWN = 6
"""So many of a statement's actions, resources or values are written out."""


@dataclass(frozen=True)
class Evidence:
    """What a decision was made from: enough to make it again."""

    call: Call
    identity: Identity | Sequence[Policy] | None
    resource: Sequence[Policy] = ()


def explain(evidence: Evidence) -> list[str]:
    """Lines about each policy that was looked at: the statements that apply, and those that one thing kept from it."""
    return list(_lines(evidence))


def _lines(evidence: Evidence) -> Iterator[str]:
    call, identity = evidence.call, evidence.identity
    if call.principal is not None and call.principal.kind == "Service":
        yield "identity policies: an AWS service has none"
    elif identity is None:
        yield "identity policies: the user or role does not exist any more"
    else:
        known = identity_of(call, identity)
        if not known.policies:
            yield "identity policies: none"
        for policy in known.policies:
            yield from _of_policy(f"identity policy {policy.name}", policy, call, is_of_identity=True)
        if known.boundary is not None:
            title = f"permission boundary {known.boundary.name}"
            yield from _of_policy(title, known.boundary, call, is_of_identity=True)
        if known.session is not None:
            yield from _of_policy(SESSION_POLICY, known.session, call, is_of_identity=True)
        call = as_resources_see(call, known)
    if not evidence.resource:
        yield "resource policies: none"
    for policy in evidence.resource:
        yield from _of_policy(policy.name, policy, call, is_of_identity=False)


def _of_policy(title: str, policy: Policy, call: Call, *, is_of_identity: bool) -> Iterator[str]:
    try:
        found = [_of_statement(one, call, is_of_identity=is_of_identity) for one in policy.statements]
    except UnsupportedPolicyError as cause:
        yield f"{title}: it is not known what it means: {cause}"
        return
    yield f"{title}: {len(found)} statement{'' if len(found) == 1 else 's'}"
    told = [line for line in found if line]
    yield from told
    if others := len(found) - len(told):
        more = "more " if told else ""
        yield f"  {others} {more}{'is' if others == 1 else 'are'} about something else"


def _of_statement(statement: Statement, call: Call, *, is_of_identity: bool) -> str:
    """What it says about the call, or would say but for one thing or for its conditions; empty when it is far off."""
    naming = statement.naming(call, is_of_identity=is_of_identity)
    title = f"  statement {statement.name}"
    if naming:
        if statement.is_deny:
            return f"{title} denies it"
        if is_left_to_account(naming, call):
            return f"{title} leaves it to the identity policies of its account"
        return f"{title} allows it"
    subject = list(_differences(statement, call, is_of_identity=is_of_identity))
    conditions = [_of_condition(test, call) for test in statement.tests if not test.holds(call.keys)]
    if statement.is_deny or len(subject) > 1 or (subject and conditions):
        return ""
    return f"{title} would allow it, but {', and '.join(subject or conditions)}"


def _differences(statement: Statement, call: Call, *, is_of_identity: bool) -> Iterator[str]:
    """How what the statement is about differs from the call, its conditions aside."""
    if not statement.actions.matches(call.folded_action, call.keys):
        yield _difference("action", call.action, statement.actions)
    if statement.resources is not None and not statement.resources.matches(call.resource, call.keys):
        yield _difference("resource", call.resource, statement.resources)
    principal, principals = call.principal, statement.principals
    if not is_of_identity and principal is not None and principals is not None and not principals.naming(principal):
        yield f"it names {principals}, not {principal.name}"


def _difference(what: str, asked: str, element: Element) -> str:
    listed = _some(element.texts)
    if element.is_opposite:
        return f"the {what} {asked} is excepted by {element.name} {listed}"
    return f"the {what} is {asked}, not {listed}"


def _of_condition(test: Test, call: Call) -> str:
    value = call.keys.get(test.key.lower())
    if value is None:
        has = "the request does not have it"
    else:
        has = f"the request has {_some([value] if isinstance(value, str) else value)}"
    return f"the condition {test.operator} {test.key} wants {_some(test.wanted)}, {has}"


def _some(texts: Sequence[str]) -> str:
    shown = ", ".join("(unknown)" if text is UNKNOWN else text or '""' for text in texts[:_SHOWN])
    return f"{shown} and {len(texts) - _SHOWN} more" if len(texts) > _SHOWN else shown or "nothing"
