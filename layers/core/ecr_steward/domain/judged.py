"""Verdicts that a sweep remembers, so that it judges anew only what may have changed.

A verdict is derived from scans, never carried (ADR 10): what is remembered keeps a sweep from reading scans again, and
gives nothing away. An image tag is put at a destination, and taken from it, after a verdict of that moment alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256

from ecr_steward.domain.names import Digest
from ecr_steward.domain.rules import Rule, Waiver
from ecr_steward.domain.scans import Verdict

LONGEST = timedelta(hours=24)
"""How long a verdict is trusted at most: what no event announces, such as a scan that expires, is seen within a day."""
SKEW = timedelta(minutes=1)
"""By how much the clocks of two functions may differ."""
MOST_PARTS = 20
"""Parts of an image that are remembered: more are read again."""


@dataclass(frozen=True)
class Judged:
    """What an image was found to be."""

    verdict: Verdict
    basis: str
    """What it was judged by: see ``basis_of``."""
    at: datetime
    """A moment before its scans were read."""
    parts: tuple[Digest, ...] = ()
    """What of it is scanned. That never changes; empty where these are too many to be remembered."""

    def still_holds(self, digest: Digest, basis: str, now: datetime, heard_at: datetime | None) -> bool:
        """Whether a pass is still to be trusted: no rule, waiver, event or day speaks against it.

        A fail is published every day, with its reasons: it is judged by each sweep, as is what waits.

        Images that were judged together are not judged together again: each is trusted for half of the time at least.
        """
        if self.verdict is not Verdict.PASS or self.basis != basis:
            return False
        if heard_at is not None and heard_at + SKEW >= self.at:
            return False
        share = int(digest.hex[:8], 16) / 2**32
        return timedelta(0) <= now - self.at < LONGEST / 2 + share * LONGEST / 2


def basis_of(rule: Rule, waivers: Iterable[Waiver], day: date) -> str:
    """What verdicts depend on beside scans: what the rule says of them, and the waivers that hold on this day."""
    holding = sorted((waiver.finding, waiver.until) for waiver in waivers if waiver.holds_on(day))
    return sha256(repr((rule.scan, holding)).encode()).hexdigest()
