"""Every decision about access, so that a person can see which statement let somebody in and what kept another out."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

from local_ecr.iam.calls import Call
from local_ecr.iam.decision import Judgement
from local_ecr.iam.explain import Evidence, explain

API = "api"
DISTRIBUTION = "/v2/"
BACKGROUND = "background"


@dataclass(frozen=True)
class AccessDecision:
    """One answer to "may this principal do this?"."""

    time: datetime
    face: str
    """`api` or `/v2/`: how the request came; `background`: the registry does it by itself."""
    principal: str
    """ARN, or the name of an AWS service."""
    action: str
    resource: str
    is_allowed: bool
    by: str
    """The statements that decided; empty when none applied."""
    why: str
    """Why not, in the words of the refusal; empty when allowed."""
    request_id: str = ""
    """`x-amzn-RequestId` of the request that it was made for; empty when there was none."""
    evidence: Evidence | None = field(default=None, repr=False, compare=False)
    """What it was made from, for `explanation`."""

    @classmethod
    def of(
        cls,
        time: datetime,
        face: str,
        call: Call,
        judgement: Judgement,
        *,
        request_id: str = "",
        evidence: Evidence | None = None,
    ) -> Self:
        """What was judged of a call."""
        name = call.principal.name if call.principal else ""
        return cls(
            time,
            face,
            name,
            call.action,
            call.resource,
            judgement.is_allowed,
            judgement.by,
            judgement.why,
            request_id,
            evidence,
        )

    def __str__(self) -> str:
        told = f"allowed {self.principal} {self.action} {self.resource} ({self.face}) by {self.by}"
        if self.is_allowed:
            return told
        by = f", {self.by}" if self.by else ""
        return f"refused {self.principal} {self.action} {self.resource} ({self.face}) {self.why}{by}"

    def explanation(self) -> list[str]:
        """The decision, and below it each policy that was looked at: what applied, and what one thing kept from it."""
        return [str(self), *(f"  {line}" for line in (explain(self.evidence) if self.evidence else ()))]


class UnknownRequestError(LookupError):
    """The log has no decision of a request."""


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

    def of_request(self, request_id: str) -> list[AccessDecision]:
        """All decisions of one request, in the order in which they were made."""
        return [one for one in self.entries() if one.request_id and one.request_id == request_id]

    def why(self, request_id: str) -> list[str]:
        """Lines that tell a person why a request was allowed or refused.

        The policies are read again as they were at that moment; nothing of it is worked out before somebody asks.
        Raises UnknownRequestError.
        """
        decisions = self.of_request(request_id)
        if not decisions:
            raise UnknownRequestError(
                f"no decision of request {request_id} is known: it asked for nothing that needs a permission, it was "
                f"refused before that, or it is older than the last {self._entries.maxlen} decisions"
            )
        return [line for decision in decisions for line in decision.explanation()]

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
