"""Deployed stewards, as CloudFormation knows them."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.caller import PROMPT, Caller
from ecr_steward_cli.refusal import reason_of, refuse
from ecr_steward_cli.regions import is_of_aws

USUAL_STACK: Final = "ecr-steward"
"""The name that samconfig.toml and docs give the stack."""
_OUTPUT: Final = "StateTableName"


class StackUnknownError(Exception):
    """Whether there is such a stack cannot be found out. ``str(error)`` says why."""


def table_of_stack(name: str, caller: Caller) -> str:
    """The state table of the steward that this stack is. Raises SystemExit where there is none, and says why.

    Needs cloudformation:DescribeStacks.
    """
    try:
        stack = _stack(name, caller)
    except (BotoCoreError, ClientError, ResponseParserError) as error:
        refuse(
            f"the state table of the stack {name} in {caller.region} is not known: {reason_of(error)}. "
            "Name the table with --table",
            Code.STATE_TABLE,
        )
    return _table_in(stack, name)


def table_of_usual_stack(caller: Caller) -> str | None:
    """The state table of the stack ``ecr-steward``; ``None`` where there is no such stack in the caller's region.

    Needs cloudformation:DescribeStacks. Raises StackUnknownError, and SystemExit where the stack is there and does not
    say it.
    """
    if _is_elsewhere(caller):
        return None
    try:
        return _table_in(_stack(USUAL_STACK, caller), USUAL_STACK)
    except ResponseParserError:  # what answers is no CloudFormation: an ECR alone
        return None
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise StackUnknownError(str(error)) from error
    except BotoCoreError as error:
        raise StackUnknownError(str(error)) from error


def _stack(name: str, caller: Caller) -> Mapping[str, Any]:
    client = caller.clients.other("cloudformation", PROMPT)
    (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    found: Mapping[str, Any] = stack
    return found


def _table_in(stack: Mapping[str, Any], name: str) -> str:
    found = [output["OutputValue"] for output in stack.get("Outputs", []) if output["OutputKey"] == _OUTPUT]
    if not found:
        refuse(
            f"the stack {name} has no output {_OUTPUT}: deploy this version, or name the table with --table",
            Code.STATE_TABLE,
        )
    return str(found[0])


def _is_elsewhere(caller: Caller) -> bool:
    """Whether ECR is a local one while CloudFormation is AWS's: then the stack there is not of this ECR."""
    clients = (caller.clients.other(service, PROMPT) for service in ("ecr", "cloudformation"))
    ecr, cloudformation = (is_of_aws(urlsplit(client.meta.endpoint_url).hostname or "") for client in clients)
    return cloudformation and not ecr
