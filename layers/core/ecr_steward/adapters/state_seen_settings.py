"""The ``SeenSettings`` port over the state table: an item for each repository."""

from datetime import datetime

from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.seen_settings import KEPT


class StateSeenSettings:
    """A ``SeenSettings``. Items expire; where they are lost, settings are read again. Each reader has its own."""

    def __init__(self, table: StateTable, reader: str) -> None:
        self._table = table
        self._reader = reader

    def last(self, repository: RepositoryRef) -> str:
        item = self._table.get(self._key(repository))
        return item.text("rulebook") if item else ""

    def note(self, repository: RepositoryRef, rulebook: str, at: datetime) -> None:
        self._table.put(Item(self._key(repository), {"rulebook": rulebook}, at + KEPT))

    def _key(self, repository: RepositoryRef) -> Key:
        return Key(f"settings#{repository}", self._reader)
