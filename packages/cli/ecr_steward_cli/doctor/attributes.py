"""What Fn::GetAtt answers for the types of the template, made of the physical id: "Return values" of each type in the
CloudFormation template reference, and "Resource types" of each service in the service authorization reference.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol


class Place(Protocol):
    """Where a stack is."""

    @property
    def partition(self) -> str: ...

    @property
    def region(self) -> str: ...

    @property
    def account(self) -> str: ...


type _Resource = Callable[[str, Mapping[str, Any]], str]
"""Service, region, account and resource of an ARN, by physical id and properties."""


def name_of(physical_id: str) -> str:
    """The name in a physical id: CloudFormation puts the bus, or the function, before some and a bar between."""
    return physical_id.rpartition("|")[2]


def queue_name(url: str) -> str:
    """The name of a queue, whose physical id is its URL."""
    return url.rpartition("/")[2]


def _rule(physical_id: str, properties: Mapping[str, Any]) -> str:
    bus = str(properties.get("EventBusName", "default")).rpartition("/")[2]
    return f"rule/{name_of(physical_id)}" if bus == "default" else f"rule/{bus}/{name_of(physical_id)}"


_ARNS: Final[Mapping[str, tuple[str, _Resource]]] = {
    "AWS::CloudWatch::Alarm": ("cloudwatch", lambda name, _: f"alarm:{name}"),
    "AWS::DynamoDB::Table": ("dynamodb", lambda name, _: f"table/{name}"),
    "AWS::Events::EventBus": ("events", lambda name, _: f"event-bus/{name}"),
    "AWS::Events::Rule": ("events", _rule),
    "AWS::IAM::Role": ("iam", lambda name, given: f"role{given.get('Path', '/')}{name}"),
    "AWS::Lambda::Function": ("lambda", lambda name, _: f"function:{name}"),
    "AWS::Logs::LogGroup": ("logs", lambda name, _: f"log-group:{name}:*"),
    "AWS::SQS::Queue": ("sqs", lambda url, _: queue_name(url)),
    "AWS::Scheduler::Schedule": (
        "scheduler",
        lambda name, given: f"schedule/{given.get('GroupName', 'default')}/{name}",
    ),
}


def attribute_of(
    type_: str, attribute: str, physical_id: str, properties: Mapping[str, Any], place: Place
) -> str | None:
    """An attribute of a resource; ``None`` for one that is not known here."""
    if attribute == "Arn" and type_ in _ARNS:
        service, resource = _ARNS[type_]
        region = "" if service == "iam" else place.region
        return f"arn:{place.partition}:{service}:{region}:{place.account}:{resource(physical_id, properties)}"
    if (type_, attribute) == ("AWS::SQS::Queue", "QueueName"):
        return queue_name(physical_id)
    if attribute in {"TopicArn", "LayerVersionArn"} and physical_id.startswith("arn:"):
        return physical_id
    if (type_, attribute) in {("AWS::Events::EventBus", "Name"), ("AWS::SNS::Topic", "TopicName")}:
        return physical_id.rpartition(":")[2]
    return None
