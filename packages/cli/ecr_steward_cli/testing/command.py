"""``ecr-steward test``: the work behind the command, without its arguments."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from ecr_steward.errors import InvalidNameError
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward_cli.exit_codes import FAILED
from ecr_steward_cli.findings import Finding
from ecr_steward_cli.refusal import refuse
from ecr_steward_cli.rulebook_commands import the_rulebook, valid_rulebook
from ecr_steward_cli.testing.files import USUAL, Cases, find_case_files, read_cases
from ecr_steward_cli.testing.model import Case
from ecr_steward_cli.testing.output import Format, Tested, output_of
from ecr_steward_cli.testing.running import find, run
from ecr_steward_cli.testing.world import EventError, read_event
from ecr_steward_cli.testing.writing import case_text, expectation_of, given_of


def test(paths: Sequence[Path], form: Format) -> None:
    """Run cases and print what became of them. Raises typer.Exit with 1 where one failed or there is none."""
    files = list(paths) or find_case_files(Path())
    if not files:
        _no_tests(f"here: write {USUAL} beside the rulebook, or begin with --init EVENT.json")
    read = _read(files)
    tested = [
        Tested(cases, tuple(run(case, cases.rules, cases.path.parent) for case in cases.file.cases)) for cases in read
    ]
    if not any(each.results for each in tested):
        _no_tests(f"in {', '.join(map(str, files))}: the list `cases` is empty")
    typer.echo(output_of(tested, form), nl=False)
    failed, count = sum(each.failed for each in tested), sum(len(each.results) for each in tested)
    typer.echo(f"{count - failed} passed, {failed} failed", err=True)
    if failed:
        raise typer.Exit(FAILED)


def write_case(event_file: Path, output: Path | None, rulebook: Path | None) -> None:
    """Write a case from an event, which expects what the rulebook makes of it now."""
    document = _event(event_file)
    found_rulebook = rulebook or the_rulebook()
    rules = compile_rulebook(valid_rulebook(found_rulebook)[1])
    try:
        told = read_event(document, event_file.parent)
        given = given_of(told)
        name = f"what becomes of {told.repository.name} after {event_file.stem.replace('_', ' ')}"
        case = Case.model_validate({"name": name, "given": given, "expect": {"nothing": True}})
        expect = expectation_of(find(case, rules, event_file.parent))
    except (EventError, InvalidNameError) as error:
        refuse(str(error), Code.CASE_EVENT)
    own_name = (output or Path(USUAL)).name.replace("-test.", ".", 1)
    folder = (output or found_rulebook).parent
    relative = os.path.relpath(found_rulebook, folder)
    text = case_text(name, given, expect, None if relative == own_name else relative)
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        refuse(f"{output} is there already: name another file, or add the case to it by hand", Code.FILE_EXISTS)
    except OSError as error:
        refuse(f"{output} cannot be written: {error.strerror}", Code.FILE_UNREADABLE)


def _read(files: Sequence[Path]) -> list[Cases]:
    read: list[Cases] = []
    findings: list[Finding] = []
    for path in files:
        try:
            found = read_cases(path)
        except OSError as error:
            refuse(f"{path} cannot be read: {error.strerror}", Code.FILE_UNREADABLE)
        if isinstance(found, Cases):
            read.append(found)
        else:
            findings += found
    _stop_at(findings)
    return read


def _event(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        refuse(f"{path} cannot be read: {error.strerror}", Code.FILE_UNREADABLE)
    except (ValueError, RecursionError) as error:
        refuse(f"{path} is no JSON: {error}", Code.CASE_EVENT)


def _stop_at(findings: list[Finding]) -> None:
    """Show what is wrong where no machine reads it, since nothing could be run."""
    if findings:
        from ecr_steward_cli.report import show_findings  # noqa: PLC0415 - rich is for findings only

        show_findings(findings, sys.stderr)
        raise typer.Exit(FAILED)


def _no_tests(where: str) -> None:
    typer.echo(f"Error: {Code.NO_TESTS} no test was found {where}", err=True)
    raise typer.Exit(FAILED)
