"""A plan as people read it: grouped and concise, or with every step of every repository."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, TextIO

from rich.console import Console
from rich.text import Text

from ecr_steward.domain.brake import Hold
from ecr_steward.domain.outcome import Outcome, SweepOutcome
from ecr_steward.domain.plan import (
    AddImageTag,
    CopyBlob,
    CopyManifest,
    CreateRepository,
    DeleteAndRetag,
    PutImageTag,
    Step,
)
from ecr_steward.domain.rules import Mode
from ecr_steward_cli.planning.document import summary_of
from ecr_steward_cli.planning.failures import grouped

MOST_GROUPS: Final = 16
"""Groups that the concise form shows, three lines each: with headings and the end, 60 lines at most."""
FEW_STEPS: Final = 12
"""Up to so many steps are shown one by one."""
_SHOWN_SUBJECTS: Final = 3
_SHOWN_FAILURES: Final = 5
_ADDS: Final = (AddImageTag, CreateRepository, CopyBlob, CopyManifest, PutImageTag)
_MARKS: Final = {"+": "add", "~": "change", "-": "remove"}
_COLOURS: Final = {"+": "green", "~": "yellow", "-": "red"}


@dataclass
class _Group:
    """Steps of one kind that one rule asks for."""

    rule: str
    aside: str
    mark: str
    what: str
    subjects: list[str] = field(default_factory=list)
    whys: Counter[str] = field(default_factory=Counter)


class _Page(Console):
    """A console that names the one ``registry`` no more once it has been named."""

    def __init__(self, stream: TextIO, registry: str | None) -> None:
        super().__init__(file=stream, highlight=False, soft_wrap=True, emoji=False, markup=False)
        self._registry = registry

    def tell(self, text: str, style: str = "") -> None:
        """Print a line of what is planned."""
        self.print(Text(text.replace(f"{self._registry}/", "") if self._registry else text, style=style))


def show_plan(outcome: SweepOutcome, stream: TextIO, *, full: bool, is_past: bool = False) -> None:
    """Print a plan, or with ``is_past`` what was done. Colours only on a terminal, and never with NO_COLOR."""
    outcome, registry = _within_one_registry(outcome)
    console = _Page(stream, registry)
    if registry:
        console.print(Text(f"In {registry}:", style="bold"))
    steps = sum(len(each.plan.steps) for each in outcome.outcomes)
    if full or steps <= FEW_STEPS:
        _show_each(outcome.outcomes, console)
    else:
        _show_groups(outcome.outcomes, console)
    _show_violations(outcome.outcomes, console, full)
    _show_verdicts(outcome.outcomes, console, full)
    _show_remarks(outcome.outcomes, console, full)
    _show_halts(outcome.outcomes, console)
    _show_failures(outcome, console, full)
    _show_end(outcome, console, is_past)


def _within_one_registry(outcome: SweepOutcome) -> tuple[SweepOutcome, str | None]:
    """The same with shorter subjects, and the registry that all of them are in, where it is one."""
    subjects = (each.subject.removeprefix("registry ") for each in outcome.outcomes)
    registries = {"/".join(subject.split("/")[:2]) for subject in subjects}
    if len(registries) != 1 or not re.fullmatch("[0-9]{12}/[a-z0-9-]+", registry := registries.pop()):
        return outcome, None
    shorter = tuple(replace(each, subject=each.subject.replace(f"{registry}/", "")) for each in outcome.outcomes)
    return replace(outcome, outcomes=shorter), registry


def mark_of(step: Step) -> str:
    """Whether a step adds, changes or removes something."""
    if step.is_destructive or (
        type(step).__name__.startswith(("Remove", "Delete")) and not isinstance(step, DeleteAndRetag)
    ):
        return "-"
    return "+" if isinstance(step, _ADDS) and not getattr(step, "previous", None) else "~"


def _show_each(outcomes: Iterable[Outcome], console: _Page) -> None:
    for outcome in outcomes:
        if not outcome.plan.steps:
            continue
        console.print(_heading(outcome.subject, _aside(outcome)))
        for step in outcome.plan.steps:
            mark = mark_of(step)
            console.tell(f"  {mark} {step}", "dim" if _aside(outcome) else _COLOURS[mark])
            console.tell(f"      rule {step.rule}: {step.why}", "dim")


def _heading(text: str, aside: str) -> Text:
    return Text.assemble((text, "bold"), f"  ({aside})" if aside else "")


def _aside(outcome: Outcome) -> str:
    """Why a plan is, or was, not carried out; nothing where it is."""
    if outcome.mode is Mode.OBSERVE:
        return "only observed: nothing is done"
    return "held back" if outcome.halt else ""


def _show_groups(outcomes: Iterable[Outcome], console: _Page) -> None:
    groups = sorted(_groups(outcomes), key=lambda group: (bool(group.aside), -len(group.subjects)))
    shown, hidden = groups[:MOST_GROUPS], groups[MOST_GROUPS:]
    rules = dict.fromkeys((group.rule, group.aside) for group in shown)
    for rule, aside in rules:
        console.print(_heading(f"rule {rule}", aside))
        for group in shown:
            if (group.rule, group.aside) == (rule, aside):
                style = "dim" if aside else _COLOURS[group.mark]
                console.tell(f"  {group.mark} {group.what}: {_some(group.subjects)}", style)
                console.tell(f"      {_whys(group.whys)}", "dim")
    if hidden:
        steps = sum(len(group.subjects) for group in hidden)
        console.tell(f"... and {steps} steps in {len(hidden)} smaller groups; --full shows every step")


def _groups(outcomes: Iterable[Outcome]) -> Iterable[_Group]:
    groups: dict[tuple[str, str, str, str], _Group] = {}
    for outcome in outcomes:
        for step in outcome.plan.steps:
            key = (step.rule, _aside(outcome), mark_of(step), _kind(step))
            groups.setdefault(key, _Group(*key)).subjects.append(outcome.subject)
            groups[key].whys[step.why] += 1
    return groups.values()


def _kind(step: Step) -> str:
    """What a step does, without whom it does it to: steps of one kind are told in one line."""
    where = getattr(step, "repository", None) or getattr(step, "registry", None)
    if where is not None:
        return str(step).replace(f" of {where}", "").replace(f" to {where}", "")
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in type(step).__name__)
    return f"{words.strip()}s"


def _some(subjects: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(subjects))
    named = ", ".join(distinct[:_SHOWN_SUBJECTS])
    more = len(distinct) - _SHOWN_SUBJECTS
    times = f"{len(subjects)} times in {len(distinct)}: " if len(subjects) > len(distinct) else f"{len(distinct)}: "
    return times + named + (f" and {more} more" if more > 0 else "")


def _whys(whys: Counter[str]) -> str:
    (why, count), *others = whys.most_common()
    if not others:
        return why
    if count == 1:
        return f"{why}, and {len(others)} more for a reason of {'its' if len(others) == 1 else 'their'} own"
    reasons = "another reason" if len(others) == 1 else f"{len(others)} other reasons"
    return f"{why} ({count}), and {sum(whys.values()) - count} for {reasons}"


def _show_violations(outcomes: Iterable[Outcome], console: _Page, full: bool) -> None:
    found = [(each.rule, violation) for each in outcomes for violation in each.plan.violations]
    if not found:
        return
    console.print(Text("Violations", style="bold"))
    if full or len(found) <= _SHOWN_FAILURES:
        for rule, violation in found:
            console.tell(f"  {violation.subject}: {violation.why} (rule {rule})")
        return
    by_rule = Counter(rule for rule, _ in found)
    for rule, count in by_rule.most_common(_SHOWN_FAILURES):
        first = next(violation for its, violation in found if its == rule)
        console.tell(f"  rule {rule}: {count}, such as {first.subject}: {first.why}")


def _show_verdicts(outcomes: Iterable[Outcome], console: _Page, full: bool) -> None:
    """Show each verdict that is no pass, and each pass that leaves something out of account."""
    found = [(each, each.assessment) for each in outcomes if each.assessment]
    if not found:
        return
    console.print(Text("Verdicts", style="bold"))
    for each, assessment in found if full else found[:_SHOWN_FAILURES]:
        said = (*assessment.reasons, *assessment.waived, *assessment.remarks)
        shown = said if full else said[:_SHOWN_SUBJECTS]
        more = f"; and {len(said) - len(shown)} more" if len(said) > len(shown) else ""
        console.tell(f"  {each.subject}: {assessment.verdict}: {'; '.join(shown)}{more} (rule {each.rule})")
    if not full and len(found) > _SHOWN_FAILURES:
        counts = Counter(str(assessment.verdict) for _, assessment in found)
        told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items()))
        console.tell(f"  {len(found)} in all: {told}; --full shows each")


def _show_remarks(outcomes: Iterable[Outcome], console: _Page, full: bool) -> None:
    found = [
        (each.subject, remark)
        for each in outcomes
        for remark in (*each.plan.remarks, *([each.remark] if each.remark else []))
    ]
    shown = found if full or len(found) <= _SHOWN_FAILURES else []
    for subject, remark in shown:
        console.tell(f"note: {subject}: {remark}")
    if len(found) > len(shown):
        console.tell(f"{len(found)} notes, such as {found[0][0]}: {found[0][1]}; --full shows each")


def _show_halts(outcomes: Iterable[Outcome], console: _Page) -> None:
    for halt in dict.fromkeys(each.halt for each in outcomes if each.halt):
        console.tell(f"Held back: {halt}", "bold red")
        if isinstance(halt, Hold):
            console.tell(
                f"  to let go: `ecr-steward release-brake {halt.rule}` if a deployed steward's state counts here, "
                "else a larger `brake` in the rulebook"
            )


def _show_failures(outcome: SweepOutcome, console: _Page, full: bool) -> None:
    if not outcome.failures:
        return
    console.print(Text("Failed", style="bold red"))
    for group in grouped(outcome.failures):
        count = len(group.subjects)
        place = f"{group.registry}: " if group.registry else ""
        console.tell(f"  {place}{group.why}", "red")
        shown = group.subjects if full else group.subjects[:_SHOWN_SUBJECTS]
        more = f" and {count - len(shown)} more; --full shows each" if count > len(shown) else ""
        console.tell(f"      {f'{count} times: ' if count > 1 else ''}{', '.join(shown)}{more}", "dim")


def _show_end(outcome: SweepOutcome, console: _Page, is_past: bool) -> None:
    marks = Counter(mark_of(step) for each in outcome.outcomes if not _aside(each) for step in each.plan.steps)
    looked_at = f"{outcome.repositories} {'repository' if outcome.repositories == 1 else 'repositories'} looked at"
    if marks:
        told = ", ".join(_told(marks[mark], verb, is_past) for mark, verb in _MARKS.items())
        line = f"{'Done' if is_past else 'Plan'}: {told}."
    else:
        line = "Nothing was done." if is_past else "No changes."
    counts = summary_of(outcome.outcomes)
    if counts["held_back"]:
        line += f" {counts['held_back']} held back."
    if counts["only_reported"]:
        line += f" {counts['only_reported']} more would be done if their rules enforced."
    console.print(Text(f"{line} {looked_at}.", style="bold"))
    if not outcome.repositories and not outcome.failures:
        console.print("note: no repository is there, or none that --repository names")


def _told(count: int, verb: str, is_past: bool) -> str:
    past = {"add": "added", "change": "changed", "remove": "removed"}[verb]
    return f"{count} {past}" if is_past else f"{count} to {verb}"
