"""The port to the brakes: what each rule has taken away, and which brakes hold."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, Protocol

from ecr_steward.domain.brake import Brake, Excess, Hold, Load

COUNTED_FOR: Final = timedelta(days=2)
"""How long a window's count is kept: longer than any window lasts, its late events and retries included."""
GRANT_LASTS: Final = timedelta(hours=24)
"""How long a person's grant may be used: until then the next sweep, or the events, have come again."""


class Brakes(Protocol):
    """Counts that many invocations share. What is counted stays counted, also where the step then fails."""

    def spend(self, rule: str, window: str, load: Load, brake: Brake) -> Excess | None:
        """Count what a rule is about to take away; or answer why it is too much, and count nothing.

        In one step for all who count at the same time, so that together they never pass the brake; but for the count of
        a week, which two at the same time may pass by one plan. What is refused is taken from what a person has granted
        the rule here, or everywhere, where enough of it is left. Needs dynamodb:UpdateItem, PutItem, and
        dynamodb:GetItem to tell how much was taken before.
        """
        ...

    def holding(self, rule: str, subject: str) -> Hold | None:
        """The hold on a rule, everywhere or for this repository or registry. Needs dynamodb:GetItem."""
        ...

    def hold(self, hold: Hold) -> Hold:
        """Let a rule's brake hold; where it does already, the hold that was first. Needs dynamodb:PutItem, GetItem."""
        ...

    def tell(self, hold: Hold) -> None:
        """Note that a hold has been reported. Needs dynamodb:UpdateItem."""
        ...

    def holds(self) -> Iterator[Hold]:
        """Every hold, by rule, those of the whole rule first. Needs dynamodb:Query."""
        ...

    def release(self, hold: Hold, removals: int) -> bool:
        """End a hold, and grant its rule so many removals beyond its brake, where it was held, for ``GRANT_LASTS``.

        Whether it was there. Needs dynamodb:DeleteItem and dynamodb:PutItem.
        """
        ...
