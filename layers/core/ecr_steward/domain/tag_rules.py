"""The rules about image tags, as the domain sees them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.names import ImageTag


class Ordered(Protocol):
    """What versions are compared by."""

    def __lt__(self, other: Any, /) -> bool: ...


@dataclass(frozen=True)
class Version:
    """A version read from an image tag."""

    parts: Mapping[str, str] = field(compare=False)
    """What the placeholders of an alias template stand for, such as ``major`` or ``year``, as the tag spells it."""
    order: Ordered
    """Compares with those of the same scheme: as SemVer section 11 says, or by the calendar."""
    is_prerelease: bool = False
    """Also of a part of a release, such as ``1.4.2-arm64``: no alias follows it."""


class OnViolation(StrEnum):
    """What happens to an image tag that breaks its rule."""

    NOTIFY = "notify"
    QUARANTINE = "quarantine"


def fill(template: str, parts: Mapping[str, str]) -> str:
    """An alias template, filled from the parts of a version."""
    for name, value in parts.items():
        template = template.replace(f"{{{name}}}", value)
    return template


@dataclass(frozen=True)
class AliasRules:
    """Moving aliases: each template, filled from a version, follows the highest version it stands for."""

    templates: tuple[str, ...]
    """Such as ``{major}.{minor}-latest``; the placeholders are the parts of the scheme's versions."""
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
