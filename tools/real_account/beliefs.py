"""What is believed about AWS, and how an observation compares with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a belief came out."""

    AS_BELIEVED = "as believed"
    NOT_AS_BELIEVED = "not as believed"
    NOT_TRIED = "could not be tried"
    NOT_LOOKED_AT = "not looked at"


@dataclass(frozen=True)
class Belief:
    """A statement about AWS that the project builds on; `expected` is what is observed where it is true."""

    id: str
    statement: str
    source: str
    expected: str


@dataclass(frozen=True)
class Observation:
    """What was observed of a belief: a value to compare, and details for a reader."""

    belief: Belief
    value: str
    detail: str = ""


@dataclass(frozen=True)
class Finding:
    """A belief with its verdict. `observed` is empty where nothing was; `why` says why, or gives details."""

    belief: Belief
    verdict: Verdict
    observed: str = ""
    why: str = ""


def judge(observation: Observation) -> Finding:
    """Compare an observation with its belief."""
    same = observation.value == observation.belief.expected
    verdict = Verdict.AS_BELIEVED if same else Verdict.NOT_AS_BELIEVED
    return Finding(observation.belief, verdict, observation.value, observation.detail)


def without_observation(
    beliefs: Iterable[Belief], findings: Iterable[Finding], verdict: Verdict, why: str
) -> tuple[Finding, ...]:
    """A finding with this verdict for each belief that has none yet."""
    known = {finding.belief.id for finding in findings}
    return tuple(Finding(belief, verdict, why=why) for belief in beliefs if belief.id not in known)


def counts(findings: Iterable[Finding]) -> Mapping[Verdict, int]:
    """How many findings have each verdict."""
    found = [finding.verdict for finding in findings]
    return {verdict: found.count(verdict) for verdict in Verdict}
