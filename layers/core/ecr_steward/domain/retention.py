"""Retention: which images of a repository the steward's own sweep deletes, where ECR's lifecycle policy cannot."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from ecr_steward.domain.contents import Contents
from ecr_steward.domain.images import Image
from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.domain.plan import DeleteImage, Plan, Step
from ecr_steward.domain.retention_rules import ExpireRule, ProtectingKeep, RetentionRules
from ecr_steward.domain.tagging import ANOTHER_TAG_IS_DUE, is_in_quarantine
from ecr_steward.domain.usage import NOT_ASKED, Usage


@dataclass(frozen=True)
class Keeping:
    """What may not go from a repository, whoever wants it gone: what a keep or a protected image tag holds."""

    now: datetime
    keeps: tuple[ProtectingKeep, ...] = ()
    protect: tuple[Matcher, ...] = ()
    """Image tags that nothing removes, nor the image that holds one."""
    usage: Usage = NOT_ASKED
    asks: bool = True
    """Whether the keeps that speak of use are looked at; without, a plan says what would go if nothing were in use."""
    unreadable: Mapping[Digest, str] = field(default_factory=dict)
    """Indexes of which it is not known what they list, and why. They stay, and with them what may belong to them."""

    def protects_tag(self, image_tag: ImageTag) -> Matcher | None:
        """The pattern of ``image_tags.protect`` that an image tag falls under."""
        return next((pattern for pattern in self.protect if pattern.matches(image_tag)), None)

    def verdict(self, digest: Digest, contents: Contents) -> "Kept | None":
        """Why an image stays; ``None`` where nothing keeps it.

        What depends on another image stays with that one, and by itself only for a tag of its own or a use.
        """
        if doubt := self._doubt_about(digest, contents):
            return doubt
        tags = contents.images.tags_of(digest)
        for tag in sorted(tags):
            if pattern := self._protecting(tag):
                return Kept(f"its image tag {tag} is protected by {pattern.spelling!r}")
        doubt = None
        depends = contents.depends(digest)
        for keep in self.keeps:
            if not depends or keep.in_use or keep.selection.wants_a_tag:
                kept = self._by_keep(keep, digest, contents)
                if kept and not kept.in_doubt:
                    return kept
                doubt = doubt or kept
        return None if depends else doubt

    def verdict_on_tag(self, image_tag: ImageTag, digest: Digest, contents: Contents) -> "Kept | None":
        """Why exactly this image tag stays where its image would stay without it."""
        if digest in self.unreadable:
            return Kept(self.unreadable[digest], in_doubt=True)
        if pattern := self._protecting(image_tag):
            return Kept(f"it is protected by {pattern.spelling!r}")
        doubt = None
        for keep in self.keeps:
            kept = None
            if keep.in_use and self.asks and _applies(keep, digest, contents, self.now):
                if user := self.usage.user_of_tag(image_tag, digest, contents, keep.in_use):
                    return Kept(f"{user} may pull it, says {keep.spelling!r}")
                if why := self.usage.doubt_about(digest, contents, keep.in_use):
                    kept = Kept(f"it may be in use: {why}", in_doubt=True)
            elif keep.selection.wants_a_tag and keep.selection.selects({image_tag}):
                kept = self._by_keep(keep, digest, contents)
            if kept and not kept.in_doubt:
                return kept
            doubt = doubt or kept
        return doubt

    def _doubt_about(self, digest: Digest, contents: Contents) -> "Kept | None":
        """Why it is not known whether an image stands for itself.

        An index is pushed after what it lists. A tagged image that an unreadable index lists is an image of its own,
        and ECR refuses to delete it.
        """
        if digest in self.unreadable:
            return Kept(self.unreadable[digest], in_doubt=True)
        image = contents.images.images[digest]
        for index, why in sorted(self.unreadable.items()) if not image.image_tags else ():
            listing = contents.images.images.get(index)
            if not (image.pushed_at and listing and listing.pushed_at and image.pushed_at > listing.pushed_at):
                return Kept(f"it may belong to the index {index}: {why}", in_doubt=True)
        return None

    def _protecting(self, image_tag: ImageTag) -> Matcher | None:
        return next((pattern for pattern in self.protect if pattern.matches(image_tag)), None)

    def _by_keep(self, keep: ProtectingKeep, digest: Digest, contents: Contents) -> "Kept | None":
        if not _applies(keep, digest, contents, self.now):
            return None
        if not keep.in_use:
            return Kept(f"{keep.spelling!r} keeps it")
        if not self.asks:
            return None
        if user := self.usage.user_of(digest, contents, keep.in_use):
            return Kept(f"{user} uses it, says {keep.spelling!r}")
        if doubt := self.usage.doubt_about(digest, contents, keep.in_use):
            return Kept(f"it may be in use: {doubt}", in_doubt=True)
        return None


@dataclass(frozen=True)
class Kept:
    """Why an image stays."""

    why: str
    in_doubt: bool = False
    """It stays because something is not known, which a reader should hear of."""


def last_pull(digest: Digest, contents: Contents) -> datetime | None:
    """When an image, or what it lists, was pulled last."""
    images = contents.images.images
    pulls = [at for member in contents.family(digest) if (at := images[member].last_pulled_at)]
    return max(pulls, default=None)


def plan_retention(rule: str, retention: RetentionRules, contents: Contents, keeping: Keeping) -> Plan:
    """Delete what an expire entry claims and nothing keeps, with what only belongs to it; indexes before children."""
    steps: list[Step] = []
    while True:
        claims, doubts = _Claims(retention.expires, contents, keeping.now).of_all()
        more, remarks = plan_end(rule, claims, contents, keeping)
        if not more:
            return Plan(tuple(steps), remarks=(*remarks, *told(doubts)))
        # What has lost its owner is an image of its own from now on, and may be one too many.
        steps += more
        contents = contents.after(more)


def plan_end(
    rule: str, claims: Mapping[Digest, str], contents: Contents, keeping: Keeping
) -> tuple[list[Step], list[str]]:
    """The steps that delete claimed images and what belongs to them, in the order in which ECR takes them.

    And remarks on the images that would go if more were known.
    """
    if_nothing_stayed = contents.going(claims, ())
    kept = {digest: why for digest in if_nothing_stayed if (why := keeping.verdict(digest, contents))}
    steps: list[Step] = []
    for digest, reason in contents.going(claims, kept).items():
        image = contents.images.images[digest]
        owners = contents.owners[digest]
        step = DeleteImage(rule=rule, why=reason, image=image.ref, image_tags=image.image_tags, belongs_to=owners)
        steps.append(step)
    return steps, list(told({str(digest): kept[digest].why for digest in kept if kept[digest].in_doubt}))


def told(doubts: Mapping[str, str]) -> Iterator[str]:
    """One remark for each reason, however much stays for it."""
    by_reason: dict[str, list[str]] = defaultdict(list)
    for subject, why in sorted(doubts.items()):
        by_reason[why].append(subject)
    for why, subjects in by_reason.items():
        more = f" and {len(subjects) - 1} more" if len(subjects) > 1 else ""
        yield f"{subjects[0]}{more} would go, but stay{'' if more else 's'}: {why}"


def _applies(keep: ProtectingKeep, digest: Digest, contents: Contents, now: datetime) -> bool:
    """Whether a keep speaks about an image, whoever uses it."""
    if not keep.selection.selects(contents.images.tags_of(digest)):
        return False
    if keep.pulled_within is None:
        return True
    pulled = last_pull(digest, contents)
    return pulled is not None and now - pulled <= timedelta(days=keep.pulled_within)


@dataclass(frozen=True)
class _Claims:
    expires: Sequence[ExpireRule]
    contents: Contents
    now: datetime

    def of_all(self) -> tuple[dict[Digest, str], dict[str, str]]:
        """Which images an entry claims and why, and of which it cannot be told."""
        claims, doubts = dict[Digest, str](), dict[str, str]()
        for digest, image in self.contents.images.images.items():
            if self.contents.depends(digest) or self._may_belong_soon(image):
                continue
            position = next((n for n, one in enumerate(self.expires) if one.decides_about(image.image_tags)), None)
            if position is None or self._was_quarantined(digest, self.expires[position]):
                continue
            if image.pushed_at is None:
                doubts[str(digest)] = "it is not known when it was pushed"
            elif why := self._reason(position, image, image.pushed_at):
                claims[digest] = why
        return claims, doubts

    def _may_belong_soon(self, image: Image) -> bool:
        """Whether an index or a subject may be on its way that an image belongs to: both are pushed after it."""
        return not image.image_tags and image.pushed_at is not None and self.now - image.pushed_at < ANOTHER_TAG_IS_DUE

    def _was_quarantined(self, digest: Digest, entry: ExpireRule) -> bool:
        """Whether an image has lost the tags by which it could be kept, to an entry that names no image tag.

        Who took them may have been wrong: tags can be given back, as long as the image is there.
        """
        return not entry.selection.wants_a_tag and is_in_quarantine(digest, self.contents.images)

    def _reason(self, position: int, image: Image, pushed_at: datetime) -> str | None:
        entry = self.expires[position]
        if entry.after is not None and self.now - pushed_at > timedelta(days=entry.after):
            return f"{entry.spelling!r}: it was pushed on {pushed_at:%Y-%m-%d}"
        if entry.not_pulled_for is not None:
            pulled = last_pull(image.digest, self.contents)
            if self.now - (pulled or pushed_at) > timedelta(days=entry.not_pulled_for):
                pushed = f"pushed on {pushed_at:%Y-%m-%d} and never pulled"
                return f"{entry.spelling!r}: it was {f'last pulled on {pulled:%Y-%m-%d}' if pulled else pushed}"
        if entry.newest is not None:
            newer = self._newer[position][image.digest]
            if newer >= entry.newest:
                return f"{entry.spelling!r}: {newer} are newer"
        return None

    @cached_property
    def _newer(self) -> Mapping[int, Mapping[Digest, int]]:
        """For each entry that counts, how many images of its selection are newer than each of them."""
        return {n: self._ranks(entry) for n, entry in enumerate(self.expires) if entry.newest is not None}

    def _ranks(self, entry: ExpireRule) -> Mapping[Digest, int]:
        selected = [
            (image.pushed_at, digest)
            for digest, image in self.contents.images.images.items()
            if image.pushed_at
            and not self.contents.depends(digest)
            and not self._may_belong_soon(image)
            and entry.selection.selects(image.image_tags)
        ]
        return {digest: rank for rank, (_, digest) in enumerate(sorted(selected, reverse=True))}
