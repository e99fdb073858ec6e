"""What one job, or one run of a command, may spend on registries: time, and requests that are made again."""

import threading
from collections.abc import Callable

from ecr_steward.adapters import limits
from ecr_steward.domain.deadline import NEVER, Deadline
from ecr_steward.errors import StewardError, ThrottledError

type Kind = tuple[str, str]
"""A server, and an operation such as ``ecr:PutImage``."""


class Budget:
    """Shared by all threads of a job, and by nothing else: what one job has used up, the next one has again."""

    def __init__(self, deadline: Deadline = NEVER, retries: float = limits.RETRIES) -> None:
        """After the ``deadline`` nothing is asked for or waited for any more."""
        self._deadline = deadline
        self._retries = retries
        self._at_once: dict[Kind, float] = {}
        """Since when requests of a kind are refused so, one after the other."""
        self._lock = threading.Lock()

    def left(self) -> float:
        """Seconds that are left."""
        return self._deadline.seconds_left()

    def require(self, seconds: float = 0.0) -> None:
        """Raises OutOfTimeError where a wait of so many seconds would end when the job's time is over."""
        self._deadline.require(seconds)

    def earn(self, kind: Kind) -> None:
        """A request was answered, which gives a part of a retry back."""
        with self._lock:
            self._at_once.pop(kind, None)
            self._retries = min(self._retries + limits.RETRY_EARNED, limits.RETRIES)

    def refused_at_once(self, kind: Kind, now: float) -> None:
        """A request was refused, and the server wants it again without a pause."""
        with self._lock:
            self._at_once.setdefault(kind, now)

    def require_sense(self, kind: Kind, then: float) -> None:
        """Raises ThrottledError where a server would be asked then that has refused the same at once for too long."""
        since = self._at_once.get(kind)
        if since is not None and then > since + limits.AT_ONCE_SECONDS:
            server, operation = kind
            raise ThrottledError(
                f"{server} refuses {operation}, and says each time that it may be asked again at once (Retry-After: 0)"
            )

    def may_retry(self) -> bool:
        """Whether there is a retry left. It counts as one."""
        with self._lock:
            if self._retries < 1:
                return False
            self._retries -= 1
            return True

    def within(self, seconds_left: Callable[[], float], too_slow: Callable[[], StewardError]) -> "Budget":
        """The same for a part of the job that has less time: ``too_slow`` says what is raised when that is over."""
        return _Part(self, seconds_left, too_slow)


class _Part(Budget):
    def __init__(self, whole: Budget, seconds_left: Callable[[], float], too_slow: Callable[[], StewardError]) -> None:
        super().__init__(Deadline(seconds_left))
        self._whole = whole
        self._too_slow = too_slow

    def left(self) -> float:
        return min(super().left(), self._whole.left())

    def require(self, seconds: float = 0.0) -> None:
        self._whole.require(seconds)
        if super().left() <= seconds:
            raise self._too_slow()

    def earn(self, kind: Kind) -> None:
        self._whole.earn(kind)

    def refused_at_once(self, kind: Kind, now: float) -> None:
        self._whole.refused_at_once(kind, now)

    def require_sense(self, kind: Kind, then: float) -> None:
        self._whole.require_sense(kind, then)

    def may_retry(self) -> bool:
        return self._whole.may_retry()
