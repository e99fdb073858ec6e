"""Expiry per image tag: the tag goes when nobody has put it anywhere for so long, and the image whose all it was."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from ecr_steward.domain.contents import Contents
from ecr_steward.domain.names import Digest, ImageRef, ImageTag
from ecr_steward.domain.plan import DeleteImage, Plan, RemoveImageTag, Step
from ecr_steward.domain.retention import Keeping, plan_end, told
from ecr_steward.domain.sightings import Sighted
from ecr_steward.domain.tag_rules import TagRules
from ecr_steward.domain.tagging import TagReading, is_quarantine_tag


def plan_tag_expiry(rule: str, rules: TagRules, contents: Contents, sighted: Sighted, keeping: Keeping) -> Plan:
    """Take expired tags from images that hold another one, and delete those that nothing else needs.

    On ECR an image goes with its last tag, so its end is planned as what it is; an image that has to stay keeps its
    only tags. Nobody needs a quarantine tag. Referrers and what cosign attached are exempt, since they go with their
    subject, and so are aliases that follow a version.
    """
    steps: list[Step] = []
    while True:
        reading = _Reading(rules, contents, sighted, keeping)
        expired = {digest: found for digest in contents.images.digests if (found := reading.expired(digest)).tags}
        claims = {digest: found.why for digest, found in expired.items() if not found.needed}
        ends, remarks = plan_end(rule, claims, contents, keeping)
        ended = {step.image.digest for step in ends if isinstance(step, DeleteImage)}
        more = [*_removals(rule, contents, expired, ended), *ends]
        if not more:
            return Plan(tuple(steps), remarks=(*remarks, *told(reading.doubts), *reading.only_tags(expired)))
        steps += more
        contents = contents.after(more)


@dataclass(frozen=True)
class _Expired:
    """The expired tags of an image, and what it holds beside them."""

    tags: Mapping[ImageTag, str] = field(default_factory=dict)
    """With the reason of each."""
    beside: Set[ImageTag] = frozenset()
    needed: Set[ImageTag] = frozenset()
    """Those of them that somebody may want."""

    @property
    def why(self) -> str:
        """Why the image goes whose all these are."""
        return "; ".join(self.tags.values())


@dataclass(frozen=True)
class _Reading:
    rules: TagRules
    contents: Contents
    sighted: Sighted
    keeping: Keeping
    doubts: dict[str, str] = field(default_factory=dict)
    """Why tags stay of which something is not known."""

    def expired(self, digest: Digest) -> _Expired:
        """Which tags of an image go."""
        held = self.contents.images.tags_of(digest)
        if self.contents.images.subject_of(digest) is not None:
            return _Expired()
        going = {tag: why for tag in sorted(held) if (why := self._reason(tag, digest))}
        beside = held - going.keys()
        return _Expired(going, beside, {tag for tag in beside if not is_quarantine_tag(tag, digest)})

    def only_tags(self, expired: Mapping[Digest, _Expired]) -> list[str]:
        """A remark for each image that keeps expired tags since it has no others and must stay."""
        remarks = []
        for digest, found in sorted(expired.items()):
            kept = self.keeping.verdict(digest, self.contents)
            if kept is None or not kept.in_doubt:
                why = kept.why if kept else f"it belongs to {min(self.contents.owners[digest])}"
                tags = ", ".join(found.tags)
                remarks.append(
                    f"{digest} keeps {tags}: ECR would delete it with its last tag, and it stays since {why}"
                )
        return remarks

    @cached_property
    def _aliases(self) -> Set[ImageTag]:
        """Those that a version stands behind: the same rule would put them back at once."""
        return TagReading(self.rules, self.contents.images).targets.keys()

    def _reason(self, tag: ImageTag, digest: Digest) -> str | None:
        if self.contents.is_attached(tag, digest) or is_quarantine_tag(tag, digest) or tag in self._aliases:
            return None
        expiry = next((one for one in self.rules.expire if one.selects(tag)), None)
        sighting = self.sighted.get(tag)
        if expiry is None or sighting is None or sighting.digest != digest:
            return None
        if self.keeping.now - sighting.since <= timedelta(days=expiry.after):
            return None
        if kept := self.keeping.verdict_on_tag(tag, digest, self.contents):
            if kept.in_doubt:
                self.doubts[f"image tag {tag} of {digest}"] = kept.why
            return None
        return f"{expiry}: {tag} has been where it is since {sighting.since:%Y-%m-%d}"


def _removals(rule: str, contents: Contents, expired: Mapping[Digest, _Expired], ended: Set[Digest]) -> list[Step]:
    """The tags to take from images that stay and hold others. ECR deletes an image with its last one."""
    return [
        RemoveImageTag(rule=rule, why=why, image=ImageRef(contents.images.repository, digest), image_tag=tag)
        for digest, found in sorted(expired.items())
        if found.beside and digest not in ended
        for tag, why in found.tags.items()
    ]
