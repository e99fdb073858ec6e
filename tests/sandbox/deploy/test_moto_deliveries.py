"""moto stores; it delivers nothing of ours by itself."""

import json
from typing import Any

import pytest

from ecr_steward_sandbox.deploy import Aws, Deployment

pytestmark = pytest.mark.slow


def test_message_stays_in_the_queue_when_a_mapping_watches_it(deployed: Deployment, aws: Aws) -> None:
    queue = deployed.resources["ReplicateImageQueue"].physical_id

    aws.client("sqs").send_message(QueueUrl=queue, MessageBody="a copy job")

    received = aws.client("sqs").receive_message(QueueUrl=queue)["Messages"]
    assert [message["Body"] for message in received] == ["a copy job"]


def test_event_is_taken_and_goes_nowhere_when_rules_match_it(deployed: Deployment, aws: Aws) -> None:
    detail = {"action-type": "PUSH", "result": "SUCCESS", "repository-name": "team-a/api", "image-tag": "1.4.2"}
    event = push_event(detail)

    # Its rules have a Lambda function, at which moto raises, and a queue, into which moto delivers.
    answer = aws.client("events").put_events(Entries=[{**event, "EventBusName": "ecr-steward"}])

    assert answer["FailedEntryCount"] == 0
    url = deployed.resources["ReplicateImageQueue"].physical_id
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])[
        "Attributes"
    ]
    assert attributes["ApproximateNumberOfMessages"] == "0"


def test_rule_can_be_changed_through_its_api_when_moto_delivers_nothing(deployed: Deployment, aws: Aws) -> None:
    name = deployed.resources["NoticesRule"].physical_id
    events = aws.client("events")

    events.disable_rule(Name=name, EventBusName="ecr-steward")
    disabled = events.describe_rule(Name=name, EventBusName="ecr-steward")
    events.enable_rule(Name=name, EventBusName="ecr-steward")

    assert disabled["State"] == "DISABLED"
    assert events.describe_rule(Name=name, EventBusName="ecr-steward")["State"] == "ENABLED"


def push_event(detail: dict[str, Any]) -> dict[str, str]:
    return {"Source": "aws.ecr", "DetailType": "ECR Image Action", "Detail": json.dumps(detail)}
