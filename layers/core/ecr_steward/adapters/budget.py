"""What one job, or one run of a command, may spend on registries: time, and requests that are made again."""

import math
import threading
from collections.abc import Callable

from ecr_steward.adapters import limits
from ecr_steward.errors import OutOfTimeError


class Budget:
    """Shared by all threads of a job, and by nothing else: what one job has used up, the next one has again."""

    def __init__(self, seconds_left: Callable[[], float] | None = None, retries: float = limits.RETRIES) -> None:
        """``seconds_left`` until nothing is asked for or waited for any more; ``None`` where nobody ends the job."""
        self._seconds_left = seconds_left
        self._retries = retries
        self._lock = threading.Lock()

    def left(self) -> float:
        """Seconds that are left; infinitely many where nobody ends the job."""
        return self._seconds_left() if self._seconds_left else math.inf

    def require(self, seconds: float = 0.0) -> None:
        """Raises OutOfTimeError where a wait of so many seconds would end when the job's time is over."""
        if self.left() <= seconds:
            raise OutOfTimeError("the time of this invocation is over")

    def earn(self) -> None:
        """A request was answered, which gives a part of a retry back."""
        with self._lock:
            self._retries = min(self._retries + limits.RETRY_EARNED, limits.RETRIES)

    def may_retry(self) -> bool:
        """Whether there is a retry left. It counts as one."""
        with self._lock:
            if self._retries < 1:
                return False
            self._retries -= 1
            return True
