"""What every step has in common. In a module of its own, since steps of several themes begin with it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Every step says who asks for it and why."""

    rule: str
    why: str
