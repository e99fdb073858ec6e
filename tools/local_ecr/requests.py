"""What was asked of us: one line per request, so that a test can say "not one mutating call was made"."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime

_READING_VERBS = ("Get", "List", "Describe", "BatchGet", "BatchCheck", "Validate", "Ping")


@dataclass(frozen=True)
class Request:
    """One request as it was answered. `account` and `region` are of the registry that was addressed."""

    time: datetime
    service: str
    operation: str
    account: str
    region: str
    principal: str
    mutating: bool
    status: int
    user_agent: str


def is_mutating(operation: str) -> bool:
    """Whether an operation changes a registry, by the verb that its name begins with."""
    return not operation.startswith(_READING_VERBS)


class RequestLog:
    """The last `limit` requests, oldest first; safe to read and write from any thread."""

    def __init__(self, limit: int = 100_000) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Request] = deque(maxlen=limit)

    def record(self, request: Request) -> None:
        with self._lock:
            self._entries.append(request)

    def entries(self) -> list[Request]:
        with self._lock:
            return list(self._entries)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
