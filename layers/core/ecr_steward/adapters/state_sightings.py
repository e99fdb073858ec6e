"""The ``Sightings`` port over the state table: a partition for each repository, an item for each image tag."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta

from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.domain.names import Digest, ImageTag, RepositoryRef, image_tag
from ecr_steward.domain.sightings import Sighted, Sighting

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class StateSightings:
    """A ``Sightings``. Times are kept to the millisecond. Sightings of another ``kind`` are others."""

    def __init__(self, table: StateTable, kind: str = "tags") -> None:
        self._table = table
        self._kind = kind

    def seen(self, repository: RepositoryRef) -> Sighted:
        return {image_tag(item.key.sk): _sighting(item) for item in self._table.query(self._partition(repository))}

    def keep(self, repository: RepositoryRef, sightings: Mapping[ImageTag, Sighting]) -> None:
        self._table.put_all(self._item(repository, tag, sighting) for tag, sighting in sightings.items())

    def forget(self, repository: RepositoryRef, image_tags: Iterable[ImageTag]) -> None:
        for tag in image_tags:
            self._table.delete(Key(self._partition(repository), tag))

    def restart(self, repository: RepositoryRef, image_tag: ImageTag, digest: Digest, at: datetime) -> None:
        self._table.put_later(self._item(repository, image_tag, Sighting.at(digest, at)), "since")

    def _partition(self, repository: RepositoryRef) -> str:
        return f"{self._kind}#{repository}"

    def _item(self, repository: RepositoryRef, tag: ImageTag, sighting: Sighting) -> Item:
        since = (sighting.since - _EPOCH) // _MILLISECOND
        key = Key(self._partition(repository), tag)
        return Item(key, {"digest": sighting.digest.value, "since": since}, sighting.kept_until)


def _sighting(item: Item) -> Sighting:
    since = _EPOCH + item.number("since") * _MILLISECOND
    return Sighting(Digest(item.text("digest")), since, item.expires_at or since)
