"""The port to the memory of what digests say."""

from typing import Protocol

from ecr_steward.domain.known_contents import KnownContents
from ecr_steward.domain.names import RepositoryRef


class Contents(Protocol):
    """Remembers what the digests of a repository say. Every method may raise the errors of ``ports.registry``."""

    def known(self, repository: RepositoryRef) -> KnownContents:
        """What is remembered; nothing where that was lost. Needs dynamodb:Query."""
        ...

    def keep(self, repository: RepositoryRef, contents: KnownContents) -> None:
        """Remember this beside what is remembered. Needs dynamodb:BatchWriteItem."""
        ...
