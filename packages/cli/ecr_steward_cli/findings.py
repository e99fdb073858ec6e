"""Findings: what is wrong in a file, or worth knowing about it, with its place and its line."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.problems import Problem
from ecr_steward_cli.rulebook_file import Place, RulebookFile, UnreadableRulebookError


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong in a file, or worth knowing about it."""

    file: Path
    place: Place
    line: str
    code: Code
    message: str
    hint: str | None = None
    """The right word, said beside the wrong one."""
    expected: str | None = None
    is_note: bool = False
    """Worth knowing, and nothing is wrong."""

    @classmethod
    def of_note(cls, file: RulebookFile, note: Problem) -> Self:
        """What is worth knowing about a rulebook that is valid, with its place in the file."""
        return replace(cls.of_problem(file, note), is_note=True)

    @classmethod
    def of_problem(cls, file: RulebookFile, problem: Problem) -> Self:
        """A problem of the rulebook, with its place in the file."""
        place = file.place_of(problem)
        hint = f"did you mean `{problem.nearest}`?" if problem.nearest else None
        line = _line(file.lines, place)
        return cls(file.path, place, line, problem.code, _printable(problem.message), hint, problem.expected)

    @classmethod
    def of_unreadable(cls, path: Path, error: UnreadableRulebookError) -> Self:
        """A file that is no rulebook at all."""
        return cls(path, error.place, _line(error.lines, error.place), error.code, _printable(error.message))


def _line(lines: tuple[str, ...], place: Place) -> str:
    """The line as it can be shown: what a terminal would act on is one space each, so that columns stay columns."""
    return _printable(lines[place.line - 1]) if 0 < place.line <= len(lines) else ""


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
