"""*Brake Held*, as others receive it."""

from typing import Literal, Self

from pydantic import AwareDatetime, Field

from ecr_steward.domain.notices import BrakeHeld
from ecr_steward.events.envelope import Envelope
from ecr_steward.events.own_base import OwnEvent


class BrakeHeldDetail(OwnEvent):
    """A rule was about to take away more than its brake lets through; it takes nothing away until a person says so."""

    DETAIL_TYPE = "Brake Held"

    rule: str = Field(description="The name of the rule, as `ecr-steward release-brake` wants it.")
    subject: str = Field(description="The repository or registry whose plan was held first.")
    removals: int = Field(description="How many images, image tags or permissions that plan would have taken away.")
    why: str = Field(description="For people: which limit was passed.")
    since: AwareDatetime = Field(strict=False, description="When the brake began to hold.")
    everywhere: bool = Field(
        default=False, description="Whether the rule is held for all repositories, and not for this one alone."
    )

    @classmethod
    def of(cls, notice: BrakeHeld) -> Self:
        """The event for a notice."""
        return cls(
            version="1",
            rule=notice.rule,
            subject=notice.subject,
            removals=notice.removals,
            why=notice.why,
            since=notice.since,
            everywhere=notice.is_wide,
        )

    def to_notice(self) -> BrakeHeld:
        """The notice that this event carries."""
        return BrakeHeld(self.rule, self.subject, self.removals, self.why, self.since, self.everywhere)


class BrakeHeldEvent(Envelope):
    """*Brake Held*, as a rule on the bus delivers it."""

    source: Literal["ecr.steward"]
    detail_type: Literal["Brake Held"]
    detail: BrakeHeldDetail
