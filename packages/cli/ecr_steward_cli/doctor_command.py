"""The command that looks at a deployed stack: doctor."""

# ruff: noqa: PLC0415 - a command pays for its own imports only

from typing import Annotated

import typer

from ecr_steward_cli.safety_commands import STACK, AsJson


def doctor(
    stack_name: Annotated[
        str, typer.Option(help="The stack: the steward's, or that of a connected account with its credentials.")
    ] = STACK,
    region: Annotated[
        str | None,
        typer.Option(
            help="The region of the stack (default: AWS_REGION, AWS_DEFAULT_REGION, or the profile's).",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Look at a deployed stack, read-only, and say what is wrong and what to do. Exit code 1 where something is."""
    from ecr_steward_cli.doctor.running import doctor as do

    do(stack_name, region, prints_json=as_json)
