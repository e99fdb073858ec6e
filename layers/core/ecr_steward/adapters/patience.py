"""How often a request is made again, and after which pause."""

from types import TracebackType
from typing import Any, Self

from urllib3.connectionpool import ConnectionPool
from urllib3.exceptions import InvalidHeader, MaxRetryError, ProxyError, ResponseError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Retry

from ecr_steward.adapters import limits
from ecr_steward.adapters.budget import Budget, Kind
from ecr_steward.adapters.limiter import Limiter

THROTTLED = frozenset({429, 503})
_TOO_LONG = "the wait that the registry asks for is too long"
_NO_RETRY_LEFT = "too many requests have failed before"


class Patience(Retry):
    """Waits as ``Retry-After`` says, for so many seconds in all, and leaves the bodies of refusals unread.

    With a limiter all requests of a kind wait where one is refused. All requests of a job together have so many
    retries, and none is begun whose pause would end after the job's time.
    """

    waited: float = 0
    limiter: Limiter | None = None
    kind: Kind = ("", "")
    budget: Budget | None = None

    def new(self, **changes: Any) -> Self:
        made = super().new(**changes)
        made.limiter, made.kind, made.budget = self.limiter, self.kind, self.budget
        return made

    def of(self, limiter: Limiter, kind: Kind, budget: Budget) -> Self:
        """The same for requests of a kind and a job."""
        made = self.new()
        made.limiter, made.kind, made.budget = limiter, kind, budget
        return made

    def increment(
        self,
        method: str | None = None,
        url: str | None = None,
        response: BaseHTTPResponse | None = None,
        error: Exception | None = None,
        _pool: ConnectionPool | None = None,
        _stacktrace: TracebackType | None = None,
    ) -> Self:
        if isinstance(error, ProxyError) and refuses_the_tunnel(error) and _pool is not None:
            raise MaxRetryError(_pool, url, error)
        pause = (response is not None and self.get_retry_after(response)) or 0
        if _pool is not None and self.waited + pause > limits.RETRY_AFTER_SECONDS:
            raise MaxRetryError(_pool, url, ResponseError(_TOO_LONG))
        if self.total and _pool is not None and self.budget is not None and not self.budget.may_retry():
            raise MaxRetryError(_pool, url, error or ResponseError(_NO_RETRY_LEFT))
        next_one = super().increment(method, url, response, error, _pool, _stacktrace)
        next_one.waited = self.waited + pause
        if response is not None:
            release(response)  # or urllib3 would read it to its end, which need not come
        if self.budget is not None:
            self.budget.require(pause or next_one.get_backoff_time())
        return next_one

    def sleep(self, response: BaseHTTPResponse | None = None) -> None:
        if self.limiter is None or self.budget is None or response is None or response.status not in THROTTLED:
            super().sleep(response)
            return
        self.limiter.refused(
            self.kind, self.pause(response), at_once=self.budget if self.is_at_once(response) else None
        )
        self.limiter.wait(self.kind, self.budget)

    def pause(self, response: BaseHTTPResponse) -> float:
        """Seconds after which a refused request may be made again."""
        return self.get_retry_after(response) or self.get_backoff_time() or self.backoff_factor

    def is_at_once(self, response: BaseHTTPResponse) -> bool:
        """Whether a server that refuses a request says that it may be made again without a pause."""
        return self.get_retry_after(response) == 0

    def parse_retry_after(self, retry_after: str) -> float:
        """Seconds; none for what is neither a number nor a date."""
        try:
            return super().parse_retry_after(retry_after)
        except (InvalidHeader, ValueError, OverflowError):
            return 0


PATIENT = Patience(
    total=4,
    redirect=0,
    status_forcelist=(429, 500, 502, 503, 504),
    allowed_methods=("GET", "HEAD", "PUT"),
    backoff_factor=0.5,
    backoff_jitter=0.5,
    raise_on_status=False,
)
"""For requests that may be repeated. About eight seconds in all, or what ``Retry-After`` says, up to its limit."""
ONCE = Patience(total=False)
"""For requests that may not."""


def release(response: BaseHTTPResponse) -> None:
    """Give the connection back if the body was read to its end; else it is of no use to anybody."""
    if response.closed or response.length_remaining == 0:
        response.drain_conn()
    else:
        response.close()


def refuses_the_tunnel(error: ProxyError) -> bool:
    """Whether a proxy has answered that it leads nowhere, rather than not at all."""
    return str(error.original_error).startswith("Tunnel connection failed")
