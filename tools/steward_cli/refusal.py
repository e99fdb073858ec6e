"""How a command refuses: one line on standard error that says what is wrong, and the exit code for wrong use."""

from typing import NoReturn

import typer

from ecr_steward.rulebook.codes import Code
from steward_cli.main import USAGE


def refuse(message: str, code: Code) -> NoReturn:
    """End the command. Raises typer.Exit."""
    typer.echo(f"Error: {code} {message}", err=True)
    raise typer.Exit(USAGE)
