"""AWS Lambda: functions, Lambda layers and what invokes them. moto keeps them and runs none.

moto wants code for a function and content for a Lambda layer: it gets a placeholder, since the sandbox runs functions
from the built folders (``Deployment.code``).
"""

import io
import json
import zipfile
from functools import cache
from typing import Any

from moto.awslambda.models import lambda_backends

from ecr_steward_sandbox.deploy.in_process import Aws
from ecr_steward_sandbox.deploy.model import Created, Properties, ResourceModel, picked, resource_tags, tag_list

UNQUALIFIED = "$LATEST"


class LayerVersion(ResourceModel):
    TYPE = "AWS::Lambda::LayerVersion"
    NAME_PROPERTY = "LayerName"
    PROPERTIES = frozenset({"LayerName", "CompatibleArchitectures", "CompatibleRuntimes", "Description", "LicenseInfo"})
    ATTRIBUTES = frozenset({"LayerVersionArn"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        wanted = {**picked(properties, cls.PROPERTIES), "LayerName": name}
        arn = aws.client("lambda").publish_layer_version(Content={"ZipFile": _placeholder()}, **wanted)[
            "LayerVersionArn"
        ]
        return Created(arn, arn, {"LayerVersionArn": arn})

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        *_, name, version = physical_id.split(":")
        found = aws.client("lambda").get_layer_version(LayerName=name, VersionNumber=int(version))
        return picked(found, cls.PROPERTIES) | {"LayerName": name}


class Function(ResourceModel):
    TYPE = "AWS::Lambda::Function"
    NAME_PROPERTY = "FunctionName"
    NAME_LENGTH = 64
    PROPERTIES = frozenset(
        {
            "Architectures",
            "Description",
            "Environment",
            "FunctionName",
            "Handler",
            "Layers",
            "LoggingConfig",
            "MemorySize",
            "ReservedConcurrentExecutions",
            "Role",
            "Runtime",
            "Tags",
            "Timeout",
        }
    )
    ATTRIBUTES = frozenset({"Arn"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        wanted = picked(properties, cls.PROPERTIES) | {"FunctionName": name, "Tags": resource_tags(properties)}
        reserved = wanted.pop("ReservedConcurrentExecutions", None)
        arn = aws.client("lambda").create_function(Code={"ZipFile": _placeholder()}, **wanted)["FunctionArn"]
        if reserved is not None:
            aws.client("lambda").put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=int(reserved))
        if "LogGroup" in properties.get("LoggingConfig", {}):
            # moto's API drops it; its model has a place for the name, which is what a reader of the log asks for.
            _model(aws, name).logs_group_name = properties["LoggingConfig"]["LogGroup"]
        return Created(name, arn, {"Arn": arn})

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = aws.client("lambda").get_function(FunctionName=physical_id)
        configuration = found["Configuration"]
        return picked(configuration | found.get("Concurrency", {}), cls.PROPERTIES) | {
            "Layers": [layer["Arn"] for layer in configuration.get("Layers", [])],
            "LoggingConfig": {"LogGroup": _model(aws, physical_id).logs_group_name},
            "Tags": tag_list(found.get("Tags", {})),
        }


class Permission(ResourceModel):
    TYPE = "AWS::Lambda::Permission"
    NAME_LENGTH = 100
    PROPERTIES = frozenset({"Action", "FunctionName", "Principal", "SourceAccount", "SourceArn"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        aws.client("lambda").add_permission(StatementId=name, **properties)
        return Created(name)

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        policy = json.loads(aws.client("lambda").get_policy(FunctionName=properties["FunctionName"])["Policy"])
        statements = [statement for statement in policy["Statement"] if statement["Sid"] == physical_id]
        if not statements:
            raise LookupError(f"the policy of {properties['FunctionName']} has no statement {physical_id}")
        statement = statements[0]
        condition = statement.get("Condition", {})
        found = {
            "Action": statement["Action"],
            "FunctionName": _as_written(properties["FunctionName"], statement["Resource"]),
            "Principal": statement["Principal"].get("Service") or statement["Principal"].get("AWS"),
            "SourceAccount": condition.get("StringEquals", {}).get("AWS:SourceAccount"),
            "SourceArn": condition.get("ArnLike", {}).get("AWS:SourceArn"),
        }
        return {name: value for name, value in found.items() if value is not None}


class EventSourceMapping(ResourceModel):
    TYPE = "AWS::Lambda::EventSourceMapping"
    PROPERTIES = frozenset(
        {
            "BatchSize",
            "Enabled",
            "EventSourceArn",
            "FilterCriteria",
            "FunctionName",
            "FunctionResponseTypes",
            "MaximumBatchingWindowInSeconds",
            "ScalingConfig",
        }
    )
    ATTRIBUTES = frozenset({"Id"})

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        mapping = aws.client("lambda").create_event_source_mapping(**properties)
        return Created(mapping["UUID"], mapping["EventSourceMappingArn"], {"Id": mapping["UUID"]})

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        found = aws.client("lambda").get_event_source_mapping(UUID=physical_id)
        return picked(found, cls.PROPERTIES) | {
            "Enabled": found["State"] == "Enabled",
            "FunctionName": _as_written(properties["FunctionName"], found["FunctionArn"]),
        }


class EventInvokeConfig(ResourceModel):
    TYPE = "AWS::Lambda::EventInvokeConfig"
    PROPERTIES = frozenset(
        {"DestinationConfig", "FunctionName", "MaximumEventAgeInSeconds", "MaximumRetryAttempts", "Qualifier"}
    )

    @classmethod
    def create(cls, aws: Aws, name: str, properties: Properties) -> Created:
        aws.client("lambda").put_function_event_invoke_config(**properties)
        return Created(name)

    @classmethod
    def read(cls, aws: Aws, physical_id: str, properties: Properties) -> dict[str, Any]:
        name = properties["FunctionName"]
        found = aws.client("lambda").get_function_event_invoke_config(FunctionName=name)
        destinations = {on: where for on, where in found.get("DestinationConfig", {}).items() if where}
        return picked(found, cls.PROPERTIES) | {
            "DestinationConfig": destinations,
            "FunctionName": _as_written(name, found["FunctionArn"]),
            "Qualifier": UNQUALIFIED,  # moto keeps one configuration per function: that of the unqualified one
        }


def _as_written(expected: str, arn: str) -> str:
    """A function as the template wrote it: by ARN or by name. The services answer with the ARN."""
    return arn if expected.startswith("arn:") else arn.split(":")[6]


def _model(aws: Aws, function_name: str) -> Any:
    return lambda_backends[aws.account][aws.region].get_function(function_name)


@cache
def _placeholder() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("placeholder.txt", "The sandbox runs functions from the built folders, not from here.\n")
    return buffer.getvalue()


MODELS = (LayerVersion, Function, Permission, EventSourceMapping, EventInvokeConfig)
