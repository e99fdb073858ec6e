"""The account that a stranger can follow: what was done, which function ran, what it planned and why, what holds."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape

from ecr_steward_sandbox.delivery.ledger import Invocation
from ecr_steward_sandbox.function_logs import LEFT_TO_THE_QUEUE, held_back, job_name, log_lines, outcomes, short

_SETTINGS = {"PutTagMutability", "PutScanOnPush", "AddResourceTags", "PutLifecyclePolicy", "SetRepositoryPolicy"}
_COLOURS = {"pass": "green", "fail": "red", "wait": "yellow"}
_COPIES = {"CopyBlob": "blob", "CopyManifest": "manifest"}


class Narrator:
    """Writes the account to a terminal, or as plain text to a file."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._settings_told: set[frozenset[str]] = set()

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

    def showed(self, *lines: str) -> None:
        """What a file says."""
        for line in lines:
            self._console.print(f"    {escape(short(line))}", style="magenta", highlight=False)

    def ran(self, invocations: Sequence[Invocation]) -> None:
        """Functions ran: what was planned for each image or repository once, the runs that planned nothing counted.

        Functions run at the same time, and two may each do a part of what a subject needs: it is told as one.
        """
        told: dict[_Subject, dict[str, Any]] = {}
        quiet: Counter[tuple[str, str]] = Counter()
        runs: list[tuple[Invocation, list[dict[str, Any]], list[dict[str, Any]]]] = []
        for invocation in sorted(invocations, key=lambda each: each.started):
            job, lines = job_name(invocation.function), list(log_lines(invocation.log))
            spoken = [line for line in outcomes(lines) if _says_something(line)]
            fresh = [line for line in spoken if _is_news(told, job, line)]
            if fresh or invocation.outcome != "ok":
                runs.append((invocation, fresh, [line for line in lines if "reason" in line]))
            elif spoken:
                quiet[job, "did what was left, each from the facts it found"] += 1
            else:
                quiet[job, "found nothing to do"] += 1
        for run in runs:
            self._one(*run)
        for (job, found), times in sorted(quiet.items()):
            often = "once more" if times == 1 else f"{times} more times"
            self._console.print(f"[green]f[/green] {job} [dim]ran {often} and {found}[/dim]", highlight=False)

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

    def _one(self, invocation: Invocation, spoken: list[dict[str, Any]], errors: list[dict[str, Any]]) -> None:
        answer = "" if invocation.outcome == "ok" else "  [red]failed[/red]"
        job, milliseconds = job_name(invocation.function), invocation.seconds * 1000
        self._console.print(f"[bold green]f {job}[/bold green] ran {milliseconds:.0f} ms{answer}", highlight=False)
        for line in spoken:
            if LEFT_TO_THE_QUEUE in line.get("remarks", ()):
                self._step(escape(short(f"ask replicate_image for {line['subject']}")), _why(line, line["steps"][0]))
                continue
            if "verdict" in line:
                self._verdict(line)
            elif objections := held_back(line):
                self._step(f"leave {escape(short(line['subject']))}", short("; ".join(objections)))
            for why in line["violations"]:
                self._step("[yellow]violation[/yellow]: " + escape(short(why)), f"rule {line['rule']}")
            for step in self._condensed(line["steps"]):
                self._step(escape(short(step["what"])), _why(line, step))
        for line in errors:
            self._step(f"[red]{escape(line.get('error', line['message']))}[/red]", short(line["reason"]))

    def _verdict(self, line: dict[str, Any]) -> None:
        colour = _COLOURS[line["verdict"]]
        what = f"verdict on {escape(short(line['subject']))}: [{colour}]{line['verdict']}[/{colour}]"
        said = [*line["reasons"], *line["waived"], *line.get("remarks", ())]
        self._step(what, "; ".join([f"rule {line['rule']}", *map(short, said)]))

    def _condensed(self, steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Copies as one step, and settings as one where the same ones were told at length before."""
        settings = [step for step in steps if step["step"] in _SETTINGS]
        kinds = frozenset(step["step"] for step in settings)
        if len(settings) > 1 and kinds in self._settings_told:
            of = re.split(r" (?:to|of) (?=\d{12}/)", settings[-1]["what"])[-1]
            steps = [step for step in steps if step not in settings]
            steps.insert(
                bool(steps) and steps[0]["step"] == "CreateRepository",
                {"step": "", "what": f"apply {len(settings)} settings to {of}, as above", "why": settings[-1]["why"]},
            )
        self._settings_told.add(kinds)
        copied = [step for step in steps if step["step"] in _COPIES]
        if copied:
            at = steps.index(copied[0])
            steps = [*steps[:at], _together(copied), *(step for step in steps[at:] if step not in copied)]
        return steps

    def _step(self, what: str, why: str) -> None:
        self._console.print(f"    {what}\n      [dim]{escape(why)}[/dim]", highlight=False)


type _Subject = tuple[str, str, str | None, bool]
"""Job, image or repository, verdict, and whether it is held back: another verdict is another story."""


def _is_news(told: dict[_Subject, dict[str, Any]], job: str, line: dict[str, Any]) -> bool:
    """Whether nothing was told of a subject yet; what a later run planned for it is added to what is told."""
    before = told.setdefault((job, line["subject"], line.get("verdict"), bool(held_back(line))), line)
    if before is line:
        return True
    known = {step["what"] for step in before["steps"]}
    before["steps"] += [step for step in line["steps"] if step["what"] not in known]
    before["violations"] += [why for why in line["violations"] if why not in before["violations"]]
    return False


def _says_something(line: dict[str, Any]) -> bool:
    return bool(line["steps"] or line["violations"] or "verdict" in line or held_back(line))


def _why(line: dict[str, Any], step: dict[str, Any]) -> str:
    return f"rule {line['rule']}: {short(step['why'])}"


def _together(copied: list[dict[str, Any]]) -> dict[str, Any]:
    """Blobs and manifests that were copied, as one step."""
    kinds = Counter(step["step"] for step in copied)
    to = copied[0]["what"].rpartition(" to ")[2]
    counted = " and ".join(f"{kinds[kind]} {_COPIES[kind]}{'s' * (kinds[kind] > 1)}" for kind in _COPIES if kinds[kind])
    return {"what": f"copy {counted} to {to}", "why": copied[-1]["why"]}
