"""Token buckets, one for each operation, account and region.

ECR user guide, "Troubleshooting Amazon ECR error messages": in each region, each account has a bucket of credits, which
a rate refills. The burst that this page names is older than February 2020, when AWS made rate and burst a single rate
quota (amazonaws.cn/en/new/2020/ecr-raises-simplifies-image-api-quotas-aws-china-regions). So a bucket holds the
requests of one second.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from local_ecr.errors import rate_exceeded
from local_ecr.quotas.rates import Quotas

MOST_BUCKETS = 10_000
"""The one that is unused for longest is forgotten, and so full again: any twelve digits are an account."""

_WHOLE = 1 - 1e-6  # a credit; moments since 1970 in seconds are that exact, as floats


@dataclass
class TokenBucket:
    """Refilled at `rate` credits a second, up to those of one second, and never to less than one."""

    rate: float
    credit: float
    seen_at: float
    """Seconds since the epoch."""

    @classmethod
    def full(cls, rate: float, now: float) -> TokenBucket:
        return cls(rate, max(rate, 1.0), now)

    def take(self, now: float) -> bool:
        """Whether there is a credit for one request, which is taken then. A clock that goes back refills nothing."""
        passed = max(now - self.seen_at, 0.0)
        self.credit = min(self.credit + passed * self.rate, max(self.rate, 1.0))
        self.seen_at = now
        if self.credit < _WHOLE:
            return False
        self.credit = max(self.credit - 1, 0.0)
        return True


class Throttle:
    """Lets requests through as the quotas say; without quotas, all of them. Safe to use from any thread."""

    def __init__(self, quotas: Quotas | None, clock: Callable[[], datetime]) -> None:
        self._quotas = quotas
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[tuple[str, str, str], TokenBucket] = OrderedDict()

    def require(self, account: str, region: str, operation: str) -> None:
        """Count a request of a caller's account. Raises EcrError ThrottlingException when it is one too many."""
        rate = self._quotas.rate_of(operation) if self._quotas else None
        if rate is None:
            return
        now = self._clock().timestamp()
        key = (account, region, operation)
        with self._lock:
            bucket = self._buckets.setdefault(key, TokenBucket.full(rate, now))
            self._buckets.move_to_end(key)
            if len(self._buckets) > MOST_BUCKETS:
                self._buckets.popitem(last=False)
            is_admitted = bucket.take(now)
        if not is_admitted:
            raise rate_exceeded()
