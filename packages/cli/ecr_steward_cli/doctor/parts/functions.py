"""AWS Lambda: functions, and who and what invokes them."""

import json
from collections.abc import Mapping
from typing import Any

from ecr_steward_cli.doctor.asking import Asker, NotThereError
from ecr_steward_cli.doctor.attributes import name_of
from ecr_steward_cli.doctor.parts.part import Properties, Reader, tried


def _function(asker: Asker, name: str, _: Properties) -> Properties:
    found = asker.ask("lambda.get_function_configuration", FunctionName=name)
    return {
        **found,
        "Environment": {"Variables": found.get("Environment", {}).get("Variables", {})},
        "Layers": [layer["Arn"] for layer in found.get("Layers", [])],
        "RecursiveLoop": tried(
            lambda: asker.ask("lambda.get_function_recursion_config", FunctionName=name)["RecursiveLoop"]
        ),
        "ReservedConcurrentExecutions": tried(
            lambda: asker.ask("lambda.get_function_concurrency", FunctionName=name).get("ReservedConcurrentExecutions")
        ),
    }


def _permission(asker: Asker, _: str, wanted: Properties) -> Properties:
    """A statement of the function's policy that says the same, whatever its id."""
    policy = json.loads(asker.ask("lambda.get_policy", FunctionName=wanted["FunctionName"])["Policy"])
    if not any(_allows(statement, wanted) for statement in policy["Statement"]):
        raise NotThereError
    return {}


def _allows(statement: Mapping[str, Any], wanted: Properties) -> bool:
    principal = statement.get("Principal", {})
    condition = {
        name.lower(): value for block in statement.get("Condition", {}).values() for name, value in block.items()
    }
    asked = {"aws:sourcearn": wanted.get("SourceArn"), "aws:sourceaccount": wanted.get("SourceAccount")}
    return (
        statement.get("Effect") == "Allow"
        and statement.get("Action") == wanted["Action"]
        and wanted["Principal"] in ([principal] if isinstance(principal, str) else principal.values())
        and condition == {name: value for name, value in asked.items() if value is not None}
    )


def _mapping(asker: Asker, uuid: str, _: Properties) -> Properties:
    found = asker.ask("lambda.get_event_source_mapping", UUID=uuid)
    return {**found, "FunctionName": name_of(found["FunctionArn"].rpartition(":function:")[2])}


def _invoke_config(asker: Asker, _: str, wanted: Properties) -> Properties:
    return asker.ask("lambda.get_function_event_invoke_config", FunctionName=wanted["FunctionName"])


READERS: Mapping[str, Reader] = {
    "AWS::Lambda::EventInvokeConfig": _invoke_config,
    "AWS::Lambda::EventSourceMapping": _mapping,
    "AWS::Lambda::Function": _function,
    "AWS::Lambda::Permission": _permission,
}
