"""*Repository Pushed*: images came to a repository whose settings were not seen in order within the hour."""

from typing import Literal, Self

from pydantic import Field

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.events.envelope import AccountId, Envelope, Region, RepositoryNameText
from ecr_steward.events.own_base import OwnEvent


class RepositoryPushedDetail(OwnEvent):
    """An image was pushed to a repository whose settings were not seen in order within the hour."""

    DETAIL_TYPE = "Repository Pushed"

    account: AccountId = Field(description="Of the registry.")
    region: Region = Field(description="Of the registry.")
    repository_name: RepositoryNameText = Field(description="The repository, without its registry.")

    @classmethod
    def of(cls, repository: RepositoryRef) -> Self:
        """The event for a repository."""
        registry = repository.registry
        where = {"account": registry.account, "region": registry.region, "repository-name": repository.name}
        return cls.model_validate({"version": "1", **where})

    @property
    def repository(self) -> RepositoryRef:
        """The repository that this event is about."""
        return RepositoryRef(RegistryRef(self.account, self.region), self.repository_name)


class RepositoryPushedEvent(Envelope):
    """*Repository Pushed*, as a rule on the bus delivers it."""

    source: Literal["ecr.steward"]
    detail_type: Literal["Repository Pushed"]
    detail: RepositoryPushedDetail


def encode_repository_pushed(repository: RepositoryRef) -> tuple[str, str]:
    """``DetailType`` and ``Detail`` of the event."""
    return RepositoryPushedDetail.DETAIL_TYPE, RepositoryPushedDetail.of(repository).model_dump_json(by_alias=True)
