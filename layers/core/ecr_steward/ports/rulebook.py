"""The ports to a rulebook that lies where it can change under a running function."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class CompiledRulebook:
    """A compiled rulebook as it was found, not read yet."""

    text: bytes
    version: str
    """Changes whenever the text does."""


class RulebookSource(Protocol):
    """Where the compiled rulebook lies."""

    @property
    def place(self) -> str:
        """What people call the place, such as ``s3://bucket/key``."""
        ...

    def read(self, known_version: str | None) -> CompiledRulebook | None:
        """What lies there; ``None`` where it is still the version known.

        Raises a permanent error where there is nothing or it may not be read. Needs s3:GetObject.
        """
        ...


class LastGoodRulebook(Protocol):
    """The latest compiled rulebook of one place that was in force."""

    def get(self) -> bytes | None:
        """Its text. Needs dynamodb:GetItem."""
        ...

    def keep(self, good: CompiledRulebook) -> None:
        """Keep it from now on, unless it is the one that is kept. Needs dynamodb:GetItem and dynamodb:PutItem.

        One that is too large is not kept, and neither is one before it any longer.
        """
        ...
