"""What a LocalEcr does by itself: one thread that works off what changes left to do, and runs jobs that are due."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

logger = logging.getLogger(__name__)

LOOK_AGAIN = 1.0  # seconds; the clock is the caller's and may jump without a word
CLOSING_TIMEOUT = 10.0

Step = Callable[[], bool]
"""Does one piece of work, which nobody else is doing meanwhile; whether there was one."""

Job = Callable[[datetime], None]
"""Does what is due at this time of the clock."""


@dataclass
class _Periodic:
    interval: timedelta
    job: Job
    due: datetime


class Background:
    """One thread for all of it: steps and jobs never run at the same time, and none of them after close().

    A step that raises is logged and left until the next wake(), so nothing is tried for ever; a job that raises is
    logged and comes again after its interval.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._steps: list[Step] = []
        self._jobs: list[_Periodic] = []
        self._working = threading.Lock()
        self._changed = threading.Condition()
        self._has_work = True  # rows that an earlier process left
        self._is_busy = False
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="local-ecr-background", daemon=True)

    def work(self, step: Step) -> None:
        """Call `step` until it finds nothing: once after start() and after each wake(). Before start()."""
        self._steps.append(step)

    def every(self, interval: timedelta, job: Job) -> None:
        """Call `job(now)` each time that `interval` of the clock has passed, first after one interval. Before start().

        The clock may jump: whatever came due meanwhile is one call, and the next is due an interval after it, or after
        the time that the clock was put back to. What was due is looked at every second and in `run_due`. What has to
        survive a restart is the job's to remember: let it keep in a row when it did what, and look at the rows often.
        """
        self._jobs.append(_Periodic(interval, job, self._clock() + interval))

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """There may be something to do; returns at once. `Store.on_work` is this."""
        with self._changed:
            self._has_work = True
            self._changed.notify_all()

    def run_due(self) -> None:
        """Return when every job that is due by the clock has run; for whoever moves the clock."""
        with self._working:
            self._run_due()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """A with block in which nothing is done, for whoever wants to see what is under way. Waits for what runs."""
        with self._working:
            yield

    @property
    def is_idle(self) -> bool:
        """Whether nothing runs and nothing is left to do. A job may be due that nobody has looked at yet."""
        with self._changed:
            return self._is_done()

    def wait_until_idle(self, timeout: float = 30) -> None:
        """Return when nothing runs and nothing is left to do. Raises TimeoutError after `timeout` real seconds."""
        with self._changed:
            if not self._changed.wait_for(self._is_done, timeout):
                raise TimeoutError(f"work in the background is still under way after {timeout:g} s")

    def close(self) -> None:
        """End after the step or job that is under way; the rest stays in its rows for the next start."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(CLOSING_TIMEOUT)
            if self._thread.is_alive():
                raise TimeoutError("the background thread did not end")

    def _is_done(self) -> bool:
        return self._is_closed or not (self._has_work or self._is_busy)

    def _run(self) -> None:
        look_at = time.monotonic()
        while self._next(look_at):
            with self._working:
                self._work_off()
                self._run_due()
            look_at = time.monotonic() + LOOK_AGAIN

    def _next(self, look_at: float) -> bool:
        """Wait for work, or until it is time to look at the jobs; False when it is over."""
        with self._changed:
            self._is_busy = False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._has_work or self._is_closed, max(0.0, look_at - time.monotonic()))
            self._is_busy = True
            return not self._is_closed

    def _work_off(self) -> None:
        with self._changed:
            has_work, self._has_work = self._has_work, False
        for step in self._steps if has_work else ():
            try:
                while not self._is_closed and step():
                    pass
            except Exception:
                logger.exception("work in the background failed")

    def _run_due(self) -> None:
        for periodic in self._jobs:
            now = self._clock()
            periodic.due = min(periodic.due, now + periodic.interval)  # or a clock that was put back would stop it
            if self._is_closed or now < periodic.due:
                continue
            periodic.due = now + periodic.interval
            try:
                periodic.job(now)
            except Exception:
                logger.exception("a job in the background failed")
