"""The command ``copy`` among the others; its arguments are read where it is."""

# ruff: noqa: PLC0415 - a command pays for its own imports only

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        rich_help_panel="Move images",
        add_help_option=False,
        context_settings={"ignore_unknown_options": True, "allow_extra_args": True},
    )(copy)


def copy(context: typer.Context) -> None:
    """Copy images between registries and folders, byte for byte."""
    from ecr_steward_cli.copying.arguments import run

    raise typer.Exit(run(context.args))
