"""The rules about image tags, as the domain sees them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.names import ImageTag


class Ordered(Protocol):
    """A version: comparable with others of its kind, with numbered parts for alias templates."""

    def __lt__(self, other: Any, /) -> bool: ...


@dataclass(frozen=True)
class Version:
    """A version read from an image tag. ``order`` compares as SemVer section 11 says."""

    major: int
    minor: int
    patch: int
    order: Ordered = field(compare=False)
    is_prerelease: bool = False


class OnViolation(StrEnum):
    """What happens to an image tag that breaks its rule."""

    NOTIFY = "notify"
    QUARANTINE = "quarantine"


def fill(template: str, major: int, minor: int, patch: int) -> str:
    """An alias template, filled from a version."""
    return template.replace("{major}", str(major)).replace("{minor}", str(minor)).replace("{patch}", str(patch))


@dataclass(frozen=True)
class AliasRules:
    """Moving aliases: each template, filled from a version, follows the highest version it stands for."""

    templates: tuple[str, ...]
    """Such as ``{major}.{minor}-latest``; the placeholders are ``major``, ``minor`` and ``patch``."""
    version_of: Callable[[ImageTag], Version | None]
    """Reads a release version from an image tag; ``None`` where the tag is no version."""


@dataclass(frozen=True)
class TagRules:
    """Which image tags a repository may hold."""

    allow: tuple[Matcher, ...] = ()
    """Empty means every tag that is not denied."""
    deny: tuple[Matcher, ...] = ()
    aliases: AliasRules | None = None
    on_violation: OnViolation = OnViolation.NOTIFY
