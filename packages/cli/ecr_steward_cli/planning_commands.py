"""The commands ``plan`` and ``apply`` with their arguments; what they do is imported when one is called."""

# ruff: noqa: PLC0415 - a command pays for its own imports only

from pathlib import Path
from typing import Annotated, Final

import typer

from ecr_steward.rulebook.codes import Code

LOOK_AND_DO: Final = "See what differs, and do it"
"""The heading of these commands in the help."""
Rulebook = Annotated[
    Path | None,
    typer.Argument(help="The rulebook (default: the one found here).", metavar="[FILE]", show_default=False),
]
Accounts = Annotated[
    list[str] | None,
    typer.Option("--account", help="AWS account ID; repeat for several (default: the caller's).", show_default=False),
]
Regions = Annotated[
    list[str] | None,
    typer.Option(
        "--region",
        help="AWS region; repeat for several (default: AWS_REGION, AWS_DEFAULT_REGION, or the profile's).",
        show_default=False,
    ),
]
Repositories = Annotated[
    list[str] | None,
    typer.Option(
        "--repository", help="Only these, by pattern as in `match`; several times for several.", show_default=False
    ),
]
StackName = Annotated[
    str | None,
    typer.Option(
        help="The stack of a deployed steward: its pause, brakes, journal and releases count here, too (default: "
        "ecr-steward in the first region, if there is one).",
        show_default=False,
    ),
]
NoStack = Annotated[bool, typer.Option("--no-stack", help="Heed no deployed steward, also where there is one.")]
Table = Annotated[
    str | None,
    typer.Option(
        envvar="ECR_STEWARD_STATE_TABLE", help="The state table of that steward, by name.", show_default=False
    ),
]
Full = Annotated[bool, typer.Option("--full", help="Show every step of every repository.")]
Deep = Annotated[
    bool,
    typer.Option("--deep", help="Look for each manifest of a copy, although what leads to it is there."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, on standard output.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=LOOK_AND_DO)(plan)
    app.command(rich_help_panel=LOOK_AND_DO)(apply)


def plan(
    file: Rulebook = None,
    *,
    account: Accounts = None,
    region: Regions = None,
    repository: Repositories = None,
    deep: Deep = False,
    full: Full = False,
    as_json: AsJson = False,
    out: Annotated[
        Path | None, typer.Option("--out", help="Save the plan, for `apply FILE.json`.", show_default=False)
    ] = None,
    stack_name: StackName = None,
    table: Table = None,
    no_stack: NoStack = False,
    detailed_exitcode: Annotated[
        bool, typer.Option("--detailed-exitcode", help="Exit with 0 for no changes, 1 for any error, 2 for changes.")
    ] = False,
) -> None:
    """Show what differs from the rulebook and what would be done, by which rule and why. Nothing is changed."""
    from ecr_steward_cli.planning import commands

    deployed = commands.Deployed(stack_name, table, no_stack)
    scope = commands.Scope(account or (), region or (), repository or (), deployed, deep)
    commands.plan(file, scope, commands.Shown(full, as_json), out, detailed_exitcode=detailed_exitcode)


def apply(
    file: Annotated[
        Path | None,
        typer.Argument(
            help="The rulebook, or a plan that `plan --out` has saved (default: the rulebook found here).",
            metavar="[FILE]",
            show_default=False,
        ),
    ] = None,
    *,
    account: Accounts = None,
    region: Regions = None,
    repository: Repositories = None,
    deep: Deep = False,
    full: Full = False,
    as_json: AsJson = False,
    stack_name: StackName = None,
    table: Table = None,
    no_stack: NoStack = False,
    rulebook: Annotated[
        Path | None,
        typer.Option(
            help="For a saved plan: the rulebook that it has to be of (default: the file that it was made from).",
            show_default=False,
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Do what `plan` shows: exactly that, or nothing where the facts have moved."""
    from ecr_steward_cli.planning import commands

    shown, deployed = commands.Shown(full, as_json), commands.Deployed(stack_name, table, no_stack)
    if file is not None and commands.is_saved_plan(file):
        if account or region or repository or deep:
            told = "a saved plan says itself for which registries and repositories it is, and how deep it looks"
            commands.refuse(told, Code.SAVED_PLAN_SCOPE)
        commands.apply_saved(file, rulebook, deployed, shown)
    else:
        if rulebook is not None:
            commands.refuse("--rulebook goes with a saved plan: name the rulebook as FILE", Code.SAVED_PLAN_SCOPE)
        scope = commands.Scope(account or (), region or (), repository or (), deployed, deep)
        commands.apply(file, scope, shown, yes=yes)
