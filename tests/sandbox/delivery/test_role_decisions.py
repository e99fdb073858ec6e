"""A role's own policies and the resource's decide together."""

from datetime import timedelta
from typing import Any

import pytest

from ecr_steward_sandbox.delivery.wiring import Wiring
from ecr_steward_sandbox.identity.iam import Role
from local_ecr import Policy

ROLE = "arn:aws:iam::111122223333:role/r"
HERE = "arn:aws:sqs:us-east-1:111122223333:queue"
THERE = "arn:aws:sqs:us-east-1:999999999999:queue"
ALLOWED, DENIED, NOT_ALLOWED = "", "with an explicit deny in", "because no "


def statement(effect: str | None, principal: str | None = None) -> dict[str, Any]:
    """A policy of one statement about every queue, or of none."""
    if effect is None:
        return {"Statement": []}
    named = {} if principal is None else {"Principal": {"AWS": principal}}
    return {"Statement": [{"Effect": effect, "Action": "sqs:SendMessage", "Resource": "*", **named}]}


def role_with(document: dict[str, Any]) -> dict[str, Role]:
    """The role with this policy."""
    trust, own = Policy("role trust policy", {}), Policy("own", document)
    return {ROLE: Role(ROLE, "AROAEXAMPLE", trust, (own,), timedelta(hours=1))}


@pytest.mark.parametrize(
    ("queue", "own", "of_queue", "named", "expected"),
    [
        (HERE, "Allow", None, ROLE, ALLOWED),
        (HERE, None, "Allow", ROLE, ALLOWED),
        (HERE, None, "Allow", "*", ALLOWED),
        (HERE, None, "Allow", "arn:aws:iam::111122223333:root", NOT_ALLOWED),  # no more than "ask the identity"
        (HERE, "Allow", "Deny", ROLE, DENIED),
        (HERE, "Allow", "Deny", "arn:aws:iam::111122223333:root", DENIED),
        (HERE, "Deny", "Allow", ROLE, DENIED),
        (HERE, None, None, ROLE, NOT_ALLOWED),
        (THERE, "Allow", None, ROLE, NOT_ALLOWED),
        (THERE, None, "Allow", ROLE, NOT_ALLOWED),
        (THERE, "Allow", "Allow", "111122223333", ALLOWED),
        (THERE, "Allow", "Allow", "222222222222", NOT_ALLOWED),
        (THERE, "Allow", "Deny", ROLE, DENIED),
    ],
)
def test_role_may_act_when_both_policies_together_allow(
    queue: str, own: str | None, of_queue: str | None, named: str, expected: str
) -> None:
    wiring = Wiring(roles=role_with(statement(own)), resource_policies={queue: (statement(of_queue, named),)})

    judgement = wiring.role_judgement(ROLE, "sqs:SendMessage", queue)
    assert (judgement.is_allowed, judgement.why.startswith(expected)) == (expected == ALLOWED, True)


def test_role_may_nothing_when_it_does_not_exist() -> None:
    judgement = Wiring().role_judgement(ROLE, "sqs:SendMessage", HERE)

    assert (judgement.is_allowed, judgement.why) == (False, "because the role does not exist")


@pytest.mark.parametrize(
    "condition",
    [
        {"Bool": {"aws:SecureTransport": "true"}},
        {"StringEquals": {"aws:ResourceAccount": "111122223333", "aws:RequestedRegion": "us-east-1"}},
        {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
        {"NumericGreaterThan": {"aws:EpochTime": "1577836800"}},
    ],
)
def test_role_may_act_when_a_condition_holds_that_every_call_can_meet(condition: dict[str, Any]) -> None:
    policy = {"Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": HERE, "Condition": condition}]}
    wiring = Wiring(roles=role_with(policy))

    assert wiring.role_may(ROLE, "sqs:SendMessage", HERE)
