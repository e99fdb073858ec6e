"""What DescribeStacks says of a stack and moto does not, or in Python's words."""

from typing import Final

from moto.cloudformation.models import Stack

NEVER_CHECKED: Final = "NOT_CHECKED"


def describe_as_aws(stack: Stack) -> None:
    """Let moto answer a list parameter as it was given, and that drift was never looked for.

    ``StackDriftInformation`` is in each answer (DescribeStacks API reference). What the stack has made of its
    parameters stays as it is.
    """
    given = stack.resource_map.resolved_parameters
    for name, value in given.items():
        if isinstance(value, list):
            given[name] = ",".join(value)
    set_drift(stack, NEVER_CHECKED)


def set_drift(stack: Stack, status: str) -> None:
    """What the last drift detection said, in CloudFormation's words. The sandbox detects none by itself."""
    vars(stack)["drift_information"] = {
        "StackDriftStatus": status
    }  # moto has no word for it, and answers what is there
