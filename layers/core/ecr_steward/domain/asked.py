"""What every step has in common. In a module of its own, since steps of several themes begin with it."""

from dataclasses import dataclass, field
from typing import ClassVar

from ecr_steward.domain.repositories import Document


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Every step says who asks for it and why."""

    rule: str
    why: str
    is_destructive: ClassVar[bool] = False
    """Whether every such step takes something away: an image, its name, or access. The brake counts those."""


@dataclass(frozen=True, kw_only=True)
class Overwriting(Asked):
    """Steps that take the place of a document, or delete it."""

    previous: Document | None = field(default=None, compare=False, repr=False)
    """What it takes the place of, as the journal keeps it."""
