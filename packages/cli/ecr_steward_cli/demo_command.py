"""``ecr-steward demo`` and its arguments."""

# ruff: noqa: PLC0415 - a command pays for its own imports only

from pathlib import Path
from typing import Annotated

import typer

from ecr_steward_cli.build_option import Build, require_template


def demo(
    image: Annotated[
        Path | None,
        typer.Option(help="A folder with an OCI image layout of yours, to play with.", metavar="LAYOUT"),
    ] = None,
    build: Build = None,
) -> None:
    """Play a few pushes, scans and hours through everything on this machine, and check what comes of them."""
    require_template(build)
    from ecr_steward_cli.sandbox_rulebook import example_rulebook
    from ecr_steward_sandbox.demo.command import run

    raise typer.Exit(run(build, image, example_rulebook()))
