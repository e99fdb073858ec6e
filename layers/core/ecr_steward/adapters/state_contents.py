"""The ``Contents`` port over the state table: a partition for each repository, an item for each digest and kind.

Items expire after 45 to 90 days, spread by digest, and are read anew then: what is gone leaves nothing behind for ever,
and what was remembered in one sweep is not read anew in one.
"""

import json
from collections.abc import Iterator
from datetime import timedelta

from ecr_steward.adapters.state_table import Attribute, Item, Key, StateTable
from ecr_steward.domain.known_contents import KnownContents, Said
from ecr_steward.domain.names import Digest, RepositoryRef
from ecr_steward.ports.clock import Clock

KEPT = timedelta(days=45)
"""At least, and up to twice as long."""
LARGEST = 16_384
"""Characters of what one image says that are remembered: more is read again each time."""


class StateContents:
    """A ``Contents``."""

    def __init__(self, table: StateTable, now: Clock) -> None:
        self._table = table
        self._now = now

    def known(self, repository: RepositoryRef) -> KnownContents:
        said: dict[Digest, Said] = {}
        artifact_types: dict[Digest, str] = {}
        for item in self._table.query(_partition(repository)):
            kind, _, text = item.key.sk.partition(" ")
            digest = Digest(text)
            if kind == "said":
                said[digest] = _said(item)
            else:
                artifact_types[digest] = item.text("type")
        return KnownContents(said, artifact_types)

    def keep(self, repository: RepositoryRef, contents: KnownContents) -> None:
        self._table.put_all(self._items(repository, contents))

    def _items(self, repository: RepositoryRef, contents: KnownContents) -> Iterator[Item]:
        def item(kind: str, digest: Digest, attributes: dict[str, Attribute]) -> Item:
            share = int(digest.hex[:8], 16) / 2**32
            ends_at = self._now() + KEPT + share * KEPT
            return Item(Key(_partition(repository), f"{kind} {digest}"), attributes, ends_at)

        for digest, said in contents.said.items():
            text = json.dumps([said.annotations, {str(part): each for part, each in said.labels.items()}])
            if len(text) <= LARGEST:
                yield item("said", digest, {"asked": said.asked, "said": text})
        for digest, artifact_type in contents.artifact_types.items():
            yield item("type", digest, {"type": artifact_type})


def _said(item: Item) -> Said:
    annotations, labels = json.loads(item.text("said"))
    return Said(item.text("asked"), annotations, {Digest(part): each for part, each in labels.items()})


def _partition(repository: RepositoryRef) -> str:
    return f"contents#{repository}"
