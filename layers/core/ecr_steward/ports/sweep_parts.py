"""The port to the parts of sweeps that have not ended."""

from collections.abc import Iterable, Set
from typing import Protocol

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.sweeping import SweepPart


class SweepParts(Protocol):
    """Remembers which parts are under way, so that the next sweep begins nothing a second time.

    A part of which nothing is heard for three hours is forgotten. Every method may raise the errors of
    ``ports.registry``.
    """

    def under_way(self, registry: RegistryRef, *, beside: str) -> Set[str]:
        """The names of a registry's repositories that are in a part under way of a sweep beside this one.

        Needs dynamodb:Query.
        """
        ...

    def begin(self, parts: Iterable[SweepPart]) -> None:
        """Note parts, or what they have become: with the repositories that are left. Needs dynamodb:BatchWriteItem."""
        ...

    def end(self, part: SweepPart) -> None:
        """Note that a part has nothing left. Needs dynamodb:BatchWriteItem."""
        ...
