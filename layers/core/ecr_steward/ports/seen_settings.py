"""The port to the memory of settings that were seen in order."""

from datetime import datetime
from typing import Protocol

from ecr_steward.domain.names import RepositoryRef


class SeenSettings(Protocol):
    """By which rulebook the settings of repositories were in order. Every method may raise retryable errors."""

    def last(self, repository: RepositoryRef) -> str:
        """The digest of the rulebook by which they were within the hour; empty by none. Needs dynamodb:GetItem."""
        ...

    def note(self, repository: RepositoryRef, rulebook: str, at: datetime) -> None:
        """Note a rulebook by which they were at this moment, or none. Needs dynamodb:PutItem."""
        ...
