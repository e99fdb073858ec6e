"""Amazon SQS: queues and who may use them."""

import json
from typing import Any
from urllib.parse import urlsplit

from ecr_steward_sandbox.deploy.in_process import Aws
from ecr_steward_sandbox.deploy.model import Created, Properties, ResourceModel, read_policies, resource_tags, tag_list

_BOOLEANS = frozenset({"SqsManagedSseEnabled"})
_NUMBERS = frozenset(
    {
        "DelaySeconds",
        "MaximumMessageSize",
        "MessageRetentionPeriod",
        "ReceiveMessageWaitTimeSeconds",
        "VisibilityTimeout",
    }
)
_DOCUMENTS = frozenset({"RedrivePolicy"})


class Queue(ResourceModel):
    TYPE = "AWS::SQS::Queue"
    NAME_PROPERTY = "QueueName"
    NAME_LENGTH = 80
    PROPERTIES = frozenset({"QueueName", "Tags"}) | _BOOLEANS | _NUMBERS | _DOCUMENTS
    ATTRIBUTES = frozenset({"Arn", "QueueName", "QueueUrl"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        sqs = aws.client("sqs")
        attributes = {key: _written(value) for key, value in properties.items() if key not in ("QueueName", "Tags")}
        url = sqs.create_queue(QueueName=name, Attributes=attributes, tags=resource_tags(properties))["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return Created(url, arn, {"Arn": arn, "QueueName": name, "QueueUrl": url})

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        sqs = aws.client("sqs")
        attributes = sqs.get_queue_attributes(QueueUrl=physical_id, AttributeNames=["All"])["Attributes"]
        return {
            **{name: attributes[name] for name in _BOOLEANS | _NUMBERS if name in attributes},
            **{name: json.loads(attributes[name]) for name in _DOCUMENTS if name in attributes},
            "QueueName": urlsplit(physical_id).path.rpartition("/")[2],
            "Tags": tag_list(sqs.list_queue_tags(QueueUrl=physical_id).get("Tags", {})),
        }


class QueuePolicy(ResourceModel):
    TYPE = "AWS::SQS::QueuePolicy"
    PROPERTIES = frozenset({"Queues", "PolicyDocument"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        for url in properties["Queues"]:
            policy = json.dumps(properties["PolicyDocument"])
            aws.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
        return Created(name)

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        return read_policies(
            "Queues",
            {url: _policy(aws, url) for url in properties["Queues"]},
            properties["PolicyDocument"],
        )


def _policy(aws: Aws, url: str) -> Any:
    attributes = aws.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes", {})
    return json.loads(attributes["Policy"]) if attributes.get("Policy") else None


def _written(value: Any) -> str:
    """SQS takes every attribute as text."""
    if isinstance(value, str):
        return value
    return json.dumps(value)


MODELS = (Queue, QueuePolicy)
