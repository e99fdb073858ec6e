"""What a lifecycle policy would do to the images of a repository at a moment: which image goes, by which rule.

From "Lifecycle policy evaluation rules" of the ECR user guide. Simulated is one evaluation; ECR has one within 24
hours, and the next looks at what this one left. So:

* What a stored index lists is left alone, and comes into question when the index is gone. An archived index lets what
  it lists be archived, but not be deleted.
* No rule sees a referrer (a signature, an SBOM): it follows its subject within 24 hours, see ``following``.
* An image that is being restored from the archive is left alone.
"""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from ecr_steward.domain.lifecycle.policy import Action, CountType, LifecyclePolicy, LifecycleRule, StorageClass
from ecr_steward.domain.names import Digest, ImageTag


@dataclass(frozen=True)
class StoredImage:
    """What lifecycle rules go by, of one image, index or referrer."""

    digest: Digest
    pushed_at: datetime
    image_tags: frozenset[ImageTag] = frozenset()
    last_pulled_at: datetime | None = None
    storage_class: StorageClass = StorageClass.STANDARD
    archived_at: datetime | None = None
    restored_at: datetime | None = None
    """When it last came back from the archive: from then on it counts as pushed."""
    is_being_restored: bool = False
    subject: Digest | None = None
    """What it is a referrer of."""
    children: frozenset[Digest] = frozenset()
    """What it lists, where it is an index."""

    @property
    def is_archived(self) -> bool:
        """Whether nobody can pull it, and nobody is about to."""
        return self.storage_class is StorageClass.ARCHIVE and not self.is_being_restored

    @property
    def came_at(self) -> datetime:
        """When it was pushed, or restored if it ever was."""
        return self.restored_at or self.pushed_at

    @property
    def used_at(self) -> datetime:
        """When it was last pulled; where it was not since it came, when it came."""
        return self.came_at if self.last_pulled_at is None else max(self.last_pulled_at, self.came_at)

    @property
    def stored_since(self) -> datetime:
        """Since when it is in its storage class. By this the oldest goes first."""
        if self.storage_class is StorageClass.ARCHIVE and self.archived_at is not None:
            return self.archived_at
        return self.came_at


@dataclass(frozen=True)
class Claim:
    """One image, and the one rule that claims it; no rule where it only follows its subject."""

    image: StoredImage
    action: Action
    rule: LifecycleRule | None
    since: datetime
    """From when on the rule may act: the moment its days were over, or that of the evaluation for a rule that counts
    images."""


def simulate(policy: LifecyclePolicy, images: Collection[StoredImage], now: datetime) -> tuple[Claim, ...]:
    """What one evaluation at this moment does, the oldest image first; at most one claim on an image.

    Of images of the same moment the one with the lesser digest counts as older. ECR does not say which is.
    """
    listed = listed_in(images)
    seen: set[Digest] = set()
    claims: list[Claim] = []
    visible = [image for image in images if not _is_out_of_sight(image, listed)]
    for rule in policy.in_order:
        identified = [
            image
            for image in visible
            if image.storage_class is rule.selection.storage_class and rule.selection.selects(image.image_tags)
        ]
        claims += [
            Claim(image, rule.action, rule, since)
            for image, since in _marked(identified, rule, now)
            if image.digest not in seen and not (rule.action is Action.EXPIRE and image.digest in listed)
        ]
        seen.update(image.digest for image in identified)
    return tuple(sorted(claims, key=lambda claim: _age(claim.image)))


def following(images: Iterable[StoredImage], claims: Iterable[Claim]) -> tuple[Claim, ...]:
    """The referrers that go or are archived with their subjects, and what refers to those, within 24 hours.

    A referrer whose subject is not in the repository stays: whether it ever was cannot be told from what is there.
    """
    there = {image.digest: image for image in images}
    listed = listed_in(there.values())
    waiting: dict[Digest, list[StoredImage]] = {}
    for image in there.values():
        if image.subject is not None and image.subject != image.digest:
            waiting.setdefault(image.subject, []).append(image)
    fates = {claim.image.digest: claim for claim in claims}
    todo = deque(fates)
    todo += (image.digest for image in there.values() if image.is_archived and image.digest not in fates)
    found: list[Claim] = []
    while todo:
        subject = todo.popleft()
        fate = fates.get(subject)
        action = fate.action if fate else Action.ARCHIVE
        for referrer in waiting.pop(subject, ()):
            if referrer.digest in fates or not _can_follow(referrer, action, listed):
                continue
            claim = Claim(referrer, action, None, fate.since if fate else there[subject].stored_since)
            fates[referrer.digest] = claim
            found.append(claim)
            todo.append(referrer.digest)
    return tuple(found)


def listed_in(images: Iterable[StoredImage]) -> Mapping[Digest, StorageClass]:
    """What indexes list: with the class standard where one of them is not archived."""
    listed: dict[Digest, StorageClass] = {}
    for index in images:
        for child in index.children:
            if not index.is_archived:
                listed[child] = StorageClass.STANDARD
            listed.setdefault(child, StorageClass.ARCHIVE)
    return listed


def _is_out_of_sight(image: StoredImage, listed: Mapping[Digest, StorageClass]) -> bool:
    return image.is_being_restored or image.subject is not None or listed.get(image.digest) is StorageClass.STANDARD


def _can_follow(referrer: StoredImage, action: Action, listed: Mapping[Digest, StorageClass]) -> bool:
    if action is Action.EXPIRE:
        return referrer.digest not in listed
    return referrer.storage_class is StorageClass.STANDARD and listed.get(referrer.digest) is not StorageClass.STANDARD


def _marked(
    identified: Iterable[StoredImage], rule: LifecycleRule, now: datetime
) -> Iterator[tuple[StoredImage, datetime]]:
    if rule.count_type is CountType.IMAGES:
        youngest_first = sorted(identified, key=_age, reverse=True)
        yield from ((image, now) for image in youngest_first[rule.count_number :])
        return
    for image in identified:
        try:
            due = _counted_from(image, rule.count_type) + timedelta(days=rule.count_number)
        except OverflowError:  # later than there are years
            continue
        if due < now:
            yield image, due


def _counted_from(image: StoredImage, count_type: CountType) -> datetime:
    match count_type:
        case CountType.PULLED:
            return image.used_at
        case CountType.ARCHIVED:
            return image.stored_since
        case _:
            return image.came_at


def _age(image: StoredImage) -> tuple[datetime, Digest]:
    return image.stored_since, image.digest
