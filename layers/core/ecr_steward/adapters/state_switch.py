"""The ``Switch`` port over the state table."""

from datetime import datetime, timedelta

from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.domain.pause import Pause
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.switch import REMEMBERED_SECONDS

_KEY = Key("switch", "switch")


class StateSwitch:
    """A ``Switch``."""

    def __init__(self, table: StateTable, now: Clock) -> None:
        self._table = table
        self._now = now
        self._read_at: datetime | None = None
        self._pause: Pause | None = None

    def paused(self) -> Pause | None:
        now = self._now()
        if self._read_at is None or not timedelta() <= now - self._read_at < timedelta(seconds=REMEMBERED_SECONDS):
            item = self._table.get(_KEY)
            self._pause, self._read_at = _pause(item) if item else None, now
        return self._pause

    def pause(self, pause: Pause) -> None:
        self._table.put(Item(_KEY, {"who": pause.who, "why": pause.why, "since": pause.since.isoformat()}))
        self._read_at = None

    def resume(self) -> Pause | None:
        item = self._table.get(_KEY)
        self._table.delete(_KEY)
        self._read_at = None
        return _pause(item) if item else None


def _pause(item: Item) -> Pause:
    return Pause(item.text("who"), item.text("why"), datetime.fromisoformat(item.text("since")))
