"""Step 2: does a notice on a bus reach a topic, with and without a condition in the topic's policy?"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from real_account.beliefs import Belief, Observation
from real_account.run import Run, document
from real_account.step import Step

_GUIDE: Final = "EventBridge user guide, Using resource-based policies, Amazon SNS permissions"
PLAIN: Final = Belief(
    "notice-without-condition",
    "a rule of a custom bus reaches a topic whose policy lets events.amazonaws.com publish without a condition",
    _GUIDE,
    "heard",
)
CONDITION: Final = Belief(
    "notice-with-condition",
    "a topic whose policy has a condition on aws:SourceArn refuses what EventBridge publishes",
    f"{_GUIDE}: you can't use Condition blocks",
    "not heard",
)


def _do(run: Run) -> Iterator[Observation]:
    bus = run.making("bus", run.name("bus"))
    run.client("events").create_event_bus(Name=bus, Tags=run.tags())
    plain, condition = (_listener(run, bus, which) for which in ("plain", "condition"))
    run.pace.wait(30)  # a new rule takes a while
    entry = {"Source": "ecr.steward", "DetailType": "Violation Found", "EventBusName": bus, "Detail": "{}"}
    refused = run.client("events").put_events(Entries=[entry])["FailedEntryCount"]
    if refused:
        raise RuntimeError("the bus refuses the event")
    yield Observation(PLAIN, "heard" if run.pace.until(lambda: run.take(plain), 60) else "not heard")
    yield Observation(CONDITION, "heard" if run.pace.until(lambda: run.take(condition), 30) else "not heard")


def _listener(run: Run, bus: str, which: str) -> str:
    """A rule, a topic that lets it publish, and a queue that hears the topic; the queue's URL."""
    topic = run.making("topic", run.name(which))
    arn = run.arn("sns", topic)
    rule = run.rule(which, {"detail-type": ["Violation Found"]}, arn, bus)
    statement: dict[str, Any] = {
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sns:Publish",
        "Resource": arn,
    }
    if which == "condition":
        statement["Condition"] = {"ArnEquals": {"aws:SourceArn": rule}}
    sns = run.client("sns")
    sns.create_topic(Name=topic, Attributes={"Policy": document(statement)}, Tags=run.tags())
    writer = {"Principal": {"Service": "sns.amazonaws.com"}, "Condition": {"ArnEquals": {"aws:SourceArn": arn}}}
    url, queue = run.queue(f"notices-{which}", writer)
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
    return url


STEP: Final = Step(
    name="02-notices",
    title="Notices reach people",
    how="puts one Violation Found on a bus of its own with two rules, two topics and a queue behind each",
    makes="an event bus, two rules, two topics, two queues",
    dollars=0.0,
    budget=timedelta(minutes=4),
    beliefs=(PLAIN, CONDITION),
    do=_do,
)
