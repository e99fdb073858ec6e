"""CloudFormation stacks of a run: deletion, and what a deletion keeps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from real_account.journal import Made
from real_account.run import Run

_GONE: Final = ("NotFound", "NoSuchEntity", "NonExistent", "DoesNotExist")


def is_gone(error: Exception) -> bool:
    """Whether this says that there is nothing to delete."""
    if isinstance(error, FileNotFoundError):
        return True
    code = error.response["Error"]["Code"] if isinstance(error, ClientError) else ""
    return any(word in code for word in _GONE)


def resources_of(run: Run, stack: str) -> list[dict[str, Any]]:
    """The resources of a stack, by its name or, once deleted, by its id. Needs cloudformation:ListStackResources."""
    pages = run.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    return [resource for page in pages for resource in page["StackResourceSummaries"]]


def stack_of(run: Run, name: str) -> dict[str, Any] | None:
    """A stack as DescribeStacks shows it, or None."""
    try:
        return dict(run.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0])
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise


def remove_stack(run: Run, name: str, seconds: float) -> list[dict[str, Any]]:
    """Delete a stack and wait; what of it stays. Raises RuntimeError where it is not deleted in time."""
    found = stack_of(run, name)
    if found is None:
        return []
    run.client("cloudformation").delete_stack(StackName=name)
    run.pace.until(lambda: _is_over(run, found["StackId"]), seconds, 10)
    status = (stack_of(run, found["StackId"]) or {}).get("StackStatus")
    if status != "DELETE_COMPLETE":
        raise RuntimeError(f"its status is {status}")
    return [one for one in resources_of(run, found["StackId"]) if one["ResourceStatus"] == "DELETE_SKIPPED"]


def _is_over(run: Run, stack_id: str) -> bool:
    found = stack_of(run, stack_id)
    return found is None or not found["StackStatus"].endswith("_IN_PROGRESS")


def delete_stack(run: Run, made: Made) -> None:
    """Delete a stack and then what it keeps: tables, log groups and Lambda layers."""
    delete_kept(run, remove_stack(run, made.name, 900))


def delete_kept(run: Run, kept: Sequence[dict[str, Any]]) -> None:
    """Delete what the deletion of a stack keeps. Raises RuntimeError for a type that it does not know."""
    for one in kept:
        try:
            _delete_one(run, one["ResourceType"], one["PhysicalResourceId"])
        except ClientError as error:
            if not is_gone(error):
                raise


def _delete_one(run: Run, kind: str, name: str) -> None:
    if kind == "AWS::DynamoDB::Table":
        run.client("dynamodb").delete_table(TableName=name)
    elif kind == "AWS::Logs::LogGroup":
        run.client("logs").delete_log_group(logGroupName=name)
    elif kind == "AWS::Lambda::LayerVersion":
        layer, _, version = name.rpartition(":")
        run.client("lambda").delete_layer_version(LayerName=layer, VersionNumber=int(version))
    else:
        raise RuntimeError(f"it keeps {kind} {name}")
