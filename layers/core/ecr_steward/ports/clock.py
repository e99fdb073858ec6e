"""The port to the time of day: what waivers, credentials and grace are judged by."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time, in UTC."""

    def __call__(self) -> datetime: ...
