"""The time of day."""

from datetime import UTC, datetime


def utc_now() -> datetime:
    """The ``Clock`` port: the time, in UTC."""
    return datetime.now(UTC)
