"""Time as a run sees it: a clock, a sleeper, and the deadline of the step that runs."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class BudgetSpentError(Exception):
    """The time of a step is over."""


@dataclass
class Pace:
    """A clock and a sleeper, which tests replace."""

    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    sleep: Callable[[float], object] = time.sleep
    deadline: datetime = _NEVER

    def seconds_left(self) -> float:
        """Seconds until the deadline. Raises BudgetSpentError where there are none."""
        left = (self.deadline - self.now()).total_seconds()
        if left <= 0:
            raise BudgetSpentError("its time was over")
        return left

    def wait(self, seconds: float) -> None:
        """Sleep, in pieces of at most a minute. Raises BudgetSpentError at the deadline."""
        end = self.now() + timedelta(seconds=seconds)
        while (left := (end - self.now()).total_seconds()) > 0:
            self.sleep(min(left, 60.0, self.seconds_left()))

    def until[T](self, ask: Callable[[], T], seconds: float, every: float = 2.0) -> T:
        """Ask until the answer is true or the seconds are over; the last answer. Raises BudgetSpentError."""
        end = self.now() + timedelta(seconds=seconds)
        while not (answer := ask()) and self.now() < end:
            self.wait(every)
        return answer
