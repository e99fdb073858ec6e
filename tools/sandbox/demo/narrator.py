"""The account that a stranger can follow: what was done, which function ran, what it planned and why, what holds."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

_STEPS_SHOWN = 5
_DIGEST = re.compile(r"(sha256:[0-9a-f]{12})[0-9a-f]{52}")
_REGISTRY = re.compile(r"\d{12}/([a-z]+-[a-z]+-\d)/([a-z0-9._/-]+)")


class Narrator:
    """Writes the account to a terminal, or as plain text to a file."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def opened(self, number: int, title: str, about: str) -> None:
        """An act begins."""
        self._console.print()
        self._console.rule(f"[bold]Act {number}[/bold]  {escape(title)}", align="left")
        self._console.print(f"[dim]{escape(about)}[/dim]")

    def did(self, what: str, detail: str = "") -> None:
        """Somebody did something."""
        self._console.print(f"[bold cyan]>[/bold cyan] {escape(what)}", highlight=False)
        if detail:
            self._console.print(f"    [dim]{escape(short(detail))}[/dim]", highlight=False)

    def ran(self, invocations: Sequence[Any]) -> None:
        """Functions ran: those that planned something at length, the others counted."""
        quiet: Counter[str] = Counter()
        for invocation in invocations:
            outcomes = [line for line in log_lines(invocation.log) if line.get("message") == "outcome"]
            spoken = [line for line in outcomes if line["steps"] or line["violations"]]
            if not spoken and invocation.outcome == "ok":
                quiet[job_name(invocation.function)] += 1
                continue
            answer = "" if invocation.outcome == "ok" else "  [red]failed[/red]"
            self._console.print(
                f"[bold green]f[/bold green] [bold]{job_name(invocation.function)}[/bold] "
                f"ran {invocation.seconds * 1000:.0f} ms{answer}",
                highlight=False,
            )
            for line in spoken:
                self._planned(line)
            for line in log_lines(invocation.log):
                if "reason" in line:
                    self._console.print(f"    [red]{escape(line['error'])}[/red]: {escape(short(line['reason']))}")
        for job, times in sorted(quiet.items()):
            self._console.print(f"[dim]f {job} ran {times} more times and found nothing to do[/dim]", highlight=False)

    def claimed(self, claim: str, holds: bool) -> None:
        """A claim of the story was checked."""
        mark = "[bold green]ok[/bold green]" if holds else "[bold red]NO[/bold red]"
        self._console.print(f"  {mark} {escape(short(claim))}", highlight=False)

    def closed(self, seconds: float) -> None:
        """An act held."""
        self._console.print(f"[dim]took {seconds:.1f} s[/dim]")

    def failed(self, number: int, why: str) -> None:
        """An act did not hold: the story ends here."""
        self._console.print(f"\n[bold red]Act {number} failed:[/bold red] {escape(why)}", highlight=False)

    def ended(self, acts: int, checks: int, seconds: float) -> None:
        """The whole story held."""
        self._console.print()
        self._console.rule(align="left")
        self._console.print(f"[bold green]All {acts} acts held[/bold green]: {checks} checks in {seconds:.1f} s")

    def said(self, what: str) -> None:
        """Something between the acts."""
        self._console.print(escape(what), highlight=False)

    def _planned(self, line: dict[str, Any]) -> None:
        for why in line["violations"]:
            self._console.print(f"    [yellow]violation[/yellow] {escape(short(why))}", highlight=False)
        rule = f" (rule [italic]{escape(str(line['rule']))}[/italic])"
        for step in line["steps"][:_STEPS_SHOWN]:
            self._console.print(f"    {escape(short(step['what']))}{rule}", highlight=False)
            self._console.print(f"      [dim]because {escape(short(step['why']))}[/dim]", highlight=False)
        hidden = Counter(step["step"] for step in line["steps"][_STEPS_SHOWN:])
        if hidden:
            more = ", ".join(f"{count} {kind}" for kind, count in hidden.items())
            self._console.print(f"    [dim]and {more}[/dim]", highlight=False)


def job_name(function: str) -> str:
    """``enforce_image_tags`` for a function that the stack named ``…-EnforceImageTagsFunction-…``."""
    named = re.search(r"([A-Za-z]+)Function", function)
    words = re.findall(r"[A-Z][a-z]*", named[1]) if named else [function]
    return "_".join(words).lower()


def short(text: str) -> str:
    """Text as people quote it: digests of twelve digits, repositories with their region in brackets."""
    return _REGISTRY.sub(r"\2 (\1)", _DIGEST.sub(r"\1", text))


def log_lines(log: str) -> Iterator[dict[str, Any]]:
    """The structured lines of a function's log."""
    for text in log.splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict):
            yield line


def steps_of(invocations: Iterable[Any]) -> list[dict[str, Any]]:
    """Every step that some invocations planned."""
    lines = (line for each in invocations for line in log_lines(each.log) if line.get("message") == "outcome")
    return [step for line in lines for step in line["steps"]]
