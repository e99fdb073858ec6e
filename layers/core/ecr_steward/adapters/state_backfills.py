"""The ``StartedBackfills`` port over the state table: a partition for each registry, an item for each destination.

No item expires: a destination whose note is lost gets another backfill.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ecr_steward.adapters.state_table import Attribute, Item, Key, StateTable
from ecr_steward.domain.backfills import StartedBackfill
from ecr_steward.domain.names import RegistryRef

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class StateBackfills:
    """A ``StartedBackfills``. Times are kept to the microsecond, as ECR tells them."""

    def __init__(self, table: StateTable) -> None:
        self._table = table

    def of(self, registry: RegistryRef) -> Mapping[RegistryRef, StartedBackfill]:
        return {_destination(item.key.sk): _started(item) for item in self._table.query(_partition(registry))}

    def keep(self, registry: RegistryRef, to: RegistryRef, started: StartedBackfill) -> None:
        attributes: dict[str, Attribute] = {
            "id": started.id,
            "prefixes": sorted(started.prefixes),
            "at": (started.at - _EPOCH) // _MICROSECOND,
        }
        self._table.put(Item(Key(_partition(registry), str(to)), attributes))

    def forget(self, registry: RegistryRef, to: RegistryRef) -> None:
        self._table.delete(Key(_partition(registry), str(to)))


def _partition(registry: RegistryRef) -> str:
    return f"backfills#{registry}"


def _destination(key: str) -> RegistryRef:
    account, _, region = key.partition("/")
    return RegistryRef(account, region)


def _started(item: Item) -> StartedBackfill:
    prefixes = item.attributes["prefixes"]
    listed = prefixes if isinstance(prefixes, list) else []
    return StartedBackfill(item.text("id"), frozenset(listed), _EPOCH + item.number("at") * _MICROSECOND)
