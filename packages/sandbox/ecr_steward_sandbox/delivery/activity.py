"""What is under way, counted exactly, and the threads that do it.

A task is counted from the moment it is submitted, before anything of it is visible, until it has ended and whatever it
started is counted itself. So "nothing is counted" means that nothing will happen by itself.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

logger = logging.getLogger(__name__)

CLOSING_SECONDS = 10.0  # how long close() waits for running tasks; workers are killed before, so they end at once
LONGEST_NAP = 1.0  # seconds; how often a waiter looks for work that announces itself to nobody, such as a queue


class SandboxCrashError(RuntimeError):
    """The sandbox itself failed at something; its answers since then cannot be trusted."""


class Activity:
    """Counts what is under way."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way: dict[int, str] = {}
        self._tokens = itertools.count(1)
        self._begun = 0
        self._crash: BaseException | None = None

    def begin(self, what: str) -> int:
        """Count something; give the answer to end()."""
        with self._changed:
            token = next(self._tokens)
            self._begun += 1
            self._under_way[token] = what
            return token

    def end(self, token: int) -> None:
        """It is over."""
        with self._changed:
            del self._under_way[token]
            self._changed.notify_all()

    @contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """Count something for the length of a with block."""
        token = self.begin(what)
        try:
            yield
        finally:
            self.end(token)

    def crashed(self, error: BaseException) -> None:
        """Remember a failure of the sandbox itself; every later wait raises it."""
        logger.error("the sandbox failed", exc_info=error)
        with self._changed:
            self._crash = self._crash or error
            self._changed.notify_all()

    def wait_until_idle(
        self, timeout: float, waiting: Callable[[], Sequence[str]], then: Callable[[], object] = lambda: None
    ) -> None:
        """Return when nothing is under way and `waiting` names nothing either. Nothing begins while `then` runs.

        Raises TimeoutError that says what is under way, SandboxCrashError if the sandbox itself failed, and what `then`
        raises.
        """
        deadline = time.monotonic() + timeout
        while True:
            with self._changed:
                if self._crash is not None:
                    raise SandboxCrashError(f"the sandbox itself failed: {self._crash!r}") from self._crash
                begun, busy = self._begun, list(self._under_way.values())
            left_over = [] if busy else list(waiting())
            with self._changed:
                if not busy and not left_over and self._begun == begun:
                    then()
                    return
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    counted = Counter(busy or left_over)
                    what = "; ".join(f"{n} x {name}" if n > 1 else name for name, n in counted.most_common())
                    raise TimeoutError(f"still under way after {timeout:g} s: {what}")
                if self._begun == begun:
                    self._changed.wait(min(remaining, LONGEST_NAP if busy else 0.02))


class Work:
    """Runs tasks on at most `threads` threads, at once or after a delay, each counted in Activity."""

    def __init__(self, name: str, activity: Activity, threads: int) -> None:
        self._name = name
        self._activity = activity
        self._limit = threads
        self._threads: list[threading.Thread] = []
        self._sleeping = 0
        self._changed = threading.Condition()
        self._order = itertools.count()
        self._tasks: list[tuple[float, int, int, Callable[[], None]]] = []  # due, order, activity token, task
        self._closed = False

    def submit(self, what: str, task: Callable[[], None], *, after: float = 0.0) -> None:
        """Run the task, `after` seconds from now. A task given after close() is dropped."""
        token = self._activity.begin(what)
        with self._changed:
            if not self._closed:
                heapq.heappush(self._tasks, (time.monotonic() + after, next(self._order), token, task))
                # A sleeping thread that was notified counts as sleeping until it runs: compare, do not ask for any.
                if len(self._tasks) > self._sleeping and len(self._threads) < self._limit:
                    thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                    self._threads.append(thread)
                    thread.start()
                self._changed.notify()
                return
        self._activity.end(token)

    def close(self) -> None:
        """Drop what has not begun, wait for what has."""
        with self._changed:
            self._closed = True
            dropped, self._tasks = self._tasks, []
            self._changed.notify_all()
        for _, _, token, _ in dropped:
            self._activity.end(token)
        for thread in self._threads:
            thread.join(CLOSING_SECONDS)
            if thread.is_alive():
                raise SandboxCrashError(f"a task of {self._name} did not end within {CLOSING_SECONDS:g} s")

    def _run(self) -> None:
        while (due := self._next()) is not None:
            token, task = due
            try:
                task()
            except Exception as error:  # a bug of the sandbox: it must surface in every later wait
                self._activity.crashed(error)
            finally:
                self._activity.end(token)

    def _next(self) -> tuple[int, Callable[[], None]] | None:
        with self._changed:
            while not self._closed:
                wait = self._tasks[0][0] - time.monotonic() if self._tasks else None
                if wait is not None and wait <= 0:
                    _, _, token, task = heapq.heappop(self._tasks)
                    return token, task
                self._sleeping += 1
                try:
                    self._changed.wait(wait)
                finally:
                    self._sleeping -= 1
            return None
