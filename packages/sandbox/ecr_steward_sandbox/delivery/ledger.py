"""What happened: events seen, deliveries tried, functions run. For tests, for people, for the control API."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

logger = logging.getLogger(__name__)

LIMIT = 100_000  # entries kept of each kind


class Fate(StrEnum):
    """How a delivery ended."""

    DELIVERED = "delivered"
    DEAD_LETTER = "dead letter"
    LOST = "lost"


@dataclass(frozen=True)
class BusEvent:
    """An event as it arrived on a bus."""

    bus_arn: str
    event: Mapping[str, Any]


@dataclass(frozen=True)
class Delivery:
    """One delivery from a source (rule, schedule, function or queue mapping, by ARN or id) to a target, by ARN."""

    time: datetime
    source: str
    target: str
    event_id: str
    attempts: int
    fate: Fate
    error_code: str = ""
    error_message: str = ""


@dataclass(frozen=True)
class Invocation:
    """One run of a function. `function` is its logical id, `payload` what it answered or its error document."""

    function: str
    event: Any
    request_id: str
    started: datetime
    seconds: float
    outcome: str  # "ok" or "error"
    payload: Any
    log: str
    attempt: int = 1


type Entry = BusEvent | Delivery | Invocation


class Ledger:
    """Thread-safe, oldest first.

    `listener` hears of every entry as it is made and must return at once. What it raises is logged and changes nothing:
    whoever looks on must not lose an event.
    """

    def __init__(self, listener: Callable[[Entry], None] = lambda _: None) -> None:
        self._lock = threading.Lock()
        self._arrived = threading.Condition(self._lock)
        self._event_count = 0
        self._entries: dict[type, deque[Any]] = {kind: deque(maxlen=LIMIT) for kind in (BusEvent, Delivery, Invocation)}
        self.listener = listener

    def record(self, entry: Entry) -> None:
        """Write it down."""
        with self._lock:
            self._entries[type(entry)].append(entry)
            if isinstance(entry, BusEvent):
                self._event_count += 1
                self._arrived.notify_all()
        try:
            self.listener(entry)
        except Exception:
            logger.exception("the listener failed at %s", type(entry).__name__)

    @property
    def events(self) -> list[BusEvent]:
        """Every event on every bus; one that is forwarded counts once per bus."""
        return self._copy(BusEvent)

    def events_after(self, position: int, timeout: float) -> tuple[list[BusEvent], int]:
        """Those that came after a position, 0 for all that are kept, and the position behind them.

        Waits for the first one, at most so many seconds.
        """
        with self._arrived:
            self._arrived.wait_for(lambda: self._event_count > position, timeout)
            kept = self._entries[BusEvent]
            return list(kept)[max(len(kept) - (self._event_count - position), 0) :], self._event_count

    @property
    def deliveries(self) -> list[Delivery]:
        """Every delivery that has ended."""
        return self._copy(Delivery)

    @property
    def invocations(self) -> list[Invocation]:
        """Every run of a function that has ended; a retry is one of its own."""
        return self._copy(Invocation)

    @property
    def lost(self) -> list[Delivery]:
        """Deliveries that ended nowhere: no dead-letter queue, or one that may not be written."""
        return [delivery for delivery in self.deliveries if delivery.fate is Fate.LOST]

    def _copy[T](self, kind: type[T]) -> list[T]:
        with self._lock:
            return list(self._entries[kind])
