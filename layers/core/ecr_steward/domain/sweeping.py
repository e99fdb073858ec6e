"""The parts of a sweep: what one message of its queue asks for."""

import re
from dataclasses import dataclass
from datetime import timedelta

from ecr_steward.domain.names import RegistryRef

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_CRON = re.compile(r"cron\((.+)\)")
_MONTH = timedelta(days=31)


def interval_of(schedule: str) -> timedelta:
    """How long it is from one sweep to the next, at most: of ``rate(1 hour)`` or another expression of a schedule.

    One by the calendar says of itself whether it is each day's; else it is taken for monthly.
    """
    if rate := _RATE.fullmatch(schedule):
        return int(rate[1]) * timedelta(**{f"{rate[2]}s": 1})
    cron = _CRON.fullmatch(schedule)
    days = cron[1].split()[2:5] if cron else []  # day of the month, month, day of the week
    return timedelta(days=1) if len(days) == 3 and set(days) <= {"*", "?"} else _MONTH


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
    """How often what is left of it was put back on the queue."""

    def __str__(self) -> str:
        return f"{len(self.repositories)} repositories of {self.registry}"
