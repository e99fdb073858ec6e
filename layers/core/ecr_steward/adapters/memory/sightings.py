"""A memory of image tags that ends with its test."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.domain.names import Digest, ImageTag, RepositoryRef
from ecr_steward.domain.sightings import Sighted, Sighting
from ecr_steward.ports.clock import Clock


class InMemorySightings:
    """A ``Sightings``."""

    def __init__(self, calls: Calls | None = None, now: Clock = noon) -> None:
        self.calls = calls or Calls()
        self._now = now
        self._sighted: dict[RepositoryRef, dict[ImageTag, Sighting]] = defaultdict(dict)

    def seen(self, repository: RepositoryRef) -> Sighted:
        with self.calls.record("seen", repository):
            sighted = self._sighted[repository].items()
            return {tag: sighting for tag, sighting in sighted if sighting.kept_until > self._now()}

    def keep(self, repository: RepositoryRef, sightings: Mapping[ImageTag, Sighting]) -> None:
        with self.calls.record("keep", repository, sightings):
            self._sighted[repository].update(sightings)

    def forget(self, repository: RepositoryRef, image_tags: Iterable[ImageTag]) -> None:
        forgotten = sorted(image_tags)
        with self.calls.record("forget", repository, *forgotten):
            for tag in forgotten:
                self._sighted[repository].pop(tag, None)

    def restart(self, repository: RepositoryRef, image_tag: ImageTag, digest: Digest, at: datetime) -> None:
        with self.calls.record("restart", repository, image_tag, digest, at):
            known = self._sighted[repository].get(image_tag)
            if known is None or known.since < at:
                self._sighted[repository][image_tag] = Sighting.at(digest, at)
