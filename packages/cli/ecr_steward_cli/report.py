"""How findings are shown: file, line, column, the line with what is wrong underlined, and what would be right."""

from collections.abc import Iterable
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from ecr_steward_cli.findings import Finding

SHOWN_CHARACTERS: Final = 160
"""Of a line that is longer."""


def show_findings(findings: Iterable[Finding], stream: TextIO) -> None:
    """Print findings in the order of their places. Colours only on a terminal, and never with NO_COLOR."""
    console = Console(file=stream, highlight=False, soft_wrap=True, emoji=False, markup=False)
    for finding in sorted(findings, key=lambda found: (found.file, found.place)):
        console.print(_text_of(finding))


def _text_of(finding: Finding) -> Text:
    place, colour = finding.place, "yellow" if finding.is_note else "red"
    number = str(place.line)
    margin = " " * len(number)
    text = Text()
    text.append(f"{finding.file}:{place.line}:{place.column}", "bold")
    text.append(": note: " if finding.is_note else ": ")
    text.append(f"{finding.code} ", colour)
    text.append(f"{finding.message}\n", f"bold {colour}")
    if finding.line:
        line, start = _clipped(finding.line, place.column)
        text.append(f" {margin} |\n {number} | ", "blue")
        text.append(f"{line}\n")
        text.append(f" {margin} | ", "blue")
        text.append(" " * start + "^" * min(place.length, max(1, len(line) - start)), f"bold {colour}")
        text.append(f" {finding.hint}\n" if finding.hint else "\n", f"bold {colour}")
    elif finding.hint:
        text.append(f" {margin} = {finding.hint}\n")
    if finding.expected:
        text.append(f" {margin} = ", "blue")
        text.append(f"expected {finding.expected}\n")
    return text


def _clipped(line: str, column: int) -> tuple[str, int]:
    """The part of a line that is worth showing, and where in it the column is, counted from 0."""
    first = max(0, column - 1 - SHOWN_CHARACTERS // 2)
    return line[first : first + SHOWN_CHARACTERS], column - 1 - first
