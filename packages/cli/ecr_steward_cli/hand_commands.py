"""The commands about single images and steps: steps, undo, quarantine, release."""

# ruff: noqa: PLC0415 - a command pays for its own imports only

from typing import Annotated

import typer

from ecr_steward_cli.safety_commands import STACK, STOP, AsJson, Region, StackName, Table
from ecr_steward_cli.where import Where

Image = Annotated[
    str,
    typer.Argument(
        help="As clients pull it, by tag or digest; ACCOUNT/REGION/REPOSITORY and REPOSITORY alone do, too.",
        metavar="IMAGE",
    ),
]
Reason = Annotated[str, typer.Option(help="Why; the journal keeps it.", show_default=False)]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
Force = Annotated[bool, typer.Option("--force", help="Take an image tag from an image that holds it by now.")]
Days = Annotated[int, typer.Option(min=1, max=3650, help="For how many days the rules let it be.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    for command in (steps, undo, quarantine, release):
        app.command(rich_help_panel=STOP)(command)


def steps(
    *,
    repository: Annotated[
        str | None, typer.Option(help="Only those of this repository, by name.", show_default=False)
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="How far to look back; the journal keeps 90 days.")] = 7,
    as_json: AsJson = False,
    stack_name: StackName = STACK,
    table: Table = None,
    region: Region = None,
) -> None:
    """List steps that took something away or moved an image tag, the latest first."""
    from ecr_steward_cli.by_hand import steps as do

    do(Where(stack_name, table, region), repository, days, as_json=as_json)


def undo(
    step_id: Annotated[str, typer.Argument(help="As `ecr-steward steps` lists it.", metavar="STEP_ID")],
    *,
    dry_run: DryRun = False,
    force: Force = False,
    days: Days = 30,
    stack_name: StackName = STACK,
    table: Table = None,
    region: Region = None,
) -> None:
    """Put an image tag back where it was before a step, while its image is there."""
    from ecr_steward_cli.by_hand import undo as do

    do(Where(stack_name, table, region), step_id, is_dry=dry_run, is_forced=force, days=days)


def quarantine(
    image: Image,
    *,
    reason: Reason,
    dry_run: DryRun = False,
    stack_name: StackName = STACK,
    table: Table = None,
    region: Region = None,
) -> None:
    """Take an image out of reach: it loses its image tags and keeps a quarantine tag."""
    from ecr_steward_cli.by_hand import quarantine as do

    do(Where(stack_name, table, region), image, reason, is_dry=dry_run)


def release(
    image: Image,
    *,
    reason: Reason,
    tag: Annotated[
        list[str] | None,
        typer.Option("--image-tag", help="What it is to hold (default: what it lost last).", show_default=False),
    ] = None,
    days: Days = 30,
    dry_run: DryRun = False,
    force: Force = False,
    stack_name: StackName = STACK,
    table: Table = None,
    region: Region = None,
) -> None:
    """Give a quarantined image its image tags back, and let it have them for a time, whatever the rules say."""
    from ecr_steward_cli.by_hand import release as do

    do(
        Where(stack_name, table, region),
        image,
        reason,
        image_tags=tag or [],
        days=days,
        is_dry=dry_run,
        is_forced=force,
    )
