"""*Access Widened*, as others receive it."""

from typing import Literal, Self

from pydantic import Field

from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.notices import AccessWidened
from ecr_steward.events.envelope import AccountId, Envelope, Region, RepositoryNameText
from ecr_steward.events.own_base import OwnEvent


class AccessWidenedDetail(OwnEvent):
    """A policy is about to open something to principals outside of its account, which were not let in before."""

    DETAIL_TYPE = "Access Widened"

    account: AccountId = Field(description="Of the registry.")
    region: Region = Field(description="Of the registry.")
    repository_name: RepositoryNameText | None = Field(
        default=None, description="The repository; missing where it is a registry policy or a creation template."
    )
    rule: str = Field(description="The name of the rule, or of the entry of `registries`, that asks for it.")
    what: str = Field(description="For people: the step. It is in the journal with its outcome.")
    principals: list[str] = Field(
        description="Accounts, ARNs, services or ids of organizations that may do more than before; `everybody` for "
        "the public."
    )
    public: bool = Field(description="Whether something is opened to everybody.")

    @classmethod
    def of(cls, notice: AccessWidened) -> Self:
        """The event for a notice."""
        registry = notice.subject if isinstance(notice.subject, RegistryRef) else notice.subject.registry
        return cls.model_validate(
            {
                "version": "1",
                "account": registry.account,
                "region": registry.region,
                "repository-name": None if isinstance(notice.subject, RegistryRef) else notice.subject.name,
                "rule": notice.rule,
                "what": notice.what,
                "principals": list(notice.principals),
                "public": notice.is_public,
            }
        )

    def to_notice(self) -> AccessWidened:
        """The notice that this event carries."""
        registry = RegistryRef(self.account, self.region)
        subject = RepositoryRef(registry, self.repository_name) if self.repository_name else registry
        return AccessWidened(self.rule, subject, self.what, tuple(self.principals), self.public)


class AccessWidenedEvent(Envelope):
    """*Access Widened*, as a rule on the bus delivers it."""

    source: Literal["ecr.steward"]
    detail_type: Literal["Access Widened"]
    detail: AccessWidenedDetail
