"""The ``SweepParts`` port over the state table: a partition for each registry, an item for each part."""

from collections.abc import Iterable, Set
from dataclasses import replace
from datetime import timedelta

from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.sweeping import SweepPart
from ecr_steward.ports.clock import Clock

KEPT = timedelta(hours=3)
"""Twice as long as a message stays away after its invocation was killed (``template.yaml``): then a sweep is rather
doubled than left out."""


class StateSweepParts:
    """A ``SweepParts``."""

    def __init__(self, table: StateTable, now: Clock) -> None:
        self._table = table
        self._now = now

    def under_way(self, registry: RegistryRef, *, beside: str) -> Set[str]:
        items = (item for item in self._table.query(_partition(registry)) if item.attributes["sweep"] != beside)
        parts = (item.attributes["repositories"] for item in items)
        return {name for names in parts if isinstance(names, list) for name in names}

    def begin(self, parts: Iterable[SweepPart]) -> None:
        ends_at = self._now() + KEPT
        self._table.put_all(
            Item(_key(part), {"sweep": part.sweep, "repositories": list(part.repositories)}, ends_at) for part in parts
        )

    def end(self, part: SweepPart) -> None:
        self.begin([replace(part, repositories=())])  # who may note a part may take that back


def _key(part: SweepPart) -> Key:
    return Key(_partition(part.registry), part.id)


def _partition(registry: RegistryRef) -> str:
    return f"sweeps#{registry}"
