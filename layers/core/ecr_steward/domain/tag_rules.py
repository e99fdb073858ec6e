"""The rules about image tags, as the domain sees them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any, Protocol

from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.names import ImageTag
from ecr_steward.domain.repositories import TagMutability


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
    """What happens to an image tag, or to an image, that breaks its rule."""

    NOTIFY = "notify"
    UNTAG = "untag"
    """The tag goes, where its image keeps another one. What is wrong with an image as a whole is quarantined."""
    QUARANTINE = "quarantine"


class AliasMove(StrEnum):
    """How an alias gets from one image to another."""

    RETAG = "retag"
    """In one call, which an immutable repository refuses."""
    DELETE_AND_RETAG = "delete_and_retag"
    """In two, between which nobody can pull the alias."""


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
    forms: tuple[Matcher, ...] = ()
    """What matches an alias of each template, whatever the version."""
    move: AliasMove = AliasMove.RETAG
    stuck_by: Callable[[TagMutability], str | None] = field(default=lambda _: None, compare=False)
    """Why some alias could not move in a repository of this mutability; ``None`` where all could."""


@dataclass(frozen=True)
class Requirement:
    """A label or annotation that an image must have."""

    key: str
    pattern: Matcher | None = None
    """What its value must match; else any value but the empty one will do."""


@dataclass(frozen=True)
class CompanionRules:
    """What must be in the repository beside an image."""

    artifact_types: tuple[str, ...] = ()
    """For each of them a referrer."""
    cosign_signature: bool = False
    """An image tag as cosign names its signatures."""
    within: timedelta = timedelta(hours=1)
    """How long after its push an image may do without: who signs an image pushes it first."""


@dataclass(frozen=True)
class TagExpiry:
    """When image tags go that nobody has put anywhere any more."""

    tags: tuple[Matcher, ...]
    after: int
    """Days since the tag was pushed or moved last."""

    def selects(self, image_tag: ImageTag) -> bool:
        """Whether this speaks about an image tag."""
        return any(pattern.matches(image_tag) for pattern in self.tags)

    def __str__(self) -> str:
        return f"expire {', '.join(pattern.spelling for pattern in self.tags)} after {self.after} days"


@dataclass(frozen=True)
class TagRules:
    """Which image tags a repository may hold."""

    allow: tuple[Matcher, ...] = ()
    """Empty means every tag that is not denied."""
    deny: tuple[Matcher, ...] = ()
    protect: tuple[Matcher, ...] = ()
    """Image tags that nothing of ours removes, nor the images that hold them."""
    labels: tuple[Requirement, ...] = ()
    annotations: tuple[Requirement, ...] = ()
    companions: CompanionRules | None = None
    aliases: AliasRules | None = None
    on_violation: OnViolation = OnViolation.NOTIFY
    expire: tuple[TagExpiry, ...] = ()
    """The first that speaks about an image tag decides."""

    @property
    def asks_for_content(self) -> bool:
        """Whether more has to be read of an image than its image tags."""
        return bool(self.labels or self.annotations or self.companions)

    def protects(self, image_tag: ImageTag) -> bool:
        """Whether nothing of ours removes this image tag, nor the image that holds it."""
        return any(pattern.matches(image_tag) for pattern in self.protect)
