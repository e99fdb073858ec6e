"""What can never deliver is told before anything is sent."""

from collections.abc import Callable
from typing import Any

import pytest

ACCOUNT = "arn:aws:{}:us-east-1:111122223333:{}"


@pytest.fixture(scope="module")
def broken(new_template: Callable[[], Any], start: Callable[[Any], Any]) -> Any:
    """One rule or schedule for each way of going wrong, beside one that is right."""
    stack = new_template()
    arn = stack.arn
    stack.add("Bus", "AWS::Events::EventBus", Name="own")
    stack.function("Job")
    stack.queue("Open", "Right", "NoDeadLetterPolicy", "NoDeadLetterQueue")
    stack.queue("Closed")
    stack.role("OfEvents", "events.amazonaws.com", "events:PutEvents", "*")
    stack.role("OfScheduler", "scheduler.amazonaws.com", "lambda:InvokeFunction", arn("Job"))
    stack.rule("Right", arn("Open"))
    stack.rule("NoPermission", arn("Job"))
    stack.rule("NoQueuePolicy", arn("Closed"))
    stack.rule("NoBus", {"Arn": ACCOUNT.format("events", "event-bus/none"), "RoleArn": arn("OfEvents")})
    stack.rule("NoDeadLetterPolicy", {"Arn": arn("Open"), "DeadLetterConfig": {"Arn": arn("Closed")}})
    stack.rule("NoDeadLetterQueue", {"Arn": arn("Open"), "DeadLetterConfig": {"Arn": ACCOUNT.format("sqs", "none")}})
    retry = {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600}
    for name, role in (("Hourly", "OfScheduler"), ("NotItsRole", "OfEvents")):
        stack.add(
            name,
            "AWS::Scheduler::Schedule",
            ScheduleExpression="rate(1 hour)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn("Job"), "RoleArn": arn(role), "RetryPolicy": retry},
        )
    stack.role("OfFunction", "lambda.amazonaws.com", "logs:PutLogEvents", "*")
    stack.function("MayNotExit", Role=arn("OfFunction"))
    stack.add(
        "MayNotExitConfig",
        "AWS::Lambda::EventInvokeConfig",
        FunctionName=stack.ref("MayNotExit"),
        Qualifier="$LATEST",
        DestinationConfig={"OnFailure": {"Destination": arn("Closed")}},
    )
    return start(stack)


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("NoPermission", "is not allowed to perform lambda:InvokeFunction on"),
        ("NoQueuePolicy", "is not allowed to perform sqs:SendMessage on"),
        ("NoBus", "Event bus arn:aws:events:us-east-1:111122223333:event-bus/none does not exist"),
        ("NoDeadLetterPolicy", "may not write to the dead-letter queue"),
        ("NoDeadLetterQueue", "the dead-letter queue arn:aws:sqs:us-east-1:111122223333:none does not exist"),
        ("NotItsRole", "scheduler.amazonaws.com may not assume"),
        ("MayNotExit", "is not allowed to sqs:SendMessage"),
    ],
)
def test_reason_is_told_when_something_can_never_deliver(broken: Any, who: str, why: str) -> None:
    name = broken.arn(who).rsplit("/", 1)[-1] if who.startswith("No") and who != "NotItsRole" else who

    (problem,) = [one for one in broken.sandbox.engine.problems() if f" {name}:" in one]

    assert why in problem


def test_nothing_is_told_and_nothing_sent_when_something_can_deliver(broken: Any) -> None:
    problems = broken.sandbox.engine.problems()

    assert len(problems) == 7
    assert not [one for one in problems if "Right" in one or "Hourly" in one]
    assert broken.sandbox.deliveries == []
