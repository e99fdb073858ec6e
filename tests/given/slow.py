"""What answers slowly, by a clock of its own."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ecr_steward.errors import OutOfTimeError

LAST_SECONDS = 30.0
"""In which the adapters ask nothing any more (``adapters.clients``)."""


@dataclass
class Slow:
    """A registry whose every answer takes so long by its own clock, and which refuses as the adapters do."""

    seconds: float
    now: float = 0.0
    ends_at: float = 0.0
    answers: Counter[str] = field(default_factory=Counter)

    def get_remaining_time_in_millis(self) -> int:
        return int((self.ends_at - self.now) * 1000)

    function_name = "a-function"
    aws_request_id = "8a1b2c3d-0000-0000-0000-000000000000"

    def answer(self, method: str) -> None:
        if self.ends_at - self.now <= LAST_SECONDS:
            raise OutOfTimeError("the time of this invocation is over")
        self.now += self.seconds
        self.answers[method] += 1

    def invoke(self, handler: Callable[[Any, Any], Any], event: Any, timeout: float) -> Any:
        """Invoke a function, which Lambda would end after its timeout."""
        self.ends_at = self.now + timeout
        answer = handler(event, self)
        assert self.now < self.ends_at
        return answer
