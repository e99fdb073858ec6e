"""The commands about what the functions may do: pause, resume, status, release-brake, accounts, forget-account."""

# ruff: noqa: PLC0415 - a command pays for its own imports only

from typing import Annotated, Final

import typer

from ecr_steward_cli.where import Where

StackName = Annotated[str, typer.Option(help="The steward's stack, which says where its state table is.")]
Table = Annotated[
    str | None,
    typer.Option(envvar="ECR_STEWARD_STATE_TABLE", help="The state table, by name.", show_default=False),
]
Region = Annotated[
    str | None,
    typer.Option(
        help="The region of the stack, and of images that name none (default: AWS_REGION, AWS_DEFAULT_REGION, or the "
        "profile's).",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

STACK: Final = "ecr-steward"
STOP: Final = "Stop a deployed steward, and put right what it did"
"""The heading of these commands, and those about single images, in the help."""


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=STOP)(pause)
    app.command(rich_help_panel=STOP)(resume)
    app.command(rich_help_panel=STOP)(status)
    app.command(name="release-brake", rich_help_panel=STOP)(release_brake)
    app.command(rich_help_panel=STOP)(accounts)
    app.command(name="forget-account", rich_help_panel=STOP)(forget_account)


def pause(
    reason: Annotated[str, typer.Option(help="Why; everybody who asks is told.", show_default=False)],
    stack_name: StackName = STACK,
    table: Table = None,
    region: Region = None,
) -> None:
    """Let every rule only observe, within a minute and until `resume`; logins are still refreshed."""
    from ecr_steward_cli.safety import pause as do

    do(Where(stack_name, table, region), reason)


def resume(stack_name: StackName = STACK, table: Table = None, region: Region = None) -> None:
    """End the pause."""
    from ecr_steward_cli.safety import resume as do

    do(Where(stack_name, table, region))


def status(stack_name: StackName = STACK, table: Table = None, region: Region = None, as_json: AsJson = False) -> None:
    """Say whether everything is paused, and which brakes hold. Exit code 1 where something waits for a person."""
    from ecr_steward_cli.safety import status as do

    do(Where(stack_name, table, region), as_json=as_json)


def release_brake(
    rule: Annotated[str, typer.Argument(help="The rule whose brake holds.", metavar="RULE")],
    subject: Annotated[
        str | None,
        typer.Argument(
            help="The repository or registry that it holds for, as `status` shows it (default: all of the rule).",
            metavar="[ACCOUNT/REGION/REPOSITORY]",
            show_default=False,
        ),
    ] = None,
    *,
    removals: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="What it may take away beyond its brake within 24 hours (default: as much as the plan that was held).",
            show_default=False,
        ),
    ] = None,
    stack_name: StackName = STACK,
    table: Table = None,
    region: Region = None,
) -> None:
    """Let go of a brake that holds: the next sweep, or the next event, plans again what was held."""
    from ecr_steward_cli.safety import release_brake as do

    do(Where(stack_name, table, region), rule, subject, removals)


def accounts(
    stack_name: StackName = STACK, table: Table = None, region: Region = None, as_json: AsJson = False
) -> None:
    """List the accounts of SpokeOrganization that are connected. Exit code 1 where one is silent for a day."""
    from ecr_steward_cli.announced import accounts as do

    do(Where(stack_name, table, region), as_json=as_json)


def forget_account(
    account: Annotated[str, typer.Argument(help="The account, whose stack is deleted.", metavar="ACCOUNT")],
    stack_name: StackName = STACK,
    table: Table = None,
    region: Region = None,
) -> None:
    """Let an account of SpokeOrganization go at once, and not 30 days after its last self-check."""
    from ecr_steward_cli.announced import forget_account as do

    do(Where(stack_name, table, region), account)
