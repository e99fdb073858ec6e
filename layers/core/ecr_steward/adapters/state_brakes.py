"""The ``Brakes`` port over the state table.

A window's counts are one item, so that one conditional update decides: the removals of the rule, and those of each
repository under a short hash of its name, since an item holds 400 KB and a name has up to 256 characters.

A grant is in a partition of its own, which the functions may read and not write: what has been taken of it is counted
beside the windows.
"""

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from ecr_steward.adapters.state_table import Attribute, Item, Key, StateTable
from ecr_steward.domain.brake import MANY, WEEK, Brake, Excess, Hold, Load, Spent, Weight, erosion
from ecr_steward.ports.brakes import COUNTED_FOR, GRANT_LASTS
from ecr_steward.ports.clock import Clock

_HOLDS = "holds"
_REMOVALS = "removals"
_ID, _AMOUNT, _TAKEN = "id", "amount", "taken"
_THERE, _GONE = "there", "gone"


class StateBrakes:
    """A ``Brakes``."""

    def __init__(self, table: StateTable, now: Clock) -> None:
        self._table = table
        self._now = now

    def spend(self, rule: str, window: str, load: Load, brake: Brake) -> Excess | None:
        excess = self._excess(rule, window, load, brake)
        if excess is None:
            return None
        if any(self._take(rule, about, load.weight.removals) for about in (load.about, None)):
            return None
        key, names = Key(f"brake#{rule}", window), _Names(_short(load.about))
        self._table.add(key, {names.held: 1}, expires_at=self._now() + COUNTED_FOR)
        held = names.all_held(self._table.get(key) or Item(key, {}))
        return replace(excess, is_wide=excess.is_wide or len(held) >= MANY)

    def _take(self, rule: str, about: str | None, removals: int) -> bool:
        """Take removals of what has been granted here, or everywhere; false where that is not enough."""
        grant = self._table.get(_grant_key(rule, about))
        if grant is None:
            return False
        taken, most = Key(f"brake#{rule}", f"taken#{grant.text(_ID)}"), {_TAKEN: grant.number(_AMOUNT)}
        return self._table.add(taken, {_TAKEN: removals}, at_most=most, expires_at=grant.expires_at)

    def _excess(self, rule: str, window: str, load: Load, brake: Brake) -> Excess | None:
        if excess := load.by_itself(brake):
            return excess
        week = Key(f"brake#{rule}", f"week#{_short(load.about)}")
        begun = self._table.get(week) if load.weight.tagged else None
        there, gone = (begun.number(_THERE), begun.number(_GONE)) if begun else (load.tagged_there, 0)
        if load.weight.tagged and (excess := erosion(load, brake, there, gone)):
            return excess
        key, names = Key(f"brake#{rule}", window), _Names(_short(load.about))
        amounts, limits = {names.removals: load.weight.removals}, {names.removals: brake.removals}
        # Where two count for one repository at the same time, both count it in full: too much, and never too little.
        before = names.spent(self._table.get(key) or Item(key, {})).here.removals
        if counted := brake.counted(load.weight.removals, before):
            amounts[_REMOVALS], limits[_REMOVALS] = counted, brake.removals
        if load.weight.images:
            amounts[names.images], limits[names.images] = load.weight.images, brake.images_of(load.images_there)
        if load.weight.tagged:
            amounts[names.tagged], limits[names.tagged] = load.weight.tagged, brake.images_of(load.tagged_there)
        if self._table.add(key, amounts, at_most=limits, expires_at=self._now() + COUNTED_FOR):
            if load.weight.tagged:
                self._count(week, begun, load)
            return None
        spent = names.spent(self._table.get(key) or Item(key, {}))
        return load.excess(brake, spent) or Excess("others have taken away what its brake lets through, meanwhile")

    def _count(self, week: Key, begun: Item | None, load: Load) -> None:
        """Count what goes in seven days from the first that goes."""
        new = Item(week, {_THERE: load.tagged_there, _GONE: load.weight.tagged}, self._now() + WEEK)
        if begun is not None or not self._table.put_new(new):
            self._table.add(week, {_GONE: load.weight.tagged})

    def holding(self, rule: str, subject: str) -> Hold | None:
        for key in (_hold_key(rule, None), _hold_key(rule, subject)):
            if item := self._table.get(key):
                return _hold(item)
        return None

    def hold(self, hold: Hold) -> Hold:
        attributes: Mapping[str, Attribute] = {
            "rule": hold.rule,
            "subject": hold.subject,
            "asked": hold.asked,
            "why": hold.why,
            "since": hold.since.isoformat(),
            "is_wide": hold.is_wide,
            "is_told": False,
        }
        key = _key_of(hold)
        if self._table.put_new(Item(key, attributes)):
            return hold
        there = self._table.get(key)
        return _hold(there) if there else hold

    def tell(self, hold: Hold) -> None:
        self._table.set(_key_of(hold), {"is_told": True})

    def holds(self) -> Iterator[Hold]:
        return map(_hold, self._table.query(_HOLDS))

    def release(self, hold: Hold, removals: int) -> bool:
        granted = _grant_key(hold.rule, None if hold.is_wide else hold.subject)
        grant: dict[str, Attribute] = {_ID: secrets.token_hex(8), _AMOUNT: removals}
        self._table.put(Item(granted, grant, self._now() + GRANT_LASTS))
        return self._table.delete(_key_of(hold))


@dataclass(frozen=True)
class _Names:
    """What the counts of a repository or registry are called; two that share a hash are counted together."""

    short: str

    @property
    def removals(self) -> str:
        return f"{self.short}r"

    @property
    def images(self) -> str:
        return f"{self.short}i"

    @property
    def tagged(self) -> str:
        return f"{self.short}t"

    @property
    def held(self) -> str:
        return f"{self.short}h"

    @staticmethod
    def all_held(item: Item) -> set[str]:
        """Those of the repositories and registries that were held in a window."""
        return {name for name in item.attributes if name.endswith("h")}

    def spent(self, item: Item) -> Spent:
        here = Weight(item.number(self.removals), item.number(self.images), item.number(self.tagged))
        return Spent(here, item.number(_REMOVALS))


def _short(about: str) -> str:
    return hashlib.sha256(about.encode()).hexdigest()[:10]


def _grant_key(rule: str, about: str | None) -> Key:
    return Key(f"grants#{rule}", "everywhere" if about is None else _short(about))


def _key_of(hold: Hold) -> Key:
    return _hold_key(hold.rule, None if hold.is_wide else hold.subject)


def _hold_key(rule: str, subject: str | None) -> Key:
    return Key(_HOLDS, rule if subject is None else f"{rule}#{_short(subject)}")


def _hold(item: Item) -> Hold:
    return Hold(
        rule=item.text("rule"),
        subject=item.text("subject"),
        asked=item.number("asked"),
        why=item.text("why"),
        since=datetime.fromisoformat(item.text("since")),
        is_wide=item.attributes.get("is_wide") is True,
        is_told=item.attributes.get("is_told") is True,
    )
