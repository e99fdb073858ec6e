"""The parts of a sweep: what one message of its queue asks for."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from ecr_steward.domain.names import Digest, RegistryRef, RepositoryRef

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((.+)\)")
_MONTH = timedelta(days=31)
_WEEK = timedelta(days=7)
_A_MONDAY = datetime(2024, 1, 1, tzinfo=UTC)


def interval_of(schedule: str) -> timedelta:
    """How long it is from one sweep to the next, at most: of ``rate(1 hour)`` or another expression of a schedule.

    One by the calendar says of itself whether it is each day's; else it is taken for monthly.
    """
    if rate := _RATE.fullmatch(schedule):
        return int(rate[1]) * timedelta(**{f"{rate[2]}s": 1})
    cron = _CRON.fullmatch(schedule)
    days = cron[1].split()[2:5] if cron else []  # day of the month, month, day of the week
    return timedelta(days=1) if len(days) == 3 and set(days) <= {"*", "?"} else _MONTH


def looks_deep(repository: RepositoryRef, now: datetime, every: timedelta) -> bool:
    """Whether the sweep of this moment takes nothing of a repository's copies on trust: one a week, each in its turn.

    Which one that is, the repository's name says, so that the reading of all is spread over the week.
    """
    share = int.from_bytes(hashlib.sha256(str(repository).encode()).digest()[:8]) / 2**64
    return (now - _A_MONDAY - share * _WEEK) % _WEEK < every


@dataclass(frozen=True)
class Cursor:
    """Where the sweep of a repository goes on."""

    job: str
    """Which of its jobs, by the name that ``usecases.sweep_repository`` gives it."""
    after: Digest | None = None
    """The image up to which that job is done, in the order of digests."""


@dataclass(frozen=True)
class SweepPart:
    """Some repositories of one registry, and perhaps the registry's own settings."""

    registry: RegistryRef
    repositories: tuple[str, ...]
    """Their names."""
    sweep: str
    """Which sweep it belongs to: all its parts share one brake."""
    settings_only: bool = False
    """Whether only the repositories' settings are looked at, as those of a registry that copies go to."""
    whole_registry: bool = False
    """Whether the settings of the registry itself are looked at, too."""
    hops: int = 0
    """How often in a row it was put back on the queue with nothing done."""
    number: str = "1"
    """Which part of its sweep it is: what one part cannot end becomes a part of its own."""
    cursor: Cursor | None = None
    """Where its one repository goes on."""

    @property
    def id(self) -> str:
        """What it is known by in its registry."""
        return f"{self.sweep} {self.number}"

    def __str__(self) -> str:
        return f"{len(self.repositories)} repositories of {self.registry}"
