"""Which rules hold for a repository, remembered: resource tags can move it from one set of rules to another."""

from dataclasses import dataclass

OWNED_BY_CODE = "infrastructure_code"
"""Stands among the names for a repository that other code owns."""


@dataclass(frozen=True)
class RuleSet:
    """The rules that hold for one repository."""

    names: tuple[str, ...]
    """In their order; ``infrastructure_code`` last where other code owns it."""
    rulebook: str
    """A fingerprint of what all rules match. With another rulebook another set of rules is no news."""

    def __str__(self) -> str:
        return ", ".join(self.names) or "no rule"


def move(before: RuleSet | None, now: RuleSet) -> str | None:
    """How resource tags have moved a repository to another set of rules; ``None`` where they have not."""
    if before is None or before.rulebook != now.rulebook or before.names == now.names:
        return None
    return f"its resource tags have moved it from the rules [{before}] to [{now}]"
