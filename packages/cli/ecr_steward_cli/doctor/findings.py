"""What doctor says about one part of a stack."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Status(StrEnum):
    """How a part is."""

    OK = "ok"
    PROBLEM = "problem"
    NOT_LOOKED_AT = "not looked at"


@dataclass(frozen=True)
class Finding:
    """One answer of one check."""

    check: str
    """The id of the check, which stays the same in later versions."""
    status: Status
    subject: str
    """What it is about: a logical id of the template, or a name. Empty for all that the check looks at."""
    message: str
    do: str = ""
    """What a person can do about a problem, or about what could not be looked at."""


@dataclass(frozen=True)
class Unread:
    """A fact that could not be read."""

    reason: str
    do: str = ""


def unread(check: str, subject: str, fact: Unread) -> Finding:
    """The finding about a fact that could not be read."""
    return Finding(check, Status.NOT_LOOKED_AT, subject, fact.reason, fact.do)


def has_problem(findings: Iterable[Finding]) -> bool:
    """Whether something is wrong; what was not looked at is not."""
    return any(finding.status is Status.PROBLEM for finding in findings)
