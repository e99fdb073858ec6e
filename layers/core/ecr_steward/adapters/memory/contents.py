"""A fake of the memory of what digests say."""

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.domain.known_contents import KnownContents
from ecr_steward.domain.names import RepositoryRef


class InMemoryContents:
    """A ``Contents``."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._known: dict[RepositoryRef, KnownContents] = {}

    def known(self, repository: RepositoryRef) -> KnownContents:
        with self.calls.record("known", repository):
            return self._known.get(repository, KnownContents())

    def keep(self, repository: RepositoryRef, contents: KnownContents) -> None:
        with self.calls.record("keep", repository, contents):
            before = self._known.get(repository, KnownContents())
            self._known[repository] = KnownContents(
                {**before.said, **contents.said},
                {**before.artifact_types, **contents.artifact_types},
            )
