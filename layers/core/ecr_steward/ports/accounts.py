"""The ports to the accounts that are connected."""

from typing import Protocol

from ecr_steward.domain.announcements import Announcement
from ecr_steward.domain.names import RegistryRef


class ConnectedAccounts(Protocol):
    """The accounts beside our own whose registries are kept. Every method may raise retryable errors."""

    @property
    def how(self) -> str:
        """What connects an account, for people: the rest of a sentence about one that is not connected."""
        ...

    def all(self) -> frozenset[str]:
        """Their ids, as they were a minute ago at most. Needs dynamodb:Query where accounts announce themselves."""
        ...

    def include(self, account: str) -> bool:
        """Whether an account is one of them now. Needs dynamodb:Query where accounts announce themselves."""
        ...


class Announcements(Protocol):
    """What is noted of self-checks: the last one of each account and region, for 30 days.

    Every method may raise retryable errors.
    """

    def noted(self, account: str = "") -> tuple[Announcement, ...]:
        """All of them, or those of one account, sorted by account and region. Needs dynamodb:Query."""
        ...

    def note(self, registry: RegistryRef) -> bool:
        """Note one of this moment, unless one of the last hour is noted; whether none was. Needs dynamodb:PutItem."""
        ...

    def forget(self, account: str) -> tuple[Announcement, ...]:
        """Delete those of an account, and return them. For people. Needs dynamodb:Query and dynamodb:DeleteItem."""
        ...
