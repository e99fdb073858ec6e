"""The port to the brakes: what each rule has taken away, and which brakes hold."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final, Protocol

from ecr_steward.domain.brake import Brake, Hold, Load

COUNTED_FOR: Final = timedelta(days=2)
"""How long a window's count is kept: longer than any window lasts, its late events and retries included."""
GRANT_LASTS: Final = timedelta(hours=24)
"""How long a person's grant may be used: until then the next sweep, or the events, have come again."""


class Brakes(Protocol):
    """Counts that many invocations share. What is counted stays counted, also where the step then fails."""

    def spend(self, rule: str, window: str, load: Load, brake: Brake) -> str | None:
        """Count what a rule is about to take away; or answer why it is too much, and count nothing.

        In one step for all who count at the same time, so that together they never pass the brake. What the window
        refuses is taken from what a person has granted, where enough of it is left. Needs dynamodb:UpdateItem, and
        dynamodb:GetItem to tell how much was taken before.
        """
        ...

    def holding(self, rule: str) -> Hold | None:
        """The hold on a rule. Needs dynamodb:GetItem."""
        ...

    def hold(self, hold: Hold) -> Hold:
        """Let a rule's brake hold; where it does already, the hold that was first. Needs dynamodb:PutItem, GetItem."""
        ...

    def tell(self, rule: str) -> None:
        """Note that people have been told of the hold on a rule. Needs dynamodb:UpdateItem."""
        ...

    def holds(self) -> Iterator[Hold]:
        """Every hold, by rule. Needs dynamodb:Query."""
        ...

    def release(self, rule: str, removals: int) -> Hold | None:
        """End the hold on a rule, and grant it so many removals beyond its brake within ``GRANT_LASTS``.

        The hold that ended. Needs dynamodb:DeleteItem and dynamodb:PutItem.
        """
        ...
