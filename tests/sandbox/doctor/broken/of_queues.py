"""Queues that are broken, or hold what nothing has handled."""

import contextlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tests.sandbox.doctor.broken.breakage import Break, Breakage
from tests.sandbox.doctor.conftest import HUB, REGION, House


def queue_attribute(logical_id: str, name: str, value: str, queue: str = "") -> Break:
    """Of a queue without a policy, or the policy itself: moto drops it with each other attribute that is set."""

    @contextlib.contextmanager
    def broken(house: House) -> Iterator[None]:
        sqs, url = house.client("sqs"), house.named(queue or logical_id)
        wanted = house.properties(logical_id)["PolicyDocument" if name == "Policy" else name]
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: value})
        yield
        back = json.dumps(wanted) if isinstance(wanted, dict) else str(wanted)
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: back})

    return broken


@contextlib.contextmanager
def dead_letter(house: House) -> Iterator[None]:
    sqs, url = house.client("sqs"), house.named("FailureQueue")
    sqs.send_message(QueueUrl=url, MessageBody="{}")
    yield
    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])


@contextlib.contextmanager
def message_waits(house: House) -> Iterator[None]:
    """CloudWatch has measured it: the sandbox's SQS measures nothing."""
    cloudwatch, name = house.client("cloudwatch"), house.named("ReplicateImageQueue").rpartition("/")[2]
    for value in (9_000.0, 0.0):
        cloudwatch.put_metric_data(
            Namespace="AWS/SQS",
            MetricData=[
                {
                    "MetricName": "ApproximateAgeOfOldestMessage",
                    "Dimensions": [{"Name": "QueueName", "Value": name}],
                    "Timestamp": datetime.now(UTC),
                    "Value": value,
                }
            ],
        )
        if value:
            yield
            _metrics(house).clear()


def _metrics(house: House) -> Any:
    from moto.cloudwatch.models import cloudwatch_backends  # noqa: PLC0415

    return cloudwatch_backends[HUB][REGION].metric_data


@contextlib.contextmanager
def queue_deleted(house: House) -> Iterator[None]:
    sqs, url = house.client("sqs"), house.named("ReconcileRegistryDeadLetterQueue")
    sqs.delete_queue(QueueUrl=url)
    yield
    attributes = {"SqsManagedSseEnabled": "true", "MessageRetentionPeriod": "1209600"}
    sqs.create_queue(QueueName=url.rpartition("/")[2], Attributes=attributes)


BREAKAGES = [
    Breakage(
        "queue-policy",
        "DeliveryFailureQueuePolicy",
        queue_attribute("DeliveryFailureQueuePolicy", "Policy", "", "DeliveryFailureQueue"),
    ),
    Breakage("queue-redrive", "ReconcileRegistryQueue", queue_attribute("ReconcileRegistryQueue", "RedrivePolicy", "")),
    Breakage(
        "queue-settings",
        "ReconcileRegistryQueue",
        queue_attribute("ReconcileRegistryQueue", "VisibilityTimeout", "30"),
        round=2,
    ),
    Breakage("queue-dead-letters", "FailureQueue", dead_letter),
    Breakage("queue-age", "ReplicateImageQueue", message_waits),
    Breakage("queue-exists", "ReconcileRegistryDeadLetterQueue", queue_deleted),
]
