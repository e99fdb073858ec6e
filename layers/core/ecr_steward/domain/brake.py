"""The brake: how much a rule may take away, in one sweep, or by the events of one hour."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.plan import DeleteImage, RemoveImageTag, SetRepositoryPolicy, Step
from ecr_steward.domain.registries import PutRegistryPolicy

FREE_IMAGES: Final = 5
"""So many images of a repository the share never holds: a quarter of three images would be none at all."""


@dataclass(frozen=True)
class Brake:
    """How much a rule may take away before a person has to look. Both limits count what was taken in one window."""

    removals: int = 50
    """Steps that take something away, of all repositories together: an image, an image tag, or access."""
    share: int = 25
    """Percent of a repository's images, and of those that hold an image tag, that lose a tag or are deleted."""

    def images_of(self, there: int) -> int:
        """How many of so many images the share lets go."""
        return max(FREE_IMAGES, there * self.share // 100)


USUAL: Final = Brake()
"""The brake of a rule that says nothing of it."""


@dataclass(frozen=True)
class Weight:
    """What a plan takes away."""

    removals: int
    images: int = 0
    """Images of the repository that are deleted or lose a tag."""
    tagged: int = 0
    """Those of them that hold an image tag."""


@dataclass(frozen=True)
class Load:
    """What a rule's plan takes away from one repository, and how much there is."""

    weight: Weight
    repository: RepositoryRef | None = None
    """``None`` where no image of a repository is touched: then there is no share."""
    images_there: int = 0
    tagged_there: int = 0

    def excess(self, brake: Brake, spent: Weight) -> str | None:
        """Why this is more than a brake lets through where so much was taken in this window, or ``None``."""
        removals = spent.removals + self.weight.removals
        if removals > brake.removals:
            return f"{_of(self.weight.removals, removals, 'removals')}, more than the {brake.removals} of its brake"
        for kind, now, before, there in (
            ("tagged images", self.weight.tagged, spent.tagged, self.tagged_there),
            ("images", self.weight.images, spent.images, self.images_there),
        ):
            if now and now + before > brake.images_of(there):
                return f"{_of(now, now + before, kind)} of {there}, more than the {brake.share}% of its brake"
        return None


@dataclass(frozen=True)
class Hold:
    """A brake that holds: until a person releases it, no plan is carried out by which its rule takes something away."""

    rule: str
    subject: str
    """The repository or registry whose plan was held first."""
    asked: int
    """Removals in that plan."""
    why: str
    since: datetime
    is_told: bool = field(default=False, compare=False)
    """Whether people have been told."""

    def __str__(self) -> str:
        return f"the brake of rule {self.rule} holds since {self.since:%Y-%m-%d %H:%M} UTC: {self.subject}: {self.why}"


def is_destructive(step: Step) -> bool:
    """Whether a step takes something away. A policy that replaces another one may or may not."""
    return step.is_destructive or (isinstance(step, SetRepositoryPolicy | PutRegistryPolicy) and step.takes_away)


def loads(steps: Iterable[Step], images: RepositoryImages | None = None) -> dict[str, Load]:
    """What each rule takes away by these steps. ``images`` are those of the repository whose images are touched."""
    by_rule: dict[str, list[Step]] = {}
    for step in steps:
        if is_destructive(step):
            by_rule.setdefault(step.rule, []).append(step)
    return {rule: _load(asked, images) for rule, asked in by_rule.items()}


def window_of_events(at: datetime) -> str:
    """What is counted together where no sweep is under way: an hour of the clock."""
    return f"hour {at:%Y-%m-%dT%H}"


def _load(steps: Iterable[Step], images: RepositoryImages | None) -> Load:
    steps = list(steps)
    touched = {step.image.digest for step in steps if isinstance(step, RemoveImageTag | DeleteImage)}
    if images is None or not touched:
        return Load(Weight(len(steps)))
    tagged = {image.digest for image in images.images.values() if image.image_tags}
    weight = Weight(len(steps), len(touched), len(touched & tagged))
    return Load(weight, images.repository, len(images.images), len(tagged))


def _of(now: int, together: int, kind: str) -> str:
    before = together - now
    return f"{now} {kind if now != 1 else kind.removesuffix('s')}" + (f" after {before} before" if before else "")
