"""The port to the switch that turns every rule to observe."""

from typing import Protocol

from ecr_steward.domain.pause import Pause

REMEMBERED_SECONDS = 30
"""How long an answer may be remembered: a pause holds everywhere within a minute, steps under way included."""


class Switch(Protocol):
    """One switch for everything that the steward changes in registries."""

    def paused(self) -> Pause | None:
        """The pause that holds, or ``None``. The answer may be up to ``REMEMBERED_SECONDS`` old.

        Raises where the switch cannot be read, and never guesses: an unreadable switch might say "paused", and to
        change nothing for a while does no harm, since events come again and the next sweep finds what was left. So
        the error is like any other: one that may pass lets the event come again, and one that does not, such as a role
        that may not read the table, puts it on the failure queue. Needs dynamodb:GetItem.
        """
        ...

    def pause(self, pause: Pause) -> None:
        """Pause everything; the latest pause counts. Needs dynamodb:PutItem."""
        ...

    def resume(self) -> Pause | None:
        """End the pause; the one that has ended. Needs dynamodb:DeleteItem."""
        ...
