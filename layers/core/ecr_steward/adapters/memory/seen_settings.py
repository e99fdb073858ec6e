"""A memory of settings that ends with its test."""

from datetime import datetime

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.seen_settings import KEPT
from ecr_steward.ports.clock import Clock


class InMemorySeenSettings:
    """A ``SeenSettings``."""

    def __init__(self, now: Clock, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._now = now
        self._seen: dict[RepositoryRef, tuple[str, datetime]] = {}

    def last(self, repository: RepositoryRef) -> str:
        with self.calls.record("last", repository):
            rulebook, at = self._seen.get(repository, ("", self._now()))
            return rulebook if self._now() < at + KEPT else ""

    def note(self, repository: RepositoryRef, rulebook: str, at: datetime) -> None:
        with self.calls.record("note", repository, rulebook, at):
            self._seen[repository] = rulebook, at
