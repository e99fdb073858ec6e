"""Patterns, as the domain sees them: compiled, so that it needs no pattern library, and none that could hang."""

from typing import Protocol


class Matcher(Protocol):
    """A compiled pattern of the rulebook."""

    @property
    def spelling(self) -> str:
        """The pattern as the rulebook wrote it, for reasons that people read."""
        ...

    def matches(self, text: str) -> bool: ...
