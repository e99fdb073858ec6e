"""The ``Revisions`` port over the state table: a partition for each account and region.

Items expire after 45 to 90 days, spread by revision, and are read anew then: what is gone leaves nothing behind.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from hashlib import sha256

from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.domain.names import RegistryRef
from ecr_steward.ports.clock import Clock

KEPT = timedelta(days=45)
"""At least, and up to twice as long."""


class StateRevisions:
    """A ``Revisions``."""

    def __init__(self, table: StateTable, now: Clock) -> None:
        self._table = table
        self._now = now

    def known(self, place: RegistryRef) -> Mapping[str, Sequence[str]]:
        return {
            item.key.sk: tuple(images)
            for item in self._table.query(_partition(place))
            if isinstance(images := item.attributes["images"], list)
        }

    def keep(self, place: RegistryRef, named: Mapping[str, Sequence[str]]) -> None:
        self._table.put_all(
            Item(Key(_partition(place), revision), {"images": list(images)}, self._now() + _kept(revision))
            for revision, images in named.items()
        )


def _kept(revision: str) -> timedelta:
    return KEPT + int.from_bytes(sha256(revision.encode()).digest()[:4]) / 2**32 * KEPT


def _partition(place: RegistryRef) -> str:
    return f"revisions#{place}"
