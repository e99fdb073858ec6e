"""Runs a case through the code that the functions run, and says where the plan is not what the case expects."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ecr_steward.domain.names import AnyRepository, ImageRef, OtherRepository, RepositoryRef
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.plan import Step
from ecr_steward.domain.repositories import Repository
from ecr_steward.domain.rules import Governing, Mode, Rules
from ecr_steward.domain.scans import Verdict
from ecr_steward.errors import InvalidNameError
from ecr_steward.usecases.governing import governing_rules
from ecr_steward.usecases.sweep_repository import Swept, sweep_repository
from ecr_steward_cli.testing.model import NONE, Case, Expect, ExpectedStep, snake_case
from ecr_steward_cli.testing.world import EventError, World, world_of


@dataclass(frozen=True)
class Found:
    """What the rules make of the facts of a case."""

    world: World
    governing: Governing
    swept: Swept

    @property
    def steps(self) -> list[Step]:
        """Of the repository itself."""
        return [step for step in self._all_steps if self._is_here(step)]

    @property
    def copies(self) -> list[str]:
        """The repositories that something is copied to."""
        return sorted({str(place) for step in self._all_steps if (place := place_of(step)) and not self._is_here(step)})

    @property
    def violations(self) -> list[str]:
        """Why each is one."""
        return [violation.why for outcome in self._outcomes for violation in outcome.plan.violations]

    @property
    def modes(self) -> set[str]:
        """Of all that is planned, or of what covers the repository where nothing is."""
        planned = {outcome.mode.value for outcome in self._outcomes}
        governing = self.governing
        sections = [governing.image_tags, governing.scan, governing.replicate, *governing.settings]
        return planned or {rule.mode.value for rule in sections if rule is not None}

    @property
    def verdict(self) -> str:
        """The gravest verdict; ``none`` where no rule judges."""
        if self.governing.scan is None:
            return NONE
        found = {outcome.assessment.verdict for outcome in self._outcomes if outcome.assessment}
        return next((each for each in (Verdict.FAIL, Verdict.WAIT) if each in found), Verdict.PASS).value

    @property
    def verdict_reasons(self) -> list[str]:
        """Why images do not pass."""
        assessments = [outcome.assessment for outcome in self._outcomes if outcome.assessment]
        return [reason for each in assessments for reason in each.reasons]

    @property
    def _outcomes(self) -> Sequence[Outcome]:
        return self.swept.outcomes

    @property
    def _all_steps(self) -> list[Step]:
        return [step for outcome in self._outcomes for step in outcome.plan.steps]

    def _is_here(self, step: Step) -> bool:
        return place_of(step) in {None, self.world.repository}


def place_of(step: Step) -> AnyRepository | None:
    """The repository that a step changes; ``None`` for one that changes none."""
    for name in ("destination", "repository"):
        place = getattr(step, name, None)
        if isinstance(place, RepositoryRef | OtherRepository):
            return place
    image = getattr(step, "image", None)
    return image.repository if isinstance(image, ImageRef) else None


def find(case: Case, rules: Rules, folder: Path) -> Found:
    """Plan what the rules would do. Raises EventError and InvalidNameError."""
    world = world_of(case, folder)
    if case.given.settings == "as_ruled":
        _bring_settings_about(world, rules)
    governing = governing_rules(world.repository, rules, world.hands.registry)
    return Found(world, governing, sweep_repository(Repository.unread(world.repository), rules, world.hands))


def _bring_settings_about(world: World, rules: Rules) -> None:
    """Give the repository the settings that its rules want, whatever their mode."""
    enforcing = replace(rules, rules=tuple(replace(rule, mode=Mode.ENFORCE) for rule in rules.rules))
    if enforcing.defaults is not None:
        enforcing = replace(enforcing, defaults=replace(enforcing.defaults, mode=Mode.ENFORCE))
    hands = replace(world.hands, is_dry=False)
    sweep_repository(Repository.unread(world.repository), enforcing, hands, settings_only=True)


@dataclass(frozen=True)
class Result:
    """What became of a case."""

    case: Case
    reasons: tuple[str, ...]
    """Why it failed, each perhaps with further lines; none where it passed."""
    found: Found | None

    @property
    def has_passed(self) -> bool:
        return not self.reasons


def run(case: Case, rules: Rules, folder: Path) -> Result:
    """Run a case."""
    try:
        found = find(case, rules, folder)
    except (EventError, InvalidNameError) as error:
        return Result(case, (str(error),), None)
    return Result(case, tuple(_reasons(case.expect, found)), found)


def _reasons(expect: Expect, found: Found) -> Iterator[str]:
    yield from _governing_differs(expect, found)
    yield from (f"could not be planned: {failure}" for failure in found.swept.failures)
    if expect.nothing is True and (found.steps or found.copies or found.violations):
        yield _with_lines("expected nothing, but there is", [*_lines(found.steps), *found.copies, *found.violations])
    if expect.nothing is False and not (found.steps or found.copies or found.violations):
        yield "expected something to do, but there is nothing"
    yield from _steps_differ(expect, found)
    if expect.violations is not None:
        yield from _texts_differ("violation", expect.violations, found.violations)
    if expect.copies is not None and sorted(expect.copies) != found.copies:
        yield f"expected copies to {_listed(expect.copies)}, but they go to {_listed(found.copies)}"
    if expect.verdict is not None and expect.verdict != found.verdict:
        yield _with_lines(f"expected the verdict {expect.verdict}, but it is {found.verdict}", found.verdict_reasons)
    if expect.mode is not None and found.modes != {expect.mode}:
        yield f"expected the mode {expect.mode}, but it is {_listed(sorted(found.modes))}"


def _governing_differs(expect: Expect, found: Found) -> Iterator[str]:
    names = found.governing.names
    if expect.rules is not None and expect.rules != names:
        yield f"expected the rules {_listed(expect.rules)}, but {_listed(names)} cover {found.world.repository}"
    first = names[0] if names else NONE
    if expect.rule is not None and expect.rule != first:
        covers = f"`{first}` is the first that covers" if names else "no rule covers"
        yield f"expected the rule `{expect.rule}`, but {covers} {found.world.repository}"
    if not names and expect.rule is None and expect.rules is None:
        yield f"no rule covers {found.world.repository}: say `rule: {NONE}` where this is meant"


def _steps_differ(expect: Expect, found: Found) -> Iterator[str]:
    left = found.steps
    for wanted in (*(expect.steps or ()), *expect.includes):
        fitting = next((step for step in left if _fits(wanted, step)), None)
        if fitting is None:
            yield _with_lines(f"expected, but not planned: {_spelled(wanted)}; planned is", _lines(found.steps))
        else:
            left = [step for step in left if step is not fitting]
    if expect.steps is not None and left:
        yield _with_lines("planned, but not expected", _lines(left))


def _fits(wanted: ExpectedStep, step: Step) -> bool:
    return (
        snake_case(type(step).__name__) == wanted.step
        and (wanted.image_tag is None or getattr(step, "image_tag", None) == wanted.image_tag)
        and (wanted.rule is None or step.rule == wanted.rule)
        and (wanted.says is None or wanted.says in str(step))
        and (wanted.because is None or wanted.because in step.why)
    )


def _texts_differ(noun: str, wanted: Sequence[str], found: Sequence[str]) -> Iterator[str]:
    left = list(found)
    for text in wanted:
        fitting = next((each for each in left if text in each), None)
        if fitting is None:
            yield _with_lines(f"expected, but not found: the {noun} {text}; found is", found)
        else:
            left.remove(fitting)
    if left:
        yield _with_lines(f"a {noun} that is not expected", left)


def _lines(steps: Sequence[Step]) -> list[str]:
    return [f"{step} ({step.rule}: {step.why})" for step in steps]


def _spelled(wanted: ExpectedStep) -> str:
    said = wanted.model_dump(exclude_unset=True)
    return ", ".join(f"{key}: {value}" for key, value in said.items())


def _with_lines(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{title}:", *(f"  - {line}" for line in lines)]) if lines else f"{title}: nothing"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or NONE
