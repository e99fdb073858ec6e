"""What was asked of us: one line per request, so that a test can say "not one mutating call was made"; and by whom."""

from __future__ import annotations

import threading
import uuid
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from starlette.requests import HTTPConnection

from local_ecr.access.keys import RequestFacts
from local_ecr.hosts import is_aws_name

REQUEST_ID_HEADER = "x-amzn-RequestId"
_FACTS = "local_ecr.facts"

MAX_HEADER = 1024
"""So much of a header is remembered: what CloudTrail has of a user agent ("CloudTrail record contents")."""

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
    request_id: str = ""
    """What the answer's `x-amzn-RequestId` said; `DecisionLog.why` takes it."""


def facts_of(connection: HTTPConnection) -> RequestFacts:
    """What is known of a request from the outside. Its id is made when it is first asked for, and stays."""
    facts: RequestFacts | None = connection.scope.get(_FACTS)
    if facts is None:
        headers, client = connection.headers, connection.client
        facts = connection.scope[_FACTS] = RequestFacts(
            id=str(uuid.uuid4()),
            source_ip=client.host if client else "127.0.0.1",
            user_agent=headers.get("user-agent", "")[:MAX_HEADER],
            referer=headers.get("referer", "")[:MAX_HEADER],
            is_by_aws_name=is_aws_name(headers.get("host", "")),
        )
    return facts


def is_mutating(operation: str) -> bool:
    """Whether an operation changes a registry, by the verb that its name begins with."""
    return not operation.startswith(_READING_VERBS)


class ForgottenRequestsError(LookupError):
    """The log was asked for more than it still has."""


class RequestLog:
    """The last `limit` requests, oldest first; safe to read and write from any thread."""

    def __init__(self, limit: int = 100_000) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Request] = deque(maxlen=limit)
        self._recorded = 0

    def record(self, request: Request) -> None:
        with self._lock:
            self._entries.append(request)
            self._recorded += 1

    def entries(self) -> list[Request]:
        with self._lock:
            return list(self._entries)

    def mark(self) -> int:
        """This moment, for `since`: how many requests there have been in all."""
        with self._lock:
            return self._recorded

    def since(self, mark: int) -> list[Request]:
        """Every request after a moment.

        Raises ForgottenRequestsError when some of them are gone: "none of them changed anything" would be no answer.
        """
        with self._lock:
            forgotten = self._recorded - len(self._entries)
            if mark < forgotten:
                raise ForgottenRequestsError(f"{forgotten - mark} requests since then are no longer in the log")
            return list(islice(self._entries, mark - forgotten, None))

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()
