"""A plan as JSON: what ``plan --json`` prints, ``--out`` saves, and ``apply PLAN`` holds the facts against."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import singledispatch
from typing import Any, Final

from ecr_steward.domain.asked import Asked
from ecr_steward.domain.outcome import Outcome, SweepOutcome
from ecr_steward.domain.plan import Violation
from ecr_steward.domain.rules import Mode

SCHEMA_VERSION: Final = 1
"""Of the document. New keys do not change it."""
type Fingerprint = tuple[str, str, tuple[str, ...]]
"""A subject, the rule that asks, and the steps as texts: equal ones are one and the same plan."""


def document_of(outcome: SweepOutcome, scope: Mapping[str, Any]) -> dict[str, Any]:
    """The plan of a sweep. ``scope`` says of which rulebook and registries it is."""
    subjects = [_subject(each) for each in outcome.outcomes]
    return {
        "schema_version": SCHEMA_VERSION,
        **scope,
        "repositories": outcome.repositories,
        "summary": summary_of(outcome.outcomes),
        "subjects": subjects,
        "failures": [{"subject": failure.subject, "why": failure.why} for failure in outcome.failures],
    }


def summary_of(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """How many steps would be done, are only reported, or held back by a brake or a pause, and take something away.

    And how many violations there are.
    """
    counts = {"to_do": 0, "only_reported": 0, "held_back": 0, "destructive": 0, "violations": 0}
    for outcome in outcomes:
        steps = outcome.plan.steps
        fate = "only_reported" if outcome.mode is Mode.OBSERVE else "held_back" if outcome.halt else "to_do"
        counts[fate] += len(steps)
        counts["destructive"] += sum(step.is_destructive for step in steps if fate == "to_do")
        counts["violations"] += len(outcome.plan.violations)
    return counts


def _subject(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = {
        "subject": outcome.subject,
        "rule": outcome.rule,
        "mode": outcome.mode.value,
        "steps": [step_document(step) for step in outcome.plan.steps],
    }
    if outcome.plan.violations:
        found["violations"] = [_violation(violation) for violation in outcome.plan.violations]
    of_verdict = outcome.assessment.remarks if outcome.assessment else ()
    if remarks := [*outcome.plan.remarks, *of_verdict, *([outcome.remark] if outcome.remark else [])]:
        found["remarks"] = remarks
    if outcome.halt:
        found["held_back"] = str(outcome.halt)
    if outcome.assessment:
        found["verdict"] = str(outcome.assessment.verdict)
        found["reasons"] = list(outcome.assessment.reasons)
        found["waived"] = list(outcome.assessment.waived)
    return found


def step_document(step: Asked) -> dict[str, Any]:
    """A step: what kind it is, what a person reads, and each of its values."""
    said = {"step": type(step).__name__, "what": str(step), "destructive": step.is_destructive}
    return said | {each.name: plain(getattr(step, each.name)) for each in fields(step)}


def _violation(violation: Violation) -> dict[str, Any]:
    return {"what": str(violation.subject), "why": violation.why, "image_tag": violation.image_tag}


@singledispatch
def plain(value: Any) -> Any:
    """A value of the domain as JSON has it. Names are texts, as people write them; sets are sorted."""
    if is_dataclass(value) and "__str__" not in vars(type(value)):
        return {each.name: plain(getattr(value, each.name)) for each in fields(value)}
    return str(value)


@plain.register(str | int | float | None)
def _(value: Any) -> Any:
    return value.value if isinstance(value, Enum) else value


@plain.register
def _(value: Mapping) -> Any:  # type: ignore[type-arg]
    return {str(key): plain(each) for key, each in value.items()}


@plain.register(list | tuple)
def _(value: Any) -> Any:
    return [plain(each) for each in value]


@plain.register(set | frozenset)
def _(value: Any) -> Any:
    return sorted(map(plain, value), key=str)


def fingerprints(outcomes: Iterable[Outcome]) -> Iterator[Fingerprint]:
    """Of each subject that something would be done about: its rule, and its steps as texts that compare."""
    for each in outcomes:
        if each.plan.steps and each.mode is Mode.ENFORCE:
            yield each.subject, each.rule or "", tuple(map(_text, map(step_document, each.plan.steps)))


def saved_fingerprints(document: Mapping[str, Any]) -> Iterator[Fingerprint]:
    """The same of a document."""
    for each in document["subjects"]:
        if each["steps"] and each["mode"] == Mode.ENFORCE.value:
            yield each["subject"], each["rule"] or "", tuple(map(_text, each["steps"]))


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
