"""*Rulebook Refused*, as others receive it."""

from typing import Final, Literal, Self

from pydantic import Field

from ecr_steward.domain.notices import RulebookRefused
from ecr_steward.events.envelope import Envelope
from ecr_steward.events.own_base import OwnEvent

LONGEST_REASON: Final = 4_000
"""Characters: an event holds 256 KiB, and people read the first reasons."""


class RulebookRefusedDetail(OwnEvent):
    """A new version of the rulebook does not validate or cannot be read; the last good one stays in force."""

    DETAIL_TYPE = "Rulebook Refused"

    rulebook: str = Field(description="Where it lies, such as s3://bucket/key.")
    object_version: str = Field(description="The ETag of the object; `unreadable` where there was none to read.")
    reason: str = Field(description="For people: everything that is wrong, each with its code.")

    @classmethod
    def of(cls, notice: RulebookRefused) -> Self:
        """The event for a notice."""
        reason = notice.reason
        if len(reason) > LONGEST_REASON:
            reason = f"{reason[:LONGEST_REASON]}..."
        return cls.model_validate(
            {"version": "1", "rulebook": notice.rulebook, "object-version": notice.object_version, "reason": reason}
        )

    def to_notice(self) -> RulebookRefused:
        """The notice that this event carries."""
        return RulebookRefused(self.rulebook, self.object_version, self.reason)


class RulebookRefusedEvent(Envelope):
    """*Rulebook Refused*, as a rule on the bus delivers it."""

    source: Literal["ecr.steward"]
    detail_type: Literal["Rulebook Refused"]
    detail: RulebookRefusedDetail
