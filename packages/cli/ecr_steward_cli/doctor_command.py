"""The command that looks at a deployed stack: doctor."""

# ruff: noqa: PLC0415 - a command pays for its own imports only

from ecr_steward_cli.safety_commands import STACK, AsJson, Region, StackName


def doctor(stack_name: StackName = STACK, region: Region = None, as_json: AsJson = False) -> None:
    """Look at a deployed stack, read-only, and say what is wrong and what to do. Exit code 1 where something is."""
    from ecr_steward_cli.doctor.running import doctor as do

    do(stack_name, region, prints_json=as_json)
