"""Queues: that they take, keep and give what they should, and what lies in them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from ecr_steward_cli.doctor.checks.check import Asks, AsTemplate, Check, Exists, problem
from ecr_steward_cli.doctor.checks.rules import RECREATE
from ecr_steward_cli.doctor.facts import Facts
from ecr_steward_cli.doctor.findings import Finding, Unread, unread
from ecr_steward_cli.doctor.parts.part import Part
from ecr_steward_cli.doctor.policies import normal_policy

_QUEUE, _QUEUE_POLICY, _MAPPING = "AWS::SQS::Queue", "AWS::SQS::QueuePolicy", "AWS::Lambda::EventSourceMapping"
LATE_SECONDS: Final = 3600
"""The age from which a message of a working queue is late: a copy job that its time does not end comes back at once,
and one that met a passing error after minutes."""


def _working(facts: Facts) -> list[Part]:
    """The queues that a function reads."""
    read = {part.wanted["EventSourceArn"] for part in facts.of_types(_MAPPING) if isinstance(part.wanted, Mapping)}
    return [part for part in _there(facts) if _found(part)["arn"] in read]


def _ends(facts: Facts) -> list[Part]:
    """The queues that no function reads: there events end that could not be handled."""
    working = _working(facts)
    return [part for part in _there(facts) if part not in working]


def _there(facts: Facts) -> list[Part]:
    return [part for part in facts.of_types(_QUEUE) if isinstance(part.found, Mapping)]


def _found(part: Part) -> Mapping[str, Any]:
    assert isinstance(part.found, Mapping)  # noqa: S101 - of those that are there
    return part.found


def _empty(check: Asks, facts: Facts) -> Iterator[Finding]:
    for part in _ends(facts):
        if count := _found(part)["messages"]:
            yield problem(check, part, f"{count} message{'s' if count > 1 else ''} that could not be handled")


def _in_time(check: Asks, facts: Facts) -> Iterator[Finding]:
    for part in _working(facts):
        age = _found(part)["oldest_seconds"]
        if isinstance(age, Unread):
            yield unread(check.id, part.logical_id, age)
        elif age is not None and age > LATE_SECONDS:
            yield problem(check, part, f"its oldest message has waited for {age / 3600:.1f} hours")


CHECKS: tuple[Check, ...] = (
    Exists("queue-exists", (_QUEUE,), "each queue exists", RECREATE),
    Exists("queue-policy-exists", (_QUEUE_POLICY,), "the queues that have a policy exist", RECREATE),
    AsTemplate(
        "queue-policy",
        (_QUEUE_POLICY,),
        ("PolicyDocument",),
        "the policy of each queue: exactly the rules of the template may send to it",
        "put the policy back with `aws sqs set-queue-attributes`, as the template has it: EventBridge loses what it "
        "may not send",
        normal=normal_policy,
        is_whole=True,
    ),
    AsTemplate(
        "queue-redrive",
        (_QUEUE,),
        ("RedrivePolicy",),
        "after how many receives a message goes to which dead-letter queue",
        "put RedrivePolicy of {name} back with `aws sqs set-queue-attributes`, as the template has it",
        usual={"RedrivePolicy": None},
        is_whole=True,
    ),
    AsTemplate(
        "queue-settings",
        (_QUEUE,),
        ("VisibilityTimeout", "MessageRetentionPeriod", "SqsManagedSseEnabled"),
        "how long each queue hides and keeps a message, and that it is encrypted",
        "put the attributes of {name} back with `aws sqs set-queue-attributes`, as the template has them",
    ),
    Asks(
        "queue-dead-letters",
        "the queues that no function reads, where events end that could not be handled: they are empty",
        "read what {name} holds, mend the cause, and replay it: docs/failures.md",
        _empty,
        lambda facts: _ends(facts) or facts.of_types(_QUEUE),
    ),
    Asks(
        "queue-age",
        f"the oldest message of each queue that a function reads is younger than {LATE_SECONDS // 3600} hour, as "
        "CloudWatch has it",
        "look at the function's errors and throttles, and whether its event source mapping is enabled",
        _in_time,
        lambda facts: _working(facts) or facts.of_types(_QUEUE),
    ),
)
