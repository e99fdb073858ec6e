"""A fake of the memory of which parts of sweeps are under way."""

from collections.abc import Iterable, Set
from datetime import datetime, timedelta

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.sweeping import SweepPart
from ecr_steward.ports.clock import Clock


class InMemorySweepParts:
    """A ``SweepParts``."""

    def __init__(self, now: Clock = noon, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.parts: dict[tuple[RegistryRef, str], SweepPart] = {}
        self._now = now
        self._noted: dict[tuple[RegistryRef, str], datetime] = {}

    def under_way(self, registry: RegistryRef, *, beside: str) -> Set[str]:
        with self.calls.record("under_way", registry, beside):
            parts = (
                part
                for key, part in self.parts.items()
                if part.registry == registry and part.sweep != beside and self._is_alive(key)
            )
            return {name for part in parts for name in part.repositories}

    def begin(self, parts: Iterable[SweepPart]) -> None:
        for part in parts:
            with self.calls.record("begin", part):
                key = part.registry, part.id
                self.parts[key] = part
                self._noted[key] = self._now()

    def end(self, part: SweepPart) -> None:
        with self.calls.record("end", part):
            self.parts.pop((part.registry, part.id), None)

    def _is_alive(self, key: tuple[RegistryRef, str]) -> bool:
        return self._now() - self._noted[key] < timedelta(hours=3)
