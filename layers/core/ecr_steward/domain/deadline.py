"""When what is under way has to end."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from ecr_steward.errors import OutOfTimeError


@dataclass(frozen=True)
class Deadline:
    """When an invocation, or a part of it, has to have ended: nothing is begun that cannot end before."""

    seconds_left: Callable[[], float]

    def has(self, seconds: float) -> bool:
        """Whether more than so many seconds are left."""
        return self.seconds_left() > seconds

    def require(self, seconds: float = 0.0) -> None:
        """Raises OutOfTimeError where so many seconds, or fewer, are left."""
        if not self.has(seconds):
            raise OutOfTimeError("the time of this invocation is over")

    def before(self, seconds: float) -> "Deadline":
        """An earlier one, which leaves so many seconds for what follows."""
        return Deadline(lambda: self.seconds_left() - seconds)


NEVER = Deadline(lambda: math.inf)
"""Of a command: its time has no limit."""
