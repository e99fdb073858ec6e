"""The brake: how much a rule may take away in a sweep, by the events of an hour, and of one repository in a week.

It protects what has stood. It is counted and held for one repository, so that who may push to one keeps no rule from
all others; and for the whole rule where many repositories lose something. What answers a push is not counted: an
image tag of an image that came within the last hour has not stood, and no pusher can bring a brake to hold.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.lifecycle.loss import lost_by
from ecr_steward.domain.names import Digest
from ecr_steward.domain.native_deletes import newly_deleting
from ecr_steward.domain.plan import (
    CreateRepository,
    DeleteImage,
    PutLifecyclePolicy,
    RemoveImageTag,
    SetRepositoryPolicy,
    Step,
)
from ecr_steward.domain.policies.openings import Opening
from ecr_steward.domain.registries import PutCreationTemplate, PutRegistryPolicy, PutReplicationConfiguration

FREE_IMAGES: Final = 5
"""So many images of a repository the share never holds: a quarter of three images would be none at all."""


ANSWERED_WITHIN: Final = timedelta(hours=1)
"""So long after the push of an image the loss of its image tags is an answer to the push."""
MANY: Final = 10
"""So many repositories have to lose something, or to be held, in one window before a brake holds the whole rule."""
WEEK: Final = timedelta(days=7)


@dataclass(frozen=True)
class Brake:
    """How much a rule may take away before a person has to look. Both limits count what was taken in one window."""

    removals: int = 50
    """Steps that take something away, of one repository and of all together: an image, an image tag, or access.

    Of all together a repository counts with a tenth of it at most: few repositories keep a rule from no others.
    """
    share: int = 25
    """Percent of a repository's images, and of those that hold an image tag, that lose a tag or are deleted."""

    def images_of(self, there: int) -> int:
        """How many of so many images the share lets go."""
        return max(FREE_IMAGES, there * self.share // 100)

    def counted(self, removals: int, before: int = 0) -> int:
        """How much of what a repository loses, after so much before, counts among all together."""
        return min(before + removals, self.counted_at_most) - min(before, self.counted_at_most)

    @property
    def counted_at_most(self) -> int:
        """What one repository counts among all together."""
        return max(1, self.removals // MANY)


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
class Spent:
    """What was taken away before, in the same window."""

    here: Weight = Weight(0)
    """Of the repository or registry that a plan is about."""
    together: int = 0
    """Removals of all of them, as ``Brake.counted`` counts them."""


@dataclass(frozen=True)
class Excess:
    """Why a plan is more than a brake lets through."""

    why: str
    is_wide: bool = False
    """Whether many repositories have lost something, so that it is the rule that is to be looked at."""


@dataclass(frozen=True)
class Load:
    """What a rule's plan takes away from one repository or registry, and how much there is."""

    weight: Weight
    about: str
    """The repository or registry."""
    images_there: int = 0
    tagged_there: int = 0
    published: int = 0
    """Tagged images that everybody may pull by this plan."""
    beyond: str | None = None
    """Why no brake lets this through by itself, whatever its limits."""

    def by_itself(self, brake: Brake) -> Excess | None:
        """Why this is more than a brake lets through, whatever was taken away before, or ``None``."""
        if self.beyond:
            return Excess(f"{self.beyond}, which waits for a person")
        if self.published > brake.images_of(self.tagged_there):
            kind = f"{_of(self.published, 0, 'tagged images')} of {self.tagged_there} opened to everybody"
            return Excess(f"{kind}, {_more_than(f'{brake.share}%')}")
        return None

    def excess(self, brake: Brake, spent: Spent) -> Excess | None:
        """Why this is more than a brake lets through where so much was taken in this window, or ``None``."""
        if excess := self.by_itself(brake):
            return excess
        here, before = self.weight, spent.here
        if here.removals + before.removals > brake.removals:
            return Excess(f"{_of(here.removals, before.removals, 'removals')}, {_more_than(brake.removals)}")
        for kind, now, earlier, there in (
            ("tagged images", here.tagged, before.tagged, self.tagged_there),
            ("images", here.images, before.images, self.images_there),
        ):
            if now and now + earlier > brake.images_of(there):
                return Excess(f"{_of(now, earlier, kind)} of {there}, {_more_than(f'{brake.share}%')}")
        counted = brake.counted(here.removals, before.removals)
        if counted and counted + spent.together > brake.removals:
            of_all = f"from all repositories, {brake.counted_at_most} of each at most"
            return Excess(f"{_of(counted, spent.together, 'removals')} {of_all}, {_more_than(brake.removals)}", True)
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
    is_wide: bool = False
    """Whether the rule is held for all repositories, and not for this one alone."""
    is_told: bool = field(default=False, compare=False)
    """Whether people have been told."""

    def __str__(self) -> str:
        whom = f"the brake of rule {self.rule} holds" + (" everywhere" if self.is_wide else "")
        return f"{whom} since {self.since:%Y-%m-%d %H:%M} UTC: {self.subject}: {self.why}"


def is_destructive(step: Step) -> bool:
    """Whether a step takes something away, as a policy that replaces another one may or may not."""
    return step.is_destructive or (
        isinstance(step, SetRepositoryPolicy | PutRegistryPolicy | PutReplicationConfiguration) and step.takes_away
    )


def opened_by(step: Step) -> frozenset[Opening]:
    """What a step opens to other accounts, organizations or the public."""
    if isinstance(step, SetRepositoryPolicy | PutRegistryPolicy | PutCreationTemplate):
        return step.opens
    return frozenset()


def is_public(step: Step) -> bool:
    """Whether a step opens something to everybody."""
    return any(each.is_public for each in opened_by(step))


def is_braked(step: Step) -> bool:
    """Whether a brake counts a step: it takes something away, lets others in, or has ECR delete images by itself."""
    return bool(opened_by(step)) or is_destructive(step) or isinstance(step, PutLifecyclePolicy)


def loads(
    steps: Iterable[Step],
    about: object,
    images: RepositoryImages | None,
    now: datetime,
    counts_answers: Callable[[str], bool] = lambda _: False,
    *,
    names: Iterable[str] = (),
) -> dict[str, Load]:
    """What each rule takes away by these steps from a repository or registry, which holds these images.

    What answers a push of the last hour is left out, but for rules that ``counts_answers`` names; what ECR would delete
    by a lifecycle policy is counted, and so is each repository of a registry, which has these ``names``, whose replicas
    are to lose what it loses. A repository that is opened to everybody counts as often as it has tagged images. What is
    put into a repository that is only being created counts for nothing.
    """
    steps = list(steps)
    created = {step.repository for step in steps if isinstance(step, CreateRepository)}
    by_rule: dict[str, list[Step]] = {}
    for step in steps:
        is_answer = _answers_a_push(step, images, now) and not counts_answers(step.rule)
        if is_braked(step) and not is_answer and getattr(step, "repository", None) not in created:
            by_rule.setdefault(step.rule, []).append(step)
    listed = list(names)
    found = {rule: _load(asked, str(about), images, now, listed) for rule, asked in by_rule.items()}
    return {rule: load for rule, load in found.items() if load.weight.removals}


def erosion(load: Load, brake: Brake, there: int, before: int) -> Excess | None:
    """Why this is too much for a week at whose begin a repository had so many tagged images, and in which so many went.

    What goes while as many come, as retention does it, is no erosion.
    """
    gone, left = before + load.weight.tagged, load.tagged_there - load.weight.tagged
    if gone <= brake.images_of(there) or left >= there - brake.images_of(there):
        return None
    why = f"{_of(load.weight.tagged, before, 'tagged images')} in a week that began with {there}"
    return Excess(f"{why}, {_more_than(f'{brake.share}%')}")


def window_of_events(at: datetime) -> str:
    """What is counted together where no sweep is under way: an hour of the clock."""
    return f"hour {at:%Y-%m-%dT%H}"


def _answers_a_push(step: Step, images: RepositoryImages | None, now: datetime) -> bool:
    if images is None or not isinstance(step, RemoveImageTag):
        return False
    image = images.images.get(step.image.digest)
    return image is not None and image.pushed_at is not None and now - image.pushed_at <= ANSWERED_WITHIN


def _load(steps: list[Step], about: str, images: RepositoryImages | None, now: datetime, names: Iterable[str]) -> Load:
    by_ecr = [step for step in steps if isinstance(step, PutLifecyclePolicy)]
    tagged = frozenset(image.digest for image in images.images.values() if image.image_tags) if images else frozenset()
    published = len(tagged) if any(is_public(step) and isinstance(step, SetRepositoryPolicy) for step in steps) else 0
    removals = sum(_weight(step, published, names) for step in steps if step not in by_ecr)
    touched = {step.image.digest for step in steps if isinstance(step, RemoveImageTag | DeleteImage)}
    for step in by_ecr:
        lost = lost_by(step, images, now) if images else frozenset[Digest]()
        removals += len(lost - touched)
        touched |= lost
    load = Load(Weight(removals), about, published=published, beyond=next(filter(None, map(_beyond, steps)), None))
    if images is None or not (touched or published):
        return load
    weight = Weight(removals, len(touched), len(touched & tagged))
    return replace(load, weight=weight, images_there=len(images.images), tagged_there=len(tagged))


def _weight(step: Step, published: int, names: Iterable[str]) -> int:
    """How many removals a step counts as."""
    if isinstance(step, SetRepositoryPolicy) and is_public(step) and published:
        return max(FREE_IMAGES, published)
    if isinstance(step, PutReplicationConfiguration):
        return max(1, len(newly_deleting(step.previous, step.document, names)))
    return 1


def _beyond(step: Step) -> str | None:
    """Why a step waits for a person, whatever the limits: it opens repositories that no plan has looked at."""
    if isinstance(step, PutRegistryPolicy | PutCreationTemplate) and is_public(step):
        return f"everybody is let in: {step}"
    return None


def _of(now: int, before: int, kind: str) -> str:
    return f"{now} {kind if now != 1 else kind.removesuffix('s')}" + (f" after {before} before" if before else "")


def _more_than(limit: object) -> str:
    return f"more than the {limit} of its brake"
