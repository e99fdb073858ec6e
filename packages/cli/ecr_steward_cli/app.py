"""The commands of ``ecr-steward`` and their arguments. What they do is imported when one is called."""

# ruff: noqa: PLC0415 - a command pays for its own imports only

import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from ecr_steward.rulebook.codes import Code
from ecr_steward_cli import (
    copy_commands,
    hand_commands,
    lifecycle_commands,
    planning_commands,
    safety_commands,
    sandbox_commands,
)
from ecr_steward_cli.demo_command import demo
from ecr_steward_cli.doctor_command import doctor
from ecr_steward_cli.exit_codes import FAILED, SUMMARY
from ecr_steward_cli.planning_commands import LOOK_AND_DO
from ecr_steward_cli.refusal import refuse
from ecr_steward_cli.version import version_text

app = typer.Typer(
    name="ecr-steward",
    help="An Amazon ECR registry that keeps itself to a written rulebook.",
    epilog=SUMMARY,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},  # commands have them from their group
)
WRITE: Final = "Write the rulebook"
ON_THIS_MACHINE: Final = "On this machine"


def _print_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(version_text())
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Keep Amazon ECR registries as a written rulebook says."""


@app.command(rich_help_panel=WRITE)
def validate(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Rulebooks; by default those found here.", metavar="[FILE]...", show_default=False),
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            help="A parameter of the deployment that bounds what a rulebook may name (default: as samconfig.toml and "
            "the template beside it say).",
            metavar="NAME=VALUE",
            show_default=False,
        ),
    ] = None,
    config_env: Annotated[str, typer.Option(help="The environment of samconfig.toml.")] = "default",
) -> None:
    """Check rulebooks and show everything that is wrong, with its place."""
    from ecr_steward_cli.validating import validate as do

    raise typer.Exit(do(files or [], parameter or (), config_env))


@app.command(rich_help_panel=WRITE)
def explain(
    subject: Annotated[str, typer.Argument(help="An error code such as ES101, or a repository.", metavar="SUBJECT")],
    *,
    rulebook: Annotated[
        Path | None, typer.Option(help="For a repository: the rulebook (default: the one here).")
    ] = None,
    account: Annotated[str | None, typer.Option(help="For a repository: whose it is.")] = None,
    region: Annotated[str | None, typer.Option(help="For a repository: where it is.")] = None,
    resource_tag: Annotated[
        list[str] | None, typer.Option(help="For a repository: a resource tag it carries.", metavar="KEY=VALUE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For a repository: print JSON.")] = False,
) -> None:
    """Say what an error code means, or what the rules say about a repository and which of them decides."""
    from ecr_steward_cli.error_pages import looks_like_a_code

    if looks_like_a_code(subject):
        from ecr_steward_cli.explain_command import explain_code

        explain_code(subject)
    else:
        from ecr_steward_cli.explain_repository import explain_repository

        explain_repository(
            subject, rulebook, account=account, region=region, resource_tags=resource_tag or [], as_json=as_json
        )


@app.command(rich_help_panel=WRITE)
def test(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Files of cases; by default those found here.", metavar="[FILE]...", show_default=False),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="text, json or junit, on standard output.")] = "text",
    init: Annotated[
        Path | None,
        typer.Option(
            help="Write a case from this event, which expects what the rulebook does now.",
            metavar="EVENT.json",
            show_default=False,
        ),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="With --init: the file (default: standard output).")
    ] = None,
    rulebook: Annotated[Path | None, typer.Option(help="With --init: the rulebook (default: the one here).")] = None,
) -> None:
    """Run given/expect cases against the rulebook, offline. No case at all is a failure."""
    from ecr_steward_cli.testing import command
    from ecr_steward_cli.testing.output import Format

    if init is not None:
        command.write_case(init, output, rulebook)
        return
    if form not in set(Format):
        refuse(f"there is no format `{form}`; there are {', '.join(Format)}", Code.UNKNOWN_FORMAT)
    command.test(files or [], Format(form))


@app.command(rich_help_panel=WRITE)
def schema(
    name: Annotated[
        str, typer.Argument(help="`rulebook`, `test`, or an event such as `violation-found`.")
    ] = "rulebook",
) -> None:
    """Print a JSON Schema: of the rulebook, of its tests, or of an event that the steward publishes."""
    from ecr_steward.rulebook.nearest import nearest_word
    from ecr_steward_cli.schemas import schema_texts

    texts = schema_texts()
    if name not in texts:
        nearest = nearest_word(name, texts)
        meant = f"did you mean `{nearest}`? " if nearest else ""
        refuse(f"there is no schema `{name}`; {meant}There are: {', '.join(texts)}", Code.UNKNOWN_SCHEMA)
    typer.echo(texts[name], nl=False)


@app.command(name="compile", rich_help_panel=WRITE)
def compile_(
    file: Annotated[Path, typer.Argument(help="The rulebook.", metavar="FILE")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The JSON file that the functions read.")],
) -> None:
    """Compile a rulebook for the functions. One that does not validate is refused, and nothing is written."""
    from ecr_steward_cli.rulebook_commands import compile_file

    try:
        findings = compile_file(file, output)
    except OSError as error:
        refuse(f"{error.filename} cannot be opened: {error.strerror}", Code.FILE_UNREADABLE)
    if findings:
        from ecr_steward_cli.validating import show

        show(findings, sys.stderr)  # where a build tool looks for the reason
        raise typer.Exit(FAILED)


planning_commands.register(app)
copy_commands.register(app)
app.add_typer(lifecycle_commands.app, name="lifecycle", rich_help_panel=LOOK_AND_DO)
app.command(rich_help_panel=LOOK_AND_DO)(doctor)
safety_commands.register(app)
hand_commands.register(app)
app.command(rich_help_panel=ON_THIS_MACHINE)(demo)
app.add_typer(sandbox_commands.app, name="sandbox", rich_help_panel=ON_THIS_MACHINE)
