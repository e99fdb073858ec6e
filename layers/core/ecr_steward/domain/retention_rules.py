"""What the steward keeps and expires by itself: the part of ``repository.lifecycle`` that ECR's grammar cannot say.

ECR's own lifecycle policy carries out the rest, and is compiled so that it can never claim an image which a keep here
protects, or which an entry above its own leaves to the steward.
"""

from collections.abc import Set
from dataclasses import dataclass
from enum import StrEnum

from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.names import ImageTag


class Use(StrEnum):
    """Who says that an image is in use."""

    ECS = "ecs"
    """A task definition that is active, or a task or service that runs one."""
    LAMBDA = "lambda"
    """A function, in one of its versions."""
    INSPECTOR = "inspector"
    """Inspector counts containers of ECS and EKS that run it (``inUseCount``)."""


@dataclass(frozen=True)
class Selection:
    """Which images an entry speaks about: those with an image tag of a pattern, the untagged ones, or all."""

    tags: tuple[Matcher, ...] = ()
    """One image tag that one of these matches is enough."""
    all_tags: tuple[Matcher, ...] = ()
    """For each of these an image tag is wanted."""
    untagged: bool = False
    """At most one of the three is given. None: every image."""

    @property
    def wants_a_tag(self) -> bool:
        """Whether it speaks about no untagged image."""
        return bool(self.tags or self.all_tags)

    def selects(self, image_tags: Set[ImageTag]) -> bool:
        """Whether the entry speaks about an image that holds these image tags."""
        if self.untagged:
            return not image_tags
        if self.tags:
            return any(pattern.matches(tag) for pattern in self.tags for tag in image_tags)
        return all(any(pattern.matches(tag) for tag in image_tags) for pattern in self.all_tags)

    def is_apart_from(self, other: "Selection") -> bool:
        """Whether no image can be in both.

        Patterns without a common image tag do not show that: one image can hold ``pr-1`` and ``v1``.
        """
        return (self.untagged and other.wants_a_tag) or (other.untagged and self.wants_a_tag)


@dataclass(frozen=True)
class ProtectingKeep:
    """A keep that wins over every expire, wherever it stands. All that it says must hold of an image."""

    spelling: str
    """The entry in short, for reasons, such as ``keep v*``."""
    selection: Selection = Selection()
    pulled_within: int | None = None
    """Days. An image that was never pulled is not protected by this."""
    in_use: frozenset[Use] = frozenset()
    """In use as one of these says; empty: whether or not."""


@dataclass(frozen=True)
class ExpireRule:
    """One entry by which images go. Exactly one of ``after``, ``not_pulled_for`` and ``newest`` is given."""

    spelling: str
    """The entry in short, for reasons, such as ``expire all images not pulled for 90 days``."""
    selection: Selection = Selection()
    after: int | None = None
    """Goes when it was pushed more than this many days ago."""
    not_pulled_for: int | None = None
    """Goes when it was last pulled, or pushed where it never was pulled, more than this many days ago."""
    newest: int | None = None
    """So many of the selection stay, by the time of their push; protected images and such as ``above`` selects count
    among them, as in ECR's own rules."""
    above: tuple[Selection, ...] = ()
    """What entries above this one select, whoever carries them out: they decide about those images, this one does not
    (ECR user guide, "Lifecycle policy evaluation rules")."""

    def decides_about(self, image_tags: Set[ImageTag]) -> bool:
        """Whether this is the first entry that selects an image with these image tags."""
        return self.selection.selects(image_tags) and not any(one.selects(image_tags) for one in self.above)


@dataclass(frozen=True)
class RetentionRules:
    """What the sweep keeps and expires in a repository, beside ECR's own lifecycle policy."""

    keeps: tuple[ProtectingKeep, ...] = ()
    expires: tuple[ExpireRule, ...] = ()
    """In the order of the rulebook."""

    @property
    def asks_about_use(self) -> frozenset[Use]:
        """Whom one has to ask what is in use before anything goes."""
        return frozenset[Use]().union(*(keep.in_use for keep in self.keeps))
