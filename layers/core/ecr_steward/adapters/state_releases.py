"""The ``Releases`` port over the state table."""

from collections.abc import Iterator

from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.domain.names import Digest, ImageRef, RepositoryRef, image_tag
from ecr_steward.domain.releases import Release


class StateReleases:
    """A ``Releases``."""

    def __init__(self, table: StateTable) -> None:
        self._table = table

    def of(self, repository: RepositoryRef) -> Iterator[Release]:
        for item in self._table.query(f"released#{repository}"):
            digest, _, tag = item.key.sk.partition(" ")
            if item.expires_at:
                yield Release(
                    image=ImageRef(repository, Digest(digest)),
                    image_tag=image_tag(tag) if tag else None,
                    who=item.text("who"),
                    why=item.text("why"),
                    until=item.expires_at,
                )

    def give(self, release: Release) -> None:
        self._table.put(Item(_key(release), {"who": release.who, "why": release.why}, release.until))

    def end(self, release: Release) -> None:
        self._table.delete(_key(release))


def _key(release: Release) -> Key:
    return Key(f"released#{release.image.repository}", f"{release.image.digest} {release.image_tag or ''}".strip())
