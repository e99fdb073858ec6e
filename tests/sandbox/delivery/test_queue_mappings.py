"""Queues that start functions: batches, partial failures, redrive, and who may poll."""

import json
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from ecr_steward_sandbox.delivery.queues import failed_items
from ecr_steward_sandbox.workers.worker import Outcome

REPORTS_POISON = """
    def lambda_handler(event, context):
        failed = [one["messageId"] for one in event["Records"] if "poison" in one["body"]]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}
"""
RAISES_ON_POISON = """
    def lambda_handler(event, context):
        if any("poison" in one["body"] for one in event["Records"]):
            raise ValueError("poison")
"""
MEASURES = """
    import time
    def lambda_handler(event, context):
        begun = time.monotonic()
        time.sleep(0.1)
        return [begun, time.monotonic()]
"""


@pytest.fixture(scope="module")
def mill(new_template: Callable[[], Any], start: Callable[..., Any]) -> Any:
    """Queues with a function each."""
    stack = new_template()
    arn = stack.arn

    def line(name: str, code: str, *, max_receives: int = 3, **mapping: Any) -> None:
        stack.queue(f"{name}Dead")
        redrive = {"deadLetterTargetArn": arn(f"{name}Dead"), "maxReceiveCount": max_receives}
        stack.queue(name, VisibilityTimeout=5400, RedrivePolicy=redrive)
        source = {"Type": "SQS", "Properties": {"Queue": arn(name), **mapping}}
        stack.function(f"{name}Function", code, Timeout=900, Events={"Source": source})

    line("Reporting", REPORTS_POISON, BatchSize=10, FunctionResponseTypes=["ReportBatchItemFailures"])
    line("Raising", RAISES_ON_POISON, BatchSize=10, max_receives=2)
    line("Single", MEASURES, BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    line("Filtered", MEASURES, FilterCriteria={"Filters": [{"Pattern": '{"body": {"kind": ["wanted"]}}'}]})
    line("Disabled", MEASURES, Enabled=False)
    line("Forbidden", MEASURES)
    line("Collected", RAISES_ON_POISON, BatchSize=12, MaximumBatchingWindowInSeconds=300, max_receives=2)
    line("Brief", MEASURES, BatchSize=12, MaximumBatchingWindowInSeconds=1)
    return start(stack, redelivery_seconds=0.05, longest_window_seconds=60)


def test_only_the_poison_is_tried_again_when_the_function_reports_it(mill: Any) -> None:
    mill.send("Reporting", *[json.dumps({"n": n}) for n in range(9)], '{"n": "poison"}')
    mill.sandbox.wait_until_idle(15)

    handled = Counter(record["body"] for run in mill.runs("ReportingFunction") for record in run.event["Records"])
    assert handled == {**{json.dumps({"n": n}): 1 for n in range(9)}, '{"n": "poison"}': 3}
    assert [message["body"] for message in mill.messages("ReportingDead")] == [{"n": "poison"}]
    assert mill.messages("Reporting") == []


def test_whole_batch_is_tried_again_when_the_function_raises(mill: Any) -> None:
    mill.send("Raising", '"good"', '"poison"')
    mill.sandbox.wait_until_idle(15)

    handled = Counter(record["body"] for run in mill.runs("RaisingFunction") for record in run.event["Records"])
    assert handled == {'"good"': 2, '"poison"': 2}
    assert sorted(message["body"] for message in mill.messages("RaisingDead")) == ["good", "poison"]


def test_record_has_what_lambda_sends_when_received_twice(mill: Any) -> None:
    sqs = mill.sandbox.client("sqs")
    attributes = {
        "who": {"DataType": "String", "StringValue": "me"},
        "raw": {"DataType": "Binary", "BinaryValue": b"\0"},
    }
    sent = sqs.send_message(QueueUrl=mill.url("Reporting"), MessageBody='"poison"', MessageAttributes=attributes)
    mill.sandbox.wait_until_idle(15)

    runs = [run for run in mill.runs("ReportingFunction") if run.event["Records"][0]["messageId"] == sent["MessageId"]]
    assert [run.event["Records"][0]["attributes"]["ApproximateReceiveCount"] for run in runs] == ["1", "2", "3"]
    record = runs[0].event["Records"][0]
    assert record["md5OfBody"] == sent["MD5OfMessageBody"]
    assert record["eventSource"] == "aws:sqs"
    assert record["eventSourceARN"] == mill.arn("Reporting")
    assert record["awsRegion"] == "us-east-1"
    assert record["receiptHandle"]
    assert record["messageAttributes"]["who"] == {
        "stringValue": "me",
        "dataType": "String",
        "stringListValues": [],
        "binaryListValues": [],
    }
    assert record["messageAttributes"]["raw"]["binaryValue"] == "AA=="
    assert set(record["attributes"]) == {
        "ApproximateReceiveCount",
        "SentTimestamp",
        "SenderId",
        "ApproximateFirstReceiveTimestamp",
    }
    mill.messages("ReportingDead")


def test_at_most_so_many_run_at_once_when_the_mapping_says_so(mill: Any) -> None:
    mill.send("Single", *[str(n) for n in range(6)])
    sqs, in_flight = mill.sandbox.client("sqs"), [0]
    while len(mill.runs("SingleFunction")) < 6:
        attributes = sqs.get_queue_attributes(QueueUrl=mill.url("Single"), AttributeNames=["All"])["Attributes"]
        in_flight.append(int(attributes["ApproximateNumberOfMessagesNotVisible"]))
    mill.sandbox.wait_until_idle(15)

    spans = [run.payload for run in mill.runs("SingleFunction")]
    at_once = [sum(begun <= moment < ended for begun, ended in spans) for moment, _ in spans]
    assert len(spans) == 6
    assert max(at_once) == 2
    assert max(in_flight) == 2  # the others are not even received: their visibility timeout must not run yet


def test_message_is_dropped_when_no_filter_wants_it(mill: Any) -> None:
    mill.send("Filtered", '{"kind": "wanted"}', '{"kind": "other"}', "no json")
    mill.sandbox.wait_until_idle(15)

    bodies = [record["body"] for run in mill.runs("FilteredFunction") for record in run.event["Records"]]
    assert bodies == ['{"kind": "wanted"}']
    assert mill.messages("Filtered") == []


def test_message_stays_when_the_mapping_is_disabled(mill: Any) -> None:
    mill.send("Disabled", "1")
    mill.sandbox.wait_until_idle(15)

    assert mill.runs("DisabledFunction") == []
    assert len(mill.messages("Disabled")) == 1


def test_message_stays_and_the_reason_is_told_when_the_queue_forbids_the_role_to_delete_it(mill: Any) -> None:
    role_arn = mill.sandbox.engine.wiring.function(mill.arn("ForbiddenFunction")).role_arn
    statement = {
        "Effect": "Deny",
        "Principal": {"AWS": role_arn},
        "Action": ["sqs:DeleteMessage", "sqs:GetQueueAttributes"],
        "Resource": mill.arn("Forbidden"),
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    mill.sandbox.client("sqs").set_queue_attributes(QueueUrl=mill.url("Forbidden"), Attributes={"Policy": policy})

    mill.send("Forbidden", "1")
    mill.sandbox.wait_until_idle(15)

    assert mill.runs("ForbiddenFunction") == []
    (problem,) = mill.sandbox.engine.problems()
    assert "sqs:DeleteMessage, sqs:GetQueueAttributes" in problem
    assert len(mill.messages("Forbidden")) == 1


def answer(document: Any) -> Outcome:
    """What a function answered."""
    return Outcome(json.dumps(document).encode(), False, "")


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        (answer(None), set()),
        (answer({}), set()),
        (answer({"batchItemFailures": []}), set()),
        (answer({"batchItemFailures": None}), set()),
        (answer({"batchItemFailures": [{"itemIdentifier": "a"}]}), {"a"}),
        (answer({"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}), {"a", "b"}),
        (answer({"batchItemFailures": [{"itemIdentifier": "unknown"}]}), {"a", "b"}),
        (answer({"batchItemFailures": [{"itemIdentifier": ""}]}), {"a", "b"}),
        (answer({"batchItemFailures": [{"itemIdentifier": None}]}), {"a", "b"}),
        (answer({"batchItemFailures": [{"id": "a"}]}), {"a", "b"}),
        (answer({"batchItemFailures": ["a"]}), {"a", "b"}),
        (answer("done"), {"a", "b"}),
        (answer([1]), {"a", "b"}),
        (Outcome(b'{"errorType": "E"}', True, ""), {"a", "b"}),
        (Outcome(b"not json", False, ""), {"a", "b"}),
    ],
)
def test_batch_fails_as_lambda_counts_it_when_the_answer_is(outcome: Outcome, expected: set[str]) -> None:
    assert failed_items(outcome, ["a", "b"], reports_item_failures=True) == expected


def test_answer_is_not_read_when_the_mapping_does_not_ask_for_item_failures() -> None:
    outcome = answer({"batchItemFailures": [{"itemIdentifier": "a"}]})

    assert failed_items(outcome, ["a"], reports_item_failures=False) == set()


def bodies(run: Any) -> list[str]:
    """What a run was given."""
    return [record["body"] for record in run.event["Records"]]


def test_messages_are_collected_into_one_batch_when_they_come_within_the_window(mill: Any) -> None:
    before = len(mill.runs("CollectedFunction"))

    mill.send("Collected", "0")
    with pytest.raises(TimeoutError, match="Collected"):
        mill.sandbox.wait_until_idle(0.1)
    for number in range(1, 12):
        mill.send("Collected", str(number))
    mill.sandbox.wait_until_idle(15)

    (run,) = mill.runs("CollectedFunction")[before:]
    assert sorted(bodies(run), key=int) == [str(number) for number in range(12)]


def test_batch_is_larger_than_one_receive_and_the_rest_is_the_next_when_many_messages_come(mill: Any) -> None:
    before = len(mill.runs("CollectedFunction"))

    for first in (0, 10, 20):
        mill.send("Collected", *[str(number) for number in range(first, min(first + 10, 24))])
    mill.sandbox.wait_until_idle(15)

    assert [len(bodies(run)) for run in mill.runs("CollectedFunction")[before:]] == [12, 12]


def test_batch_is_handled_when_its_window_is_over_before_it_is_full(mill: Any) -> None:
    mill.send("Brief", "1")

    moved = mill.sandbox.move_clock(timedelta(hours=1), timeout=15)  # waits for what is being collected

    (run,) = mill.runs("BriefFunction")
    assert bodies(run) == ["1"]
    assert moved.now - run.started > timedelta(minutes=59)


def test_collected_batch_is_tried_as_often_as_its_queue_says_when_the_function_raises(mill: Any) -> None:
    before = len(mill.runs("CollectedFunction"))

    mill.send("Collected", *['"good"'] * 6)
    mill.send("Collected", *['"good"'] * 5, '"poison"')
    mill.sandbox.wait_until_idle(15)

    runs = mill.runs("CollectedFunction")[before:]
    received = [{record["attributes"]["ApproximateReceiveCount"] for record in run.event["Records"]} for run in runs]
    assert received == [{"1"}, {"2"}]
    assert sorted(message["body"] for message in mill.messages("CollectedDead")) == ["good"] * 11 + ["poison"]
