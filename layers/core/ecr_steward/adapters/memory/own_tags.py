"""Notes of image tags that end with their test."""

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.domain.names import ImageTag, RepositoryRef
from ecr_steward.domain.own_tags import KEPT, OwnTag
from ecr_steward.ports.clock import Clock


class InMemoryOwnTags:
    """An ``OwnTags``."""

    def __init__(self, now: Clock, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._now = now
        self._noted: dict[tuple[RepositoryRef, ImageTag], OwnTag] = {}

    def note(self, repository: RepositoryRef, image_tag: ImageTag, own: OwnTag) -> None:
        with self.calls.record("note", repository, image_tag, own):
            self._noted[repository, image_tag] = own

    def last(self, repository: RepositoryRef, image_tag: ImageTag) -> OwnTag | None:
        with self.calls.record("last", repository, image_tag):
            own = self._noted.get((repository, image_tag))
            return own if own and self._now() < own.at + KEPT else None
