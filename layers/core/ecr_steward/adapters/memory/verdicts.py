"""A memory of verdicts that ends with its test."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.domain.judged import Judged
from ecr_steward.domain.names import Digest, RepositoryRef


class InMemoryVerdicts:
    """A ``Verdicts``."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._judged: dict[RepositoryRef, dict[Digest, Judged]] = {}
        self._heard: dict[RepositoryRef, dict[Digest, datetime]] = {}

    def known(self, repository: RepositoryRef) -> tuple[Mapping[Digest, Judged], Mapping[Digest, datetime]]:
        with self.calls.record("known", repository):
            return dict(self._judged.get(repository, {})), dict(self._heard.get(repository, {}))

    def keep(self, repository: RepositoryRef, judged: Mapping[Digest, Judged]) -> None:
        with self.calls.record("keep", repository, dict(judged)):
            self._judged.setdefault(repository, {}).update(judged)

    def hear(self, repository: RepositoryRef, images: Iterable[Digest], at: datetime) -> None:
        with self.calls.record("hear", repository, *images):
            self._heard.setdefault(repository, {}).update(dict.fromkeys(images, at))
