"""Workloads that run what a test says."""

from collections.abc import Iterable, Mapping

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.domain.names import Digest, RepositoryRef
from ecr_steward.domain.usage import UsedImage


class InMemoryWorkloads:
    """A ``Workloads``. Nothing runs, and Inspector covers nothing, unless a test says so."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self.ecs: list[UsedImage] = []
        self.functions: list[UsedImage] = []
        self._counts: dict[RepositoryRef, dict[Digest, int]] = {}

    def cover(self, repository: RepositoryRef, digests: Iterable[Digest], count: int = 0) -> None:
        """Have Inspector cover these images, each run by so many containers."""
        self._counts.setdefault(repository, {}).update(dict.fromkeys(digests, count))

    def run_by_ecs(self, region: str) -> tuple[UsedImage, ...]:
        with self.calls.record("run_by_ecs", region):
            return tuple(self.ecs)

    def run_by_lambda(self, region: str) -> tuple[UsedImage, ...]:
        with self.calls.record("run_by_lambda", region):
            return tuple(self.functions)

    def counted_by_inspector(self, repository: RepositoryRef) -> Mapping[Digest, int]:
        with self.calls.record("counted_by_inspector", repository):
            return self._counts.get(repository, {})
