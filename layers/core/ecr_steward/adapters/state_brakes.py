"""The ``Brakes`` port over the state table.

A window's counts are one item, so that one conditional update decides: the removals of the rule, and the images of each
repository under a short hash of its name, since an item holds 400 KB and a name has up to 256 characters.
"""

import hashlib
from collections.abc import Iterator
from datetime import datetime

from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.domain.brake import Brake, Hold, Load, Weight
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.ports.brakes import COUNTED_FOR, GRANT_LASTS
from ecr_steward.ports.clock import Clock

_HOLDS = "holds"
_REMOVALS = "removals"
_LEFT = "left"


class StateBrakes:
    """A ``Brakes``."""

    def __init__(self, table: StateTable, now: Clock) -> None:
        self._table = table
        self._now = now

    def spend(self, rule: str, window: str, load: Load, brake: Brake) -> str | None:
        key = Key(f"brake#{rule}", window)
        images, tagged = _names(load.repository)
        amounts, limits = {_REMOVALS: load.weight.removals}, {_REMOVALS: brake.removals}
        if load.weight.images:
            amounts[images], limits[images] = load.weight.images, brake.images_of(load.images_there)
        if load.weight.tagged:
            amounts[tagged], limits[tagged] = load.weight.tagged, brake.images_of(load.tagged_there)
        if self._table.add(key, amounts, at_most=limits, expires_at=self._now() + COUNTED_FOR):
            return None
        if self._table.add(_grant_key(rule), {_LEFT: -load.weight.removals}, at_least={_LEFT: 0}):
            return None
        item = self._table.get(key) or Item(key, {})
        spent = Weight(item.number(_REMOVALS), item.number(images), item.number(tagged))
        return load.excess(brake, spent) or "others have taken away what its brake lets through, at the same time"

    def holding(self, rule: str) -> Hold | None:
        item = self._table.get(Key(_HOLDS, rule))
        return _hold(item) if item else None

    def hold(self, hold: Hold) -> Hold:
        item = Item(
            Key(_HOLDS, hold.rule),
            {
                "subject": hold.subject,
                "asked": hold.asked,
                "why": hold.why,
                "since": hold.since.isoformat(),
                "is_told": False,
            },
        )
        if self._table.put_new(item):
            return hold
        return self.holding(hold.rule) or hold

    def tell(self, rule: str) -> None:
        self._table.set(Key(_HOLDS, rule), {"is_told": True})

    def holds(self) -> Iterator[Hold]:
        return map(_hold, self._table.query(_HOLDS))

    def release(self, rule: str, removals: int) -> Hold | None:
        held = self.holding(rule)
        self._table.put(Item(_grant_key(rule), {_LEFT: removals}, self._now() + GRANT_LASTS))
        self._table.delete(Key(_HOLDS, rule))
        return held


def _grant_key(rule: str) -> Key:
    return Key(f"brake#{rule}", "grant")


def _names(repository: RepositoryRef | None) -> tuple[str, str]:
    """What the counts of a repository are called."""
    name = hashlib.sha256(str(repository).encode()).hexdigest()[:10]  # two that share one are counted together
    return f"{name}i", f"{name}t"


def _hold(item: Item) -> Hold:
    return Hold(
        rule=item.key.sk,
        subject=item.text("subject"),
        asked=item.number("asked"),
        why=item.text("why"),
        since=datetime.fromisoformat(item.text("since")),
        is_told=item.attributes.get("is_told") is True,
    )
