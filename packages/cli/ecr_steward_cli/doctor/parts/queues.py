"""Amazon SQS: queues and their policies."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from ecr_steward.adapters.clock import utc_now
from ecr_steward_cli.doctor.asking import Asker
from ecr_steward_cli.doctor.attributes import queue_name
from ecr_steward_cli.doctor.parts.part import Properties, Reader, tried

_NUMBERS: Final = ("MessageRetentionPeriod", "VisibilityTimeout")
_COUNTS: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesDelayed",
    "ApproximateNumberOfMessagesNotVisible",
)
_LOOK_BACK: Final = timedelta(minutes=15)
"""CloudWatch has a queue's age each minute, a few minutes late."""


def _attributes(asker: Asker, url: str) -> Mapping[str, str]:
    found: Mapping[str, str] = asker.ask("sqs.get_queue_attributes", QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return found


def _queue(asker: Asker, url: str, _: Properties) -> Properties:
    found = _attributes(asker, url)
    return {
        **{name: int(found[name]) for name in _NUMBERS if name in found},
        "SqsManagedSseEnabled": found.get("SqsManagedSseEnabled") == "true",
        "RedrivePolicy": json.loads(found["RedrivePolicy"]) if found.get("RedrivePolicy") else None,
        "arn": found["QueueArn"],
        "messages": sum(int(found.get(name, 0)) for name in _COUNTS),
        "oldest_seconds": tried(lambda: _oldest(asker, queue_name(url))),
    }


def _oldest(asker: Asker, name: str) -> float:
    """Age of the oldest message in seconds, as CloudWatch has it; 0 where it has none."""
    now = utc_now().replace(second=0, microsecond=0)
    points = asker.ask(
        "cloudwatch.get_metric_statistics",
        Namespace="AWS/SQS",
        MetricName="ApproximateAgeOfOldestMessage",
        Dimensions=[{"Name": "QueueName", "Value": name}],
        StartTime=now - _LOOK_BACK,
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=["Maximum"],
    )["Datapoints"]
    return max(points, key=lambda point: point["Timestamp"])["Maximum"] if points else 0.0


def _queue_policy(asker: Asker, _: str, wanted: Properties) -> Properties:
    """The policy of the queues; ``None`` where one has none, the differing one where they differ."""
    policies: list[Any] = [
        json.loads(text) if (text := _attributes(asker, url).get("Policy")) else None for url in wanted["Queues"]
    ]
    others = [policy for policy in policies if policy != wanted["PolicyDocument"]]
    return {"PolicyDocument": others[0] if others else wanted["PolicyDocument"]}


READERS: Mapping[str, Reader] = {"AWS::SQS::Queue": _queue, "AWS::SQS::QueuePolicy": _queue_policy}
