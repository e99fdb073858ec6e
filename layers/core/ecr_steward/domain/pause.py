"""The pause: a person's word that for now nothing is to be changed, whatever the rulebook says."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Pause:
    """Who paused everything, since when and why."""

    who: str
    why: str
    since: datetime

    def __str__(self) -> str:
        return f"paused by {self.who} since {self.since:%Y-%m-%d %H:%M} UTC: {self.why}"
