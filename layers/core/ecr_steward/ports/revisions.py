"""The port to the memory of what revisions of workloads name."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from ecr_steward.domain.names import RegistryRef


class Revisions(Protocol):
    """Remembers which images a revision of a task definition or a version of a function names: it never changes.

    Every method may raise the errors of ``ports.registry``.
    """

    def known(self, place: RegistryRef) -> Mapping[str, Sequence[str]]:
        """URIs of images, by revision, of an account in a region. Needs dynamodb:Query."""
        ...

    def keep(self, place: RegistryRef, named: Mapping[str, Sequence[str]]) -> None:
        """Remember these beside what is remembered. Needs dynamodb:BatchWriteItem."""
        ...
