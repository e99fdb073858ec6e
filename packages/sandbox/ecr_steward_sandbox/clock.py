"""The sandbox's clock: the real one until somebody moves it forward, then this process lives in that later time.

time-machine replaces the clock functions of the interpreter itself, so that moto, local_ecr, boto3's signatures and
uvicorn follow, with whatever reference to them they hold. It leaves time.monotonic and time.perf_counter alone: waits,
timeouts and durations stay real. What does not follow is no Python: times of files, and SQLite's own date functions.
"""

from __future__ import annotations

import contextlib
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    import time_machine

LATEST = datetime(2200, 1, 1, tzinfo=UTC)  # far from the end of dates, which others add their days to

_DURATION = re.compile(r"([0-9]+)([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class ClockError(ValueError):
    """The clock cannot be moved like this."""


def parse_duration(text: str) -> timedelta:
    """What `90m`, `13h` or `30d` stand for; `s` for seconds. Raises ClockError."""
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ClockError(f"{text!r} is no duration; write a whole number and s, m, h or d, such as 90m, 13h or 30d")
    try:
        return timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})
    except (OverflowError, ValueError) as cause:  # ValueError: more digits than Python reads
        raise ClockError("the duration is too long") from cause


class SandboxClock:
    """Context manager. The time of the whole process; at its end the process is back in real time.

    Nothing is replaced while the offset is zero.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._offset = timedelta()
        self._traveller: time_machine.Traveller | None = None
        self._exit = contextlib.ExitStack()
        self._is_running = False

    def __enter__(self) -> Self:
        self._is_running = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._is_running = False
            self._offset, self._traveller = timedelta(), None
            self._exit.close()

    @property
    def now(self) -> datetime:
        """The sandbox's time."""
        return datetime.now(UTC)

    @property
    def offset(self) -> timedelta:
        """How far ahead of real time the sandbox is."""
        return self._offset

    def time_at(self, offset: timedelta) -> float:
        """Seconds since the epoch for somebody who is `offset` ahead of real time, such as a worker started before."""
        with self._lock:
            return time.time() + (offset - self._offset).total_seconds()

    def move(self, by: timedelta) -> None:
        """Let so much time pass at once. Raises ClockError: backwards, out of sight, or a clock that does not run."""
        if by < timedelta():
            raise ClockError(f"the clock only moves forward, not by {by}")
        with self._lock:
            if not self._is_running:  # whoever travelled then would never be brought back
                raise ClockError("the clock is moved while its sandbox runs")
            if by > LATEST - self.now:
                raise ClockError(f"the clock does not move beyond {LATEST:%Y-%m-%d}")
            if not by:
                return
            if self._traveller is None:
                self._traveller = self._exit.enter_context(_travel(by))
            else:
                self._traveller.shift(by)
            self._offset += by


def _travel(by: timedelta) -> time_machine.travel:
    import time_machine  # noqa: PLC0415 it imports pytest where that is installed; most sandboxes never travel

    # A timedelta, not a datetime: that would set this process's time zone as well.
    return time_machine.travel(by, tick=True)
