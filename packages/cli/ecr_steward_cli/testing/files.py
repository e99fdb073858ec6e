"""The files of cases: which there are, what is wrong with them, and the rulebook that each is about."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from ecr_steward.domain.rules import Rules
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.compile import compile_rulebook
from ecr_steward.rulebook.problems import Problem, empty_values, structural_problems
from ecr_steward_cli.findings import Finding
from ecr_steward_cli.rulebook_commands import read_rulebook
from ecr_steward_cli.rulebook_file import RulebookFile, UnreadableRulebookError, read_rulebook_file
from ecr_steward_cli.testing.model import CaseFile

USUAL: Final = "ecr-steward-test.yaml"
"""The file of cases beside ``ecr-steward.yaml``; another rulebook's has its name: ``NAME.ecr-steward-test.yaml``."""


@dataclass(frozen=True)
class Cases:
    """The cases of a file, and the rules that they are about."""

    path: Path
    rulebook: Path
    rules: Rules
    file: CaseFile
    lines: tuple[int, ...]
    """Where each case begins."""


def find_case_files(folder: Path) -> list[Path]:
    """The files of cases that a folder holds where one looks for them: beside each rulebook that is found there."""
    usual = [folder / "layers" / "rulebook" / USUAL, folder / USUAL]
    return [path for path in usual if path.is_file()] + sorted(folder.glob(f"*.{USUAL}"))


def read_cases(path: Path) -> Cases | list[Finding]:
    """The cases of a file, or what is wrong with it or with its rulebook. Raises OSError."""
    try:
        file = read_rulebook_file(path)
    except UnreadableRulebookError as error:
        return [Finding.of_unreadable(path, error)]
    try:
        cases = CaseFile.model_validate(file.data)
    except ValidationError as error:
        return [Finding.of_problem(file, problem) for problem in structural_problems(file.data, error, CaseFile)]
    problems = [*empty_values(file.data), *_names_differ(cases)]
    if problems:
        return [Finding.of_problem(file, problem) for problem in problems]
    rulebook = path.parent / (cases.rulebook or path.name.replace("-test.", ".", 1))
    return _with_rulebook(file, cases, rulebook)


def _with_rulebook(file: RulebookFile, cases: CaseFile, rulebook: Path) -> Cases | list[Finding]:
    try:
        _, found, findings = read_rulebook(rulebook)
    except OSError as error:
        problem = Problem(
            ("rulebook",) if cases.rulebook else (),
            f"there is no rulebook to run these cases with: {rulebook}: {error.strerror}",
            "the key `rulebook` with its path from here",
            code=Code.CASE_RULEBOOK,
        )
        return [Finding.of_problem(file, problem)]
    if found is None:
        return findings
    lines = tuple(file.values["cases", number].line for number in range(len(cases.cases)))
    return Cases(file.path, rulebook, compile_rulebook(found), cases, lines)


def _names_differ(cases: CaseFile) -> Iterator[Problem]:
    seen: dict[str, int] = {}
    for number, case in enumerate(cases.cases):
        if case.name in seen:
            yield Problem(
                ("cases", number, "name"),
                f"there is a case `{case.name}` already: cases[{seen[case.name]}]",
                code=Code.CASE_NAME_TWICE,
            )
        seen.setdefault(case.name, number)
