"""Sightings: since when an image tag has been where it is. ECR has times for images alone, not for their tags."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.domain.tag_rules import TagRules

REMEMBERED = timedelta(days=60)
"""How long a sighting is kept that nobody renews: of a tag that is there, each sweep looks after it."""


@dataclass(frozen=True)
class Sighting:
    """An image tag as it was seen last, and since when nobody has put it anywhere."""

    digest: Digest
    since: datetime
    kept_until: datetime = field(compare=False)

    @classmethod
    def at(cls, digest: Digest, moment: datetime, kept: timedelta = REMEMBERED) -> "Sighting":
        """A tag that was put just then."""
        return cls(digest, moment, moment + kept)

    def has_to_be_renewed(self, now: datetime, kept: timedelta = REMEMBERED) -> bool:
        """Whether it would be forgotten too soon: in less than half of the time that it is kept for."""
        return self.kept_until - now < kept / 2

    def renewed(self, now: datetime, kept: timedelta = REMEMBERED) -> "Sighting":
        """The same, kept longer."""
        return Sighting(self.digest, self.since, now + kept)


type Sighted = Mapping[ImageTag, Sighting]


def selected_by_expiry(rules: TagRules, images: RepositoryImages) -> Mapping[ImageTag, Digest]:
    """The image tags that an expiry speaks about, and who holds each."""
    return {
        tag: digest for tag, digest in images.holders.items() if any(expiry.selects(tag) for expiry in rules.expire)
    }


@dataclass(frozen=True)
class Renewal:
    """What a look at a repository makes of the sightings that there were."""

    sighted: Sighted
    """Of every image tag that an expiry speaks about."""
    written: Sighted
    """Those of them that are new or have to be kept longer."""
    gone: frozenset[ImageTag]
    """Tags that are no longer there, or of which no expiry speaks any more."""


def renew(before: Sighted, rules: TagRules, images: RepositoryImages, now: datetime) -> Renewal:
    """See which tags are where they were. A tag that was never seen, or has moved, is seen for the first time."""
    sighted: dict[ImageTag, Sighting] = {}
    written: dict[ImageTag, Sighting] = {}
    for tag, digest in selected_by_expiry(rules, images).items():
        known = before.get(tag)
        if known is None or known.digest != digest:
            sighted[tag] = written[tag] = Sighting.at(digest, now)
        elif known.has_to_be_renewed(now):
            sighted[tag] = written[tag] = known.renewed(now)
        else:
            sighted[tag] = known
    return Renewal(sighted, written, frozenset(before.keys() - sighted.keys()))
