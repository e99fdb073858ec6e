"""The ``OwnTags`` port over the state table: a partition for each repository, an item for each image tag."""

from datetime import UTC, datetime, timedelta

from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.domain.names import Digest, ImageTag, RepositoryRef
from ecr_steward.domain.own_tags import KEPT, OwnTag

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class StateOwnTags:
    """An ``OwnTags``. Times are kept to the millisecond; items expire."""

    def __init__(self, table: StateTable) -> None:
        self._table = table

    def note(self, repository: RepositoryRef, image_tag: ImageTag, own: OwnTag) -> None:
        at = (own.at - _EPOCH) // _MILLISECOND
        self._table.put(Item(_key(repository, image_tag), {"digest": own.digest.value, "at": at}, own.at + KEPT))

    def last(self, repository: RepositoryRef, image_tag: ImageTag) -> OwnTag | None:
        item = self._table.get(_key(repository, image_tag))
        if item is None:
            return None
        return OwnTag(Digest(item.text("digest")), _EPOCH + item.number("at") * _MILLISECOND)


def _key(repository: RepositoryRef, image_tag: ImageTag) -> Key:
    return Key(f"own#{repository}", image_tag)
