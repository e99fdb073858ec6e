"""The commands of ``ecr-steward lifecycle`` and their arguments. What they do is imported when one is called."""

# ruff: noqa: PLC0415 - a command pays for its own imports only

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="What lifecycle rules do to images.", no_args_is_help=True)


@app.callback()
def _lifecycle() -> None:
    """What lifecycle rules do to images."""


@app.command()
def preview(  # noqa: PLR0917 typer reads them as options
    repository: Annotated[
        list[str] | None,
        typer.Option(
            help="Once for each repository (default: all of the registry, or of --images).", show_default=False
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(help="A lifecycle policy as AWS writes it (default: the repository's own).", show_default=False),
    ] = None,
    rulebook: Annotated[
        Path | None,
        typer.Option(help="A rulebook, for what it would have ECR and the sweep do.", show_default=False),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(
            help="What `aws ecr describe-images --filter imageStatus=ANY` has printed: nobody is asked then.",
            show_default=False,
        ),
    ] = None,
    account: Annotated[
        str | None, typer.Option(help="Whose registry (default: the caller's).", show_default=False)
    ] = None,
    region: Annotated[
        str | None,
        typer.Option(
            help="AWS region (default: AWS_REGION, AWS_DEFAULT_REGION, or the profile's).", show_default=False
        ),
    ] = None,
    ahead: Annotated[
        str | None,
        typer.Option(
            help="Also what would go in these days or weeks, such as 30d, if nobody pushes or pulls.",
            show_default=False,
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Show every image.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")] = False,
) -> None:
    """Show which images would go or be archived, when, and which rule claims them. Nothing is changed.

    Shown is one evaluation: what an index holds comes into question when the index is gone. From ECR, indexes are read
    to know what they hold, which counts as a pull of these, unless the caller is excluded from pull times.
    """
    from ecr_steward_cli.lifecycle_running import Asked, run

    run(Asked(tuple(repository or ()), policy, rulebook, images, account, region, ahead), full=full, as_json=as_json)
