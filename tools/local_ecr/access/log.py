"""Every decision about access, so that a person can see which statement let somebody in and what kept another out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from local_ecr.access.decision import Judgement
from local_ecr.access.policies import Call

API = "api"
DISTRIBUTION = "/v2/"


@dataclass(frozen=True)
class AccessDecision:
    """One answer to "may this principal do this?"."""

    time: datetime
    face: str
    """`api` or `/v2/`: how the request came."""
    principal: str
    """ARN."""
    action: str
    resource: str
    is_allowed: bool
    by: str
    """The statements that decided; empty when none applied."""
    why: str
    """Why not, in the words of the refusal; empty when allowed."""

    @classmethod
    def of(cls, time: datetime, face: str, call: Call, judgement: Judgement) -> Self:
        """What was judged of an IAM identity's call."""
        name = call.principal.name if call.principal else ""
        return cls(time, face, name, call.action, call.resource, judgement.is_allowed, judgement.by, judgement.why)

    def __str__(self) -> str:
        told = f"allowed {self.principal} {self.action} {self.resource} ({self.face}) by {self.by}"
        if self.is_allowed:
            return told
        by = f", {self.by}" if self.by else ""
        return f"refused {self.principal} {self.action} {self.resource} ({self.face}) {self.why}{by}"


def tell_nobody(decision: AccessDecision) -> None:
    """A listener that wants nothing."""


class DecisionLog:
    """The last `limit` decisions, oldest first; safe to use from any thread. `listener` hears of each, and is quick."""

    def __init__(self, limit: int = 10_000, listener: Callable[[AccessDecision], None] = tell_nobody) -> None:
        self._lock = threading.Lock()
        self._entries: deque[AccessDecision] = deque(maxlen=limit)
        self._listener = listener

    def record(self, decision: AccessDecision) -> None:
        with self._lock:
            self._entries.append(decision)
        self._listener(decision)

    def entries(self) -> list[AccessDecision]:
        with self._lock:
            return list(self._entries)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
