"""*Rules Changed*, as others receive it."""

from typing import Literal, Self

from pydantic import Field

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.notices import RulesChanged
from ecr_steward.events.envelope import AccountId, Envelope, Region, RepositoryNameText
from ecr_steward.events.own_base import OwnEvent


class RulesChangedDetail(OwnEvent):
    """The resource tags of a repository have moved it to another set of rules."""

    DETAIL_TYPE = "Rules Changed"

    account: AccountId = Field(description="Of the registry.")
    region: Region = Field(description="Of the registry.")
    repository_name: RepositoryNameText = Field(description="The repository, without its registry.")
    before: list[str] = Field(
        description="Names of the rules that held, in their order; `infrastructure_code` last where other code owned "
        "it."
    )
    now: list[str] = Field(description="Names of the rules that hold now, likewise.")
    changed_by: str | None = Field(default=None, description="For people: who did it, where an event says so.")

    @classmethod
    def of(cls, notice: RulesChanged) -> Self:
        """The event for a notice."""
        registry = notice.repository.registry
        return cls.model_validate(
            {
                "version": "1",
                "account": registry.account,
                "region": registry.region,
                "repository-name": notice.repository.name,
                "before": list(notice.before),
                "now": list(notice.now),
                "changed-by": notice.changed_by,
            }
        )

    def to_notice(self) -> RulesChanged:
        """The notice that this event carries."""
        repository = RepositoryRef(RegistryRef(self.account, self.region), self.repository_name)
        return RulesChanged(repository, tuple(self.before), tuple(self.now), self.changed_by)


class RulesChangedEvent(Envelope):
    """*Rules Changed*, as a rule on the bus delivers it."""

    source: Literal["ecr.steward"]
    detail_type: Literal["Rules Changed"]
    detail: RulesChangedDetail
