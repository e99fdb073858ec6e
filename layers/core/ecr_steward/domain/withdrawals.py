"""What a destination is to lose: what its source has no longer, after a time of grace, and what has failed its scan."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from ecr_steward.domain.images import INDEX_MEDIA_TYPES, RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag, RepositoryRef
from ecr_steward.domain.plan import DeleteImage, Plan, RemoveImageTag, Step
from ecr_steward.domain.rules import ReplicationRules, Rule
from ecr_steward.domain.sightings import REMEMBERED, Sighted, Sighting
from ecr_steward.domain.tag_rules import TagRules
from ecr_steward.domain.tagging import TagReading, attached_to, is_attachment

_SWEEPS = 6
_LEAST = timedelta(hours=6)


def kept_for(sweeps_every: timedelta) -> timedelta:
    """How long it is kept since when a tag has been missed, once no sweep says so any more.

    Six sweeps, of which each second one may fail, but six hours at least and ``REMEMBERED`` at most: else a rule that
    says ``remove`` again, after a time in which nobody looked, would take away at once what it has once missed.
    """
    return min(max(_SWEEPS * sweeps_every, _LEAST), REMEMBERED)


@dataclass(frozen=True)
class Mirror:
    """A destination that holds what one entry copies from one source, and nothing else."""

    rule: Rule
    replication: ReplicationRules
    source: RepositoryImages
    destination: RepositoryImages
    own: TagRules | None = None
    """What a rule says of the destination's image tags: what that protects stays, too."""

    def missed(self) -> Mapping[ImageTag, Digest]:
        """The image tags of the destination that this entry would copy, and that its source has no longer.

        Who holds each, too. Protected tags are none of them, nor is the tag of a quarantined image, one that breaks the
        rule, or an image that the source keeps in its archive. What is attached to an image by its tag's name is missed
        when that image is.
        """
        return {
            tag: digest
            for tag, digest in self.destination.holders.items()
            if tag not in self.source.holders
            and digest not in self.source.archived
            and not self._protects(tag)
            and self._would_copy(tag, digest)
        }

    def shown(self, digest: Digest) -> frozenset[ImageTag]:
        """The image tags by which the destination shows an image, that this entry would copy and no rule protects."""
        return frozenset(
            tag for tag in self.destination.tags_of(digest) if not self._protects(tag) and self._would_copy(tag, digest)
        )

    def _protects(self, tag: ImageTag) -> bool:
        return any(rules.protects(tag) for rules in (self.rule.image_tags, self.own) if rules)

    def speaks_of(self, tag: ImageTag) -> bool:
        """Whether this entry says anything about a tag of this name, whoever holds it."""
        return is_attachment(tag) or not self.replication.tags or self._is_selected(tag)

    def _would_copy(self, tag: ImageTag, digest: Digest) -> bool:
        if (subject := attached_to(tag, self.destination)) is not None:
            return self.replication.referrers and not self.source.has(subject)
        return tag in self._reading.compliant_tags(digest) and (not self.replication.tags or self._is_selected(tag))

    def _is_selected(self, tag: ImageTag) -> bool:
        return any(pattern.matches(tag) for pattern in self.replication.tags)

    @cached_property
    def _reading(self) -> TagReading:
        return TagReading(self.rule.image_tags or TagRules(), self.destination)


@dataclass(frozen=True)
class Missing:
    """What a look at both ends makes of what was missed before."""

    since: Sighted
    """Since when each tag has been missed."""
    written: Sighted
    """Those of them that were not known, are another image now, or have to be kept longer."""
    back: frozenset[ImageTag]
    """Tags that nobody misses any more."""

    @classmethod
    def of(
        cls, before: Sighted, missed: Mapping[ImageTag, Digest], now: datetime, kept: timedelta = REMEMBERED
    ) -> "Missing":
        """Of what is missed now. What nobody has missed for longer than ``kept`` is missed for the first time."""
        written: dict[ImageTag, Sighting] = {}
        for tag, digest in missed.items():
            known = before.get(tag)
            if known is None or known.digest != digest or known.kept_until <= now:
                written[tag] = Sighting.at(digest, now, kept)
            elif known.has_to_be_renewed(now, kept):
                written[tag] = known.renewed(now, kept)
        since = {tag: written.get(tag) or before[tag] for tag in missed}
        return cls(since, written, frozenset(before.keys() - missed.keys()))

    def due(self, grace: timedelta, now: datetime) -> Sighted:
        """What has been missed for longer than this."""
        return {tag: sighting for tag, sighting in self.since.items() if now - sighting.since > grace}


def plan_withdrawals(rule: str, source: RepositoryRef, destination: RepositoryImages, due: Sighted) -> Plan:
    """Take image tags that have been missed for long enough."""
    by_image: dict[Digest, dict[ImageTag, str]] = {}
    for tag, missed in sorted(due.items()):
        why = f"{tag} has been gone from {source} since {missed.since:%Y-%m-%d}"
        by_image.setdefault(missed.digest, {})[tag] = why
    return _removals(rule, destination, by_image)


def plan_withdrawal_of_failed(mirror: Mirror, failed: Mapping[Digest, str]) -> Plan:
    """Take the image tags of images that have failed their scan, with the reason of each verdict."""
    by_image = {digest: dict.fromkeys(sorted(mirror.shown(digest)), why) for digest, why in failed.items()}
    plan = _removals(mirror.rule.name, mirror.destination, by_image)
    left = {digest: mirror.destination.tags_of(digest) - tags.keys() for digest, tags in by_image.items()}
    remarks = tuple(
        f"{digest} failed its scan and stays as {', '.join(sorted(tags))}: the entry does not copy them, or a rule "
        "protects them"
        for digest, tags in sorted(left.items())
        if tags
    )
    return plan + Plan(remarks=remarks)


def _removals(rule: str, destination: RepositoryImages, by_image: Mapping[Digest, Mapping[ImageTag, str]]) -> Plan:
    """Take these image tags, each for its reason.

    On ECR an image goes with its last tag, so its end is planned as what it is: an index before what it lists.
    """
    steps: list[Step] = []
    for digest, going in sorted(by_image.items(), key=lambda each: (not _is_index(each[0], destination), each[0])):
        image = ImageRef(destination.repository, digest)
        if going and destination.tags_of(digest) <= going.keys():
            why = "; ".join(dict.fromkeys(going.values()))
            steps.append(DeleteImage(rule=rule, why=why, image=image, image_tags=frozenset(going)))
        else:
            steps += [RemoveImageTag(rule=rule, why=why, image=image, image_tag=tag) for tag, why in going.items()]
    return Plan(tuple(steps))


def _is_index(digest: Digest, images: RepositoryImages) -> bool:
    return digest in images.images and images.images[digest].media_type in INDEX_MEDIA_TYPES
