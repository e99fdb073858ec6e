"""Which deployed steward a command is about."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Where:
    """A stack in a region, or its state table."""

    stack_name: str
    table: str | None
    """The state table, where a person names it; else the stack says which."""
    region: str | None = None
    """The region of stack, state table and images that name none; ``None``: the environment's."""
