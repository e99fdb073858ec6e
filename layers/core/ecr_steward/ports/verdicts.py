"""The port to the verdicts that sweeps remember."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Protocol

from ecr_steward.domain.judged import Judged
from ecr_steward.domain.names import Digest, RepositoryRef


class Verdicts(Protocol):
    """Remembers what images were judged. Every method may raise the errors of ``ports.registry``."""

    def known(self, repository: RepositoryRef) -> tuple[Mapping[Digest, Judged], Mapping[Digest, datetime]]:
        """The verdicts on a repository's images, and when an event about one was heard last. Needs dynamodb:Query."""
        ...

    def keep(self, repository: RepositoryRef, judged: Mapping[Digest, Judged]) -> None:
        """Remember these. Needs dynamodb:BatchWriteItem."""
        ...

    def hear(self, repository: RepositoryRef, images: Iterable[Digest], at: datetime) -> None:
        """Note an event about these images: what was judged before does not hold any more. Needs dynamodb:PutItem."""
        ...
