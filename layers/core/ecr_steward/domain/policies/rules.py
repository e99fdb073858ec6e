"""What a rule says about a repository's policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

OWN_SID: Final = "EcrSteward"
"""How the Sid of each statement begins that the rulebook asks for. All others are foreign."""


class Treatment(StrEnum):
    """What becomes of something that others have put there."""

    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True)
class Inside:
    """Who is no outsider."""

    accounts: frozenset[str] = frozenset()
    organizations: frozenset[str] = frozenset()


@dataclass(frozen=True)
class PolicyRules:
    """Who may pull and push, and what becomes of what others have written into the same document."""

    statements: tuple[Mapping[str, Any], ...] = ()
    """The rulebook's own, as AWS writes them; each Sid begins with ``OWN_SID``."""
    foreign: Treatment = Treatment.KEEP
    """All statements of others."""
    outside: Treatment = Treatment.KEEP
    """Those parts of them that let in the public, outsiders or principals that were deleted."""
    inside: Inside = Inside()

    @property
    def is_empty(self) -> bool:
        """Whether there is to be no repository policy at all."""
        return not self.statements and self.foreign is Treatment.REMOVE
