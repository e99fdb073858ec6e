"""What has gone at the source and is to go at a destination, after a time of grace."""

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
            and not any(rules.protects(tag) for rules in (self.rule.image_tags, self.own) if rules)
            and self._would_copy(tag, digest)
        }

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
    """Take image tags that have been missed for long enough.

    On ECR an image goes with its last tag, so its end is planned as what it is: an index before what it lists.
    """
    by_image: dict[Digest, dict[ImageTag, str]] = {}
    for tag, missed in sorted(due.items()):
        why = f"{tag} has been gone from {source} since {missed.since:%Y-%m-%d}"
        by_image.setdefault(missed.digest, {})[tag] = why
    steps: list[Step] = []
    for digest, going in sorted(by_image.items(), key=lambda each: (not _is_index(each[0], destination), each[0])):
        image = ImageRef(destination.repository, digest)
        if destination.tags_of(digest) <= going.keys():
            why = "; ".join(going.values())
            steps.append(DeleteImage(rule=rule, why=why, image=image, image_tags=frozenset(going)))
        else:
            steps += [RemoveImageTag(rule=rule, why=why, image=image, image_tag=tag) for tag, why in going.items()]
    return Plan(tuple(steps))


def _is_index(digest: Digest, images: RepositoryImages) -> bool:
    return digest in images.images and images.images[digest].media_type in INDEX_MEDIA_TYPES
