"""The ``Announcements`` port over the state table: one partition, an item for each account and region."""

from datetime import UTC, datetime, timedelta

from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.domain.announcements import CONNECTED_FOR, Announcement
from ecr_steward.domain.names import RegistryRef
from ecr_steward.ports.clock import Clock

_PARTITION = "accounts"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)


class StateAnnouncements:
    """An ``Announcements``. Times are kept to the second."""

    def __init__(self, table: StateTable, now: Clock) -> None:
        self._table = table
        self._now = now

    def noted(self, account: str = "") -> tuple[Announcement, ...]:
        return tuple(_announcement(item) for item in self._table.query(_PARTITION, f"{account}/" if account else ""))

    def note(self, registry: RegistryRef) -> bool:
        now, key = self._now(), Key(_PARTITION, str(registry))
        known = self._table.get(key)
        if known is None or _announcement(known).is_due(now):
            self._table.put(Item(key, {"seen": (now - _EPOCH) // _SECOND}, now + CONNECTED_FOR))
        return known is None

    def forget(self, account: str) -> tuple[Announcement, ...]:
        known = self.noted(account)
        for each in known:
            self._table.delete(Key(_PARTITION, str(each.registry)))
        return known


def _announcement(item: Item) -> Announcement:
    account, _, region = item.key.sk.partition("/")
    return Announcement(RegistryRef(account, region), _EPOCH + item.number("seen") * _SECOND)
