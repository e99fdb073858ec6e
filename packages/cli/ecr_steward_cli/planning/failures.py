"""Failures of a plan as people read them: one paragraph for each account and cause, and what it concerns."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from ecr_steward.domain.outcome import SweepFailure

_REGISTRY: Final = re.compile(r"\b([0-9]{12}/[a-z]{2,4}(?:-[a-z]+)+-[0-9]{1,2})\b")
_DIGEST: Final = re.compile(r"sha(?:256|512):[0-9a-f]{64,128}")
_LOCATION: Final = re.compile(r"^(?:[0-9]{12}/[a-z0-9-]+/|[a-z0-9.-]+(?:\.[a-z]+|:[0-9]+)/)?(?P<name>[^@:]+)")
_SHOWN_DIGITS: Final = 12
"""Of a digest, as Docker shortens it."""


@dataclass
class FailureGroup:
    """Failures that have one cause in one registry."""

    registry: str
    """Such as ``222233334444/us-east-1``; empty where the failure names none."""
    why: str
    """The first failure's own words."""
    subjects: list[str] = field(default_factory=list)


def grouped(failures: Iterable[SweepFailure]) -> list[FailureGroup]:
    """Group failures that differ only in the repository or image they name, the largest group first."""
    groups: dict[tuple[str, str], FailureGroup] = {}
    for failure in failures:
        registry = _registry_of(failure)
        group = groups.setdefault((registry, _cause(failure)), FailureGroup(registry, failure.why))
        group.subjects.append(_short(failure.subject))
    return sorted(groups.values(), key=lambda group: -len(group.subjects))


def _registry_of(failure: SweepFailure) -> str:
    """The registry that refused, which the reason names; else the one of the subject."""
    found = _REGISTRY.search(failure.why) or _REGISTRY.search(failure.subject)
    return found[1] if found else ""


def _cause(failure: SweepFailure) -> str:
    """The reason without what is particular to its subject."""
    cause = _DIGEST.sub("*", failure.why)
    for place in failure.subject.split(" to "):
        if found := _LOCATION.match(place):
            cause = re.sub(rf"(?<![\w.-]){re.escape(found['name'])}(?![\w/-])", "*", cause)
    return cause


def _short(subject: str) -> str:
    return _DIGEST.sub(lambda digest: digest[0][: len("sha256:") + _SHOWN_DIGITS], subject)
