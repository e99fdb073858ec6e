"""The ``Leases`` port over the state table: one item for each thing that somebody is at work on."""

from datetime import timedelta
from uuid import uuid4

from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.ports.clock import Clock


class StateLeases:
    """A ``Leases``. A lease lasts whole seconds, as DynamoDB's expirations do."""

    def __init__(self, table: StateTable, now: Clock) -> None:
        self._table = table
        self._now = now

    def take(self, what: str, seconds: float) -> str | None:
        lease = uuid4().hex
        ends_at = self._now() + timedelta(seconds=seconds)
        is_ours = self._table.put_new(Item(_key(what), {"lease": lease}, ends_at), own="lease")
        return lease if is_ours else None

    def give_back(self, what: str, lease: str) -> None:
        self._table.delete(_key(what), only={"lease": lease})


def _key(what: str) -> Key:
    return Key(f"lease#{what}", "lease")
