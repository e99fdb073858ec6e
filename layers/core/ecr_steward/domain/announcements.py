"""Accounts that say by themselves that they are connected: their stack's self-check reaches the hub's bus.

EventBridge sets an event's account and region, and the bus takes events of the organization alone ("Permissions for
event buses", EventBridge user guide): who is in it decides whose announcements arrive.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ecr_steward.domain.names import RegistryRef

NOTED_EVERY: Final = timedelta(hours=1)
"""An announcement that comes sooner after the noted one is not noted."""
QUIET_AFTER: Final = timedelta(days=1)
"""From when on a registry that announces itself no longer is reported by each sweep."""
CONNECTED_FOR: Final = timedelta(days=30)
"""How long an account stays connected after its last announcement. Until then its registry is swept, and images that
run there count as in use."""


@dataclass(frozen=True)
class Announcement:
    """The last self-check of a registry's account and region that was noted."""

    registry: RegistryRef
    at: datetime

    def is_due(self, now: datetime) -> bool:
        """Whether the next one is to be noted."""
        return now - self.at >= NOTED_EVERY


def quiet(announcements: Iterable[Announcement], now: datetime) -> Iterator[Announcement]:
    """Those whose next ones have not come for too long."""
    return (each for each in announcements if now - each.at >= QUIET_AFTER)
