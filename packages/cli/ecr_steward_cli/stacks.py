"""Deployed stewards, as CloudFormation knows them."""

from typing import Final

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.refusal import refuse

PROMPT: Final = Config(retries={"mode": "standard", "total_max_attempts": 3}, connect_timeout=3, read_timeout=20)
"""A person waits for the answer."""
_OUTPUT: Final = "StateTableName"


def table_of_stack(name: str, clients: AwsClients) -> str:
    """The state table of the steward that this stack is. Raises typer.Exit where there is none, and says why."""
    try:
        client = clients.other("cloudformation", PROMPT)
        (stack,) = client.describe_stacks(StackName=name)["Stacks"]
    except (BotoCoreError, ClientError) as error:
        refuse(
            f"the stack {name} does not say which its state table is: {error}. Name the table with --table",
            Code.STATE_TABLE,
        )
    found = [output["OutputValue"] for output in stack.get("Outputs", []) if output["OutputKey"] == _OUTPUT]
    if not found:
        refuse(
            f"the stack {name} has no output {_OUTPUT}: deploy this version, or name the table with --table",
            Code.STATE_TABLE,
        )
    return str(found[0])
