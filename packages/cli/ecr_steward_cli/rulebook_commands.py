"""``ecr-steward validate`` and ``compile``: the work behind the commands, without their arguments."""

import sys
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from ecr_steward.rulebook.checks import notes
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.model import Rulebook
from ecr_steward.rulebook.validate import validate
from ecr_steward_cli.exit_codes import FAILED
from ecr_steward_cli.findings import Finding
from ecr_steward_cli.parameters import bounds_of
from ecr_steward_cli.refusal import refuse
from ecr_steward_cli.regions import unknown_regions
from ecr_steward_cli.rulebook_file import RulebookFile, UnreadableRulebookError, read_rulebook_file


def find_rulebooks(folder: Path) -> list[Path]:
    """The rulebooks that a folder holds where one looks for them: the layer's, and ``*.ecr-steward.yaml``."""
    usual = [folder / "layers" / "rulebook" / "ecr-steward.yaml", folder / "ecr-steward.yaml"]
    return [path for path in usual if path.is_file()] + sorted(folder.glob("*.ecr-steward.yaml"))


def the_rulebook() -> Path:
    """The one rulebook here. Raises typer.Exit where there is none, or where it could be another one."""
    found = find_rulebooks(Path())
    if not found:
        refuse("no rulebook here: name one, or call it ecr-steward.yaml or NAME.ecr-steward.yaml", Code.NO_RULEBOOK)
    if len(found) > 1:
        refuse(f"several rulebooks are here, so name one: {', '.join(map(str, found))}", Code.SEVERAL_RULEBOOKS)
    return found[0]


def validate_files(
    paths: Iterable[Path], today: date, parameters: Sequence[str] = (), environment: str = "default"
) -> list[Finding]:
    """Everything that is wrong with some rulebooks, and notes, as of a waiver that has expired by ``today`` (in UTC).

    What parameters of the deployment bound is as ``bounds_of`` says. Raises OSError for a file that cannot be read, and
    ParameterError.
    """
    return [finding for path in paths for finding in _validate_file(path, today, parameters, environment)]


def _validate_file(path: Path, today: date, parameters: Sequence[str], environment: str) -> list[Finding]:
    file, rulebook, findings = read_rulebook(path)
    bounds = bounds_of(path, parameters, environment)
    if file is None or rulebook is None:
        return findings
    return [
        *(Finding.of_problem(file, problem) for problem in bounds.outside(rulebook)),
        *(Finding.of_note(file, note) for note in notes(rulebook, today)),
    ]


def compile_file(path: Path, output: Path) -> list[Finding]:
    """Compile a rulebook to the file that the functions read, or say what is wrong and write nothing."""
    file, rulebook, findings = read_rulebook(path)
    if file is not None and rulebook is not None:
        from ecr_steward.rulebook.load import dump_compiled  # noqa: PLC0415 - the functions' half of the house

        output.write_text(dump_compiled(rulebook, path.name, file.source), encoding="utf-8")
    return findings


def valid_rulebook(path: Path) -> tuple[RulebookFile, Rulebook]:
    """A rulebook that is there and validates, with its file. Raises SystemExit where it is not, and shows why."""
    try:
        file, rulebook, findings = read_rulebook(path)
    except OSError as error:
        refuse(f"{path} cannot be read: {error.strerror}", Code.FILE_UNREADABLE)
    if file is None or rulebook is None:
        from ecr_steward_cli.report import show_findings  # noqa: PLC0415 - rich is for findings only

        show_findings(findings, sys.stderr)
        sys.exit(FAILED)
    return file, rulebook


def read_rulebook(path: Path) -> tuple[RulebookFile | None, Rulebook | None, list[Finding]]:
    """A rulebook and its file, or what is wrong with it. Raises OSError."""
    try:
        file = read_rulebook_file(path)
    except UnreadableRulebookError as error:
        return None, None, [Finding.of_unreadable(path, error)]
    rulebook, problems = validate(file.data)
    if rulebook is not None and (problems := tuple(unknown_regions(rulebook))):
        rulebook = None
    return file, rulebook, [Finding.of_problem(file, problem) for problem in problems]
