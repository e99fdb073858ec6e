"""A fake of the memory of what revisions of workloads name."""

from collections.abc import Mapping, Sequence

from ecr_steward.adapters.memory.calls import Calls
from ecr_steward.domain.names import RegistryRef


class InMemoryRevisions:
    """A ``Revisions``."""

    def __init__(self, calls: Calls | None = None) -> None:
        self.calls = calls or Calls()
        self._named: dict[RegistryRef, dict[str, tuple[str, ...]]] = {}

    def known(self, place: RegistryRef) -> Mapping[str, Sequence[str]]:
        with self.calls.record("known", place):
            return dict(self._named.get(place, {}))

    def keep(self, place: RegistryRef, named: Mapping[str, Sequence[str]]) -> None:
        with self.calls.record("keep", place, named):
            self._named.setdefault(place, {}).update({name: tuple(images) for name, images in named.items()})
