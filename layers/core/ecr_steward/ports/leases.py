"""Port to leases: who is at work on something, so that nobody else is at the same time."""

from typing import Protocol


class Leases(Protocol):
    """Leases that end by themselves: whoever is killed holds up the others for no longer."""

    def take(self, what: str, seconds: float) -> str | None:
        """Take a lease for so many seconds; ``None`` where somebody else has it. Needs dynamodb:PutItem."""
        ...

    def give_back(self, what: str, lease: str) -> None:
        """End a lease, unless it has ended and somebody else has one now. Needs dynamodb:DeleteItem."""
        ...
