"""The ``Journal`` port over the state table: a partition for each day, so that an id says where its entry is."""

import secrets
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from ecr_steward.adapters.state_table import Attribute, Item, Key, StateTable
from ecr_steward.domain.journal import KEPT, Entry, StepState, entry_of
from ecr_steward.domain.names import Digest, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.plan import Step
from ecr_steward.ports.clock import Clock


class StateJournal:
    """A ``Journal``."""

    def __init__(self, table: StateTable, now: Clock) -> None:
        self._table = table
        self._now = now

    def begin(self, step: Step, who: str) -> str:
        at = self._now()
        entry = entry_of(step, f"{at:%Y%m%d-%H%M%S}-{secrets.token_hex(4)}", at, who)
        self._table.put(Item(_key(entry.id), _attributes(entry), at + KEPT))
        return entry.id

    def end(self, entry_id: str, state: StepState) -> None:
        self._table.set(_key(entry_id), {"state": str(state)})

    def entry(self, entry_id: str) -> Entry | None:
        item = self._table.get(_key(entry_id))
        return _entry(item) if item else None

    def entries(self, first: date, last: date) -> Iterator[Entry]:
        day = last
        while day >= first:
            of_day = map(_entry, self._table.query(f"steps#{day:%Y%m%d}"))
            yield from sorted(of_day, key=lambda entry: (entry.at, entry.id), reverse=True)
            day -= timedelta(days=1)


def _key(entry_id: str) -> Key:
    return Key(f"steps#{entry_id.partition('-')[0]}", entry_id)


def _attributes(entry: Entry) -> dict[str, Attribute]:
    return {
        "at": entry.at.astimezone(UTC).isoformat(),
        "who": entry.who,
        "rule": entry.rule,
        "why": entry.why,
        "step": entry.step,
        "what": entry.what,
        "state": str(entry.state),
        "registry": str(entry.registry),
        "repository": entry.repository.name if entry.repository else None,
        "digest": entry.digest.value if entry.digest else None,
        "image_tags": list(entry.image_tags),
        "previous": entry.previous.value if entry.previous else None,
        "document": entry.document,
    }


def _entry(item: Item) -> Entry:
    account, _, region = item.text("registry").partition("/")
    registry = RegistryRef(account, region)
    said = item.attributes
    image_tags = said["image_tags"]
    return Entry(
        id=item.key.sk,
        at=datetime.fromisoformat(item.text("at")),
        who=item.text("who"),
        rule=item.text("rule"),
        why=item.text("why"),
        step=item.text("step"),
        what=item.text("what"),
        registry=registry,
        state=StepState(item.text("state")),
        repository=RepositoryRef(registry, str(said["repository"])) if said["repository"] else None,
        digest=Digest(str(said["digest"])) if said["digest"] else None,
        image_tags=tuple(map(image_tag, image_tags)) if isinstance(image_tags, list) else (),
        previous=Digest(str(said["previous"])) if said["previous"] else None,
        document=str(said["document"]) if said.get("document") else None,
    )
