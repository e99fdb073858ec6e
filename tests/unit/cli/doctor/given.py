"""Stacks and parts, made by hand."""

from collections.abc import Mapping
from typing import Any

from ecr_steward_cli.doctor.checks.catalogue import all_checks
from ecr_steward_cli.doctor.facts import Facts
from ecr_steward_cli.doctor.findings import Finding, Unread
from ecr_steward_cli.doctor.intrinsics import StackNames
from ecr_steward_cli.doctor.parts.part import Part
from ecr_steward_cli.doctor.stack import DeployedStack

STACK_ID = "arn:aws:cloudformation:us-east-1:111122223333:stack/ecr-steward/bd772af5-ad33-4c54-9902-28862f0e434f"
DENIED = Unread("events:DescribeRule is denied: no", "allow events:DescribeRule to the principal that runs doctor")


def names(
    template: Mapping[str, Any] | None = None,
    parameters: Mapping[str, str] | None = None,
    physical_ids: Mapping[str, str] | None = None,
) -> StackNames:
    """What a template can refer to."""
    return StackNames(STACK_ID, template or {}, parameters or {}, physical_ids or {})


def part(type_: str, wanted: Any, found: Any, logical_id: str = "One") -> Part:
    """A resource with the physical id ``stack-one``."""
    return Part(logical_id, type_, "stack-one", wanted, found)


def facts(*parts: Part, stack: DeployedStack | None = None) -> Facts:
    """Of a stack that is complete."""
    return Facts(stack or DeployedStack(names(), "CREATE_COMPLETE"), parts)


def answer(check_id: str, of: Facts) -> list[Finding]:
    """What one check says; nothing where all is well."""
    (check,) = [check for check in all_checks() if check.id == check_id]
    return list(check.problems(of))
