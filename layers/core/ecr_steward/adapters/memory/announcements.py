"""Announcements that end with their test."""

from datetime import datetime

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.domain.announcements import CONNECTED_FOR, Announcement
from ecr_steward.domain.names import RegistryRef
from ecr_steward.ports.clock import Clock


class InMemoryAnnouncements:
    """An ``Announcements``."""

    def __init__(self, now: Clock, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._now = now
        self._seen: dict[RegistryRef, datetime] = {}

    def noted(self, account: str = "") -> tuple[Announcement, ...]:
        with self.calls.record("noted", account):
            return tuple(each for each in self._alive() if account in ("", each.registry.account))

    def note(self, registry: RegistryRef) -> bool:
        with self.calls.record("note", registry):
            known = next((each for each in self._alive() if each.registry == registry), None)
            if known is None or known.is_due(self._now()):
                self._seen[registry] = self._now().replace(microsecond=0)
            return known is None

    def forget(self, account: str) -> tuple[Announcement, ...]:
        known = self.noted(account)
        for each in known:
            del self._seen[each.registry]
        return known

    def _alive(self) -> list[Announcement]:
        alive = [Announcement(registry, at) for registry, at in self._seen.items() if self._now() < at + CONNECTED_FOR]
        return sorted(alive, key=lambda each: str(each.registry))
