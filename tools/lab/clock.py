"""A clock for whatever asks for the time."""

from dataclasses import dataclass
from datetime import datetime


@dataclass
class SettableClock:
    """A clock that a test sets. It does not go by itself."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now
