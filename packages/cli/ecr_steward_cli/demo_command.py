"""``ecr-steward demo`` and its arguments."""

# ruff: noqa: PLC0415 - a command pays for its own imports only

from pathlib import Path
from typing import Annotated

import typer

from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.refusal import refuse


def demo(
    image: Annotated[
        Path | None,
        typer.Option(help="A folder with an OCI image layout of yours, to play with.", metavar="LAYOUT"),
    ] = None,
    build: Annotated[
        Path | None,
        typer.Option(help="Deploy what `sam build` wrote there, instead of what is installed.", show_default=False),
    ] = None,
) -> None:
    """Play a few pushes, scans and hours through everything on this machine, and check what comes of them."""
    if build is not None and not (build / "template.yaml").is_file():
        refuse(f"--build {build} holds no template.yaml: name the folder that `sam build` wrote", Code.NO_BUILD)
    from ecr_steward_cli.sandbox_rulebook import example_rulebook
    from ecr_steward_sandbox.demo.command import run

    raise typer.Exit(run(build, image, example_rulebook()))
