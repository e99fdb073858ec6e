"""How fast requests of one kind go to one server: as fast as it takes them."""

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ecr_steward.adapters.budget import Budget, Kind

SLOWEST = 2.0
"""Seconds between two requests of a kind, at most: a server that wants more says so by ``Retry-After``."""
FIRST_SHARE = 1 / 8
"""Of the pause that a refusal asked for: the distance that requests of this kind keep from then on."""
RECOVERY = 0.9
"""What of a distance is left after each request that was taken."""
FASTEST = 0.005
"""Seconds: a smaller distance is none."""


@dataclass
class _Lane:
    """Requests of one kind."""

    distance: float = 0.0
    least: float = 0.0
    """What the distance never falls below."""
    free_at: float = 0.0
    closed_until: float = 0.0
    """When the last refusal allows another request."""


@dataclass
class Limiter:
    """Shared by all threads of a transport, and by one job after the other: what a server takes is no matter of a job.

    After a 429 or 503 all requests of that kind wait as long as the server said, and keep a distance afterwards, which
    doubles with each further refusal and shrinks with each request that is taken. ``rates`` are those of operations
    that are known to be limited, in requests a second, whichever server they go to.
    """

    rates: Mapping[str, float] = field(default_factory=dict)
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], object] = time.sleep

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._lanes: dict[Kind, _Lane] = defaultdict(_Lane)

    def wait(self, kind: Kind, budget: Budget) -> None:
        """Wait until it is this request's turn. Raises OutOfTimeError at once where that is after its job's time.

        Raises ThrottledError for a server that has refused for too long what it wants to be asked again at once.
        """
        with self._lock:
            lane = self._lanes[kind]
            if rate := self.rates.get(kind[1]):
                lane.least = 1 / rate
            now = self.now()
            turn = max(lane.free_at, lane.closed_until, now)
            budget.require_sense(kind, turn)
            budget.require(turn - now)
            if distance := max(lane.distance, lane.least):
                lane.free_at = turn + distance
        if turn > now:
            self.sleep(turn - now)
        while (closed := lane.closed_until - self.now()) > 0:  # another request was refused meanwhile
            budget.require_sense(kind, self.now() + closed)
            budget.require(closed)
            self.sleep(closed)

    def refused(self, kind: Kind, pause: float, *, at_once: Budget | None = None) -> None:
        """A request was refused for now; after so many seconds it may be made again.

        ``at_once`` is what its job may spend, where the server named no such pause and wants it again at once.
        """
        if at_once is not None:
            at_once.refused_at_once(kind, self.now())
        with self._lock:
            lane = self._lanes[kind]
            now = self.now()
            is_first = lane.closed_until <= now  # of many that were under way one says it all
            lane.closed_until = max(lane.closed_until, now + pause)
            if is_first:
                lane.distance = min(max(2 * lane.distance, FIRST_SHARE * pause), SLOWEST)

    def taken(self, kind: Kind) -> None:
        """A request was answered, whatever the answer is."""
        with self._lock:
            lane = self._lanes[kind]
            lane.distance *= RECOVERY
            if lane.distance < FASTEST:
                lane.distance = 0.0
