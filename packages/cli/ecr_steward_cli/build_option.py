"""The option ``--build`` of the commands that deploy into a sandbox."""

from pathlib import Path
from typing import Annotated

import typer

from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.refusal import refuse

Build = Annotated[
    Path | None,
    typer.Option(help="Deploy what `sam build` wrote there, instead of what is installed.", show_default=False),
]


def require_template(build: Path | None) -> None:
    """Refuse a folder that was given and holds no built template."""
    if build is not None and not (build / "template.yaml").is_file():
        refuse(f"--build {build} holds no template.yaml: name the folder that `sam build` wrote", Code.NO_BUILD)
