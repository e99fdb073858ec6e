"""``ecr-steward validate``, without the argument parser: editors and hooks run it with every change."""

# ruff: noqa: PLC0415 - a valid rulebook needs no colours

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from ecr_steward.rulebook.codes import Code
from ecr_steward_cli.exit_codes import FAILED
from ecr_steward_cli.findings import Finding
from ecr_steward_cli.parameters import ParameterError
from ecr_steward_cli.refusal import refuse
from ecr_steward_cli.rulebook_commands import find_rulebooks, validate_files


def validate(files: Sequence[Path], parameters: Sequence[str] = (), environment: str = "default") -> int:
    """Check rulebooks, print what is wrong with them, and answer the exit code."""
    paths = files or find_rulebooks(Path())
    if not paths:
        refuse("no rulebook here: name one, or call it ecr-steward.yaml or NAME.ecr-steward.yaml", Code.NO_RULEBOOK)
    try:
        findings = validate_files(paths, datetime.now(UTC).date(), parameters, environment)
    except ParameterError as error:
        refuse(str(error), error.code)
    except OSError as error:
        refuse(f"{error.filename} cannot be read: {error.strerror}", Code.FILE_UNREADABLE)
    show(findings, sys.stdout)
    if problems := [finding for finding in findings if not finding.is_note]:
        found = f"{len(problems)} {'problem' if len(problems) == 1 else 'problems'} found"
        sys.stderr.write(f"{found}; `ecr-steward explain {problems[0].code}` says more\n")
        return FAILED
    for path in paths:
        sys.stderr.write(f"{path} is valid\n")
    return 0


def show(findings: Sequence[Finding], stream: TextIO) -> None:
    """Print findings, if there are any."""
    if not findings:
        return  # without rich, whose import takes as long as the check of a rulebook
    from ecr_steward_cli.report import show_findings

    show_findings(findings, stream)
