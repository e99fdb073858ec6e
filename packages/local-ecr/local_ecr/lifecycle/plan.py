"""What a lifecycle policy would do to the images of a repository. Pure: facts, policy and time in, steps out.

Sources: ECR user guide, "Automate the cleanup of images by using lifecycle policies" (the evaluation rules) and
"Examples of lifecycle policies"; what a preview on AWS did with the images of an index:
github.com/DefangLabs/pulumi-defang/pull/466.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from local_ecr.lifecycle.policy import (
    ARCHIVE,
    COUNT,
    EXPIRE,
    SINCE_PULLED,
    SINCE_TRANSITIONED,
    STANDARD,
    TRANSITION,
    Rule,
)
from local_ecr.names import Digest

DAY = 86_400.0


@dataclass(frozen=True)
class ImageFacts:
    """What the evaluator knows of one image; moments in seconds since the epoch."""

    id: int
    """Of two images of the same moment, the one with the greater id is the younger."""
    digest: Digest
    image_tags: tuple[str, ...]
    pushed_at: float
    storage_class: str
    """STANDARD or ARCHIVE; an image that is being restored is still in the archive."""
    last_pulled_at: float | None = None
    archived_at: float | None = None
    activated_at: float | None = None
    """When it was last restored from the archive."""
    listed_in: str | None = None
    """STANDARD when an index of that class lists it, ARCHIVE when only archived ones do, None when none does."""
    subject: Digest | None = None
    is_orphaned: bool = False
    """Whether its subject was here and was deleted."""
    is_activating: bool = False

    @property
    def came_at(self) -> float:
        """When it was pushed, or came back from the archive."""
        return self.pushed_at if self.activated_at is None else self.activated_at

    @property
    def pulled_at(self) -> float:
        """When it was last pulled; if never since it came, when it came."""
        return self.came_at if self.last_pulled_at is None else max(self.last_pulled_at, self.came_at)

    @property
    def is_ranked(self) -> bool:
        """Whether rules see it. What an index lists is kept or goes with that, a referrer with its subject."""
        return not (self.is_activating or self.subject or self.listed_in == STANDARD)


@dataclass(frozen=True)
class Step:
    """One image, and the one rule that acts on it; no rule when it only follows its subject."""

    image: ImageFacts
    action: str
    """EXPIRE or TRANSITION."""
    rule_priority: int | None


def plan(images: Iterable[ImageFacts], rules: Sequence[Rule], now: float) -> list[Step]:
    """What the rules do, the oldest image first; at most one step for an image.

    Every rule sees every image that meets its tagging requirements, also those that another has marked. An image is
    acted on by the first of the rules that see it, or not at all. An image stays as long as an index lists it that is
    not archived, and is not deleted as long as any index lists it; the run after the one that took the index decides.
    """
    ranked = [image for image in images if image.is_ranked]
    seen: set[int] = set()
    steps = []
    for rule in sorted(rules, key=lambda one: one.priority):
        identified = [one for one in ranked if one.storage_class == rule.storage_class and rule.selects(one.image_tags)]
        steps += [
            Step(image, rule.action, rule.priority)
            for image in _marked(identified, rule, now)
            if image.id not in seen and not (rule.action == EXPIRE and image.listed_in)
        ]
        seen |= {image.id for image in identified}
    return sorted(steps, key=lambda step: _age(step.image))


def followers(images: Iterable[ImageFacts], steps: Iterable[Step]) -> list[Step]:
    """What goes with its subject: referrers of what was deleted or archived before, or is by `steps`; theirs as well.

    ECR has them gone within 24 hours; here they are in the same run as their subject.
    """
    known = list(images)
    fates = {step.image.digest: step.action for step in steps}
    classes = {image.digest: image.storage_class for image in known}
    waiting = [image for image in known if image.subject and image.digest not in fates]
    referrers: dict[Digest | None, list[ImageFacts]] = defaultdict(list)
    for image in waiting:
        referrers[image.subject].append(image)
    found: list[Step] = []
    while waiting:
        going = [Step(image, action, None) for image in waiting if (action := _fate(image, fates, classes)) is not None]
        found += going
        fates |= {step.image.digest: step.action for step in going}
        # nobody else can have another fate than a moment ago: a long chain of referrers is walked once
        behind = [image for step in going for image in referrers[step.image.digest]]
        waiting = [image for image in behind if image.digest not in fates]
    return found


def _marked(identified: Sequence[ImageFacts], rule: Rule, now: float) -> Sequence[ImageFacts]:
    if rule.count_type == COUNT:
        youngest_first = sorted(identified, key=_age, reverse=True)
        return youngest_first[rule.count_number :]
    before = now - rule.count_number * DAY
    return [image for image in identified if _moment(image, rule) < before]


def _moment(image: ImageFacts, rule: Rule) -> float:
    """The moment from which a rule counts days."""
    if rule.count_type == SINCE_PULLED:
        return image.pulled_at
    if rule.count_type == SINCE_TRANSITIONED:
        return _archived_at(image)
    return image.came_at


def _age(image: ImageFacts) -> tuple[float, int]:
    return (_archived_at(image) if image.storage_class == ARCHIVE else image.came_at), image.id


def _archived_at(image: ImageFacts) -> float:
    return image.came_at if image.archived_at is None else image.archived_at


def _fate(image: ImageFacts, fates: Mapping[Digest, str], classes: Mapping[Digest, str]) -> str | None:
    """What becomes of a referrer, if anything."""
    subject = image.subject
    assert subject is not None  # noqa: S101  only referrers are asked about
    if fates.get(subject) == EXPIRE or (subject not in classes and image.is_orphaned):
        return None if image.listed_in else EXPIRE
    if fates.get(subject) == TRANSITION or classes.get(subject) == ARCHIVE:
        can_be_archived = image.storage_class == STANDARD and image.listed_in != STANDARD
        return TRANSITION if can_be_archived else None
    return None
