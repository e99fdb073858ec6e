"""The clock of an in-memory port that was given none: it stands still, so that no time passes."""

from datetime import UTC, datetime
from typing import Final

NOON: Final = datetime(2026, 11, 24, 12, tzinfo=UTC)


def noon() -> datetime:
    """A ``Clock`` that stands still."""
    return NOON
