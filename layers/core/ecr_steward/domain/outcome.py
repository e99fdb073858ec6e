"""Outcomes: what a job planned, and what it did about it."""

from dataclasses import dataclass, replace

from ecr_steward.domain.brake import Hold
from ecr_steward.domain.missed_events import MissedEvent
from ecr_steward.domain.pause import Pause
from ecr_steward.domain.plan import NOTHING, Plan
from ecr_steward.domain.rules import Mode
from ecr_steward.domain.verdict import Assessment
from ecr_steward.errors import StewardError


@dataclass(frozen=True)
class Lag:
    """How far a destination was behind the push of an image."""

    destination: str
    """The registry, as people write it."""
    seconds: float
    """From the push until now, when the copy has just arrived, or is still under way."""


@dataclass(frozen=True)
class Outcome:
    """What a job found and did for one subject."""

    subject: str
    """The image or repository, as people write it."""
    rule: str | None = None
    mode: Mode = Mode.OBSERVE
    plan: Plan = NOTHING
    applied: bool = False
    """Whether the plan's steps were carried out; in mode ``observe`` they never are."""
    remark: str | None = None
    """Why there was nothing to do, where a reader would wonder."""
    assessment: Assessment | None = None
    """What the rule says about the image's scans, where that was the question."""
    error: StewardError | None = None
    """What ended this job before its plan was done. Others of the same event went on."""
    halt: Pause | Hold | None = None
    """Why the plan was not carried out, or not to its end, although its rule would."""
    changed_by: str | None = None
    """Whose change this job answers, where an event says so."""
    lag: Lag | None = None
    """Of an image that this job has brought to a destination, where that tells something."""

    def carried_out(self, halt: Pause | Hold | None) -> "Outcome":
        """The outcome of the same plan, now that it is done, unless something has halted it."""
        return replace(self, applied=halt is None, halt=halt)

    def remarking(self, remark: str) -> "Outcome":
        """The same outcome with a remark."""
        return replace(self, remark=remark)


@dataclass(frozen=True)
class CredentialOutcome(Outcome):
    """What a job found and did for one credential of the rulebook.

    ``rule`` is the credential's name. Credentials have no mode: an entry is there only to be kept fresh.
    """

    mode: Mode = Mode.ENFORCE


@dataclass(frozen=True)
class SweepFailure:
    """Something that a sweep could not look at or mend."""

    subject: str
    """The registry, repository, image or copy, as people write it."""
    why: str
    may_pass: bool = False
    """Whether trying again may mend it, as after a throttle."""

    def __str__(self) -> str:
        return f"{self.subject}: {self.why}"


@dataclass(frozen=True)
class SweepOutcome:
    """What a sweep found over all repositories."""

    outcomes: tuple[Outcome, ...]
    """Of the repositories and images for which something was planned, or whose verdict is worth telling."""
    repositories: int
    requested: int
    """Copy jobs put on the replication queue."""
    failures: tuple[SweepFailure, ...] = ()
    parts: int = 0
    """Parts put on the sweep's queue, where this outcome is that of cutting it."""
    joined: int = 0
    """Repositories that an earlier sweep is still at work on, and which were left to it."""
    later: tuple[SweepFailure, ...] = ()
    """What failed for now: those repositories are back on the queue."""
    lags: tuple[Lag, ...] = ()
    """The longest one of each destination, of the images that ECR's own replication has not brought there yet."""
    missed: tuple[MissedEvent, ...] = ()
    """Events that should have had done what the sweep did, or asked for."""
