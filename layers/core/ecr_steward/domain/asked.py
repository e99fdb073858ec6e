"""What every step has in common. In a module of its own, since steps of several themes begin with it."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Every step says who asks for it and why."""

    rule: str
    why: str
    is_destructive: ClassVar[bool] = False
    """Whether every such step takes something away: an image, its name, or access. The brake counts those."""
