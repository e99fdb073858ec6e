"""Image tags: which a repository may hold, which aliases follow a version, and what becomes of a violation."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag
from ecr_steward.domain.plan import NOTHING, AddImageTag, Plan, RemoveImageTag, Step, Violation
from ecr_steward.domain.rules import Rule
from ecr_steward.domain.tag_rules import AliasRules, OnViolation, TagRules, Version, fill

_ATTACHMENT = re.compile(r"(?P<algorithm>sha256|sha512)-(?P<hex>[0-9a-f]{64,128})(\.(sig|att|sbom))?")
"""Cosign's tags and the fallback tags of the referrers API."""

_QUARANTINE = "quarantine-"
_QUARANTINE_DIGITS = 12


def is_quarantine_tag(image_tag: ImageTag, digest: Digest) -> bool:
    """Whether an image tag is one that keeps exactly this image in quarantine."""
    digits = image_tag.removeprefix(_QUARANTINE)
    return image_tag != digits and len(digits) >= _QUARANTINE_DIGITS and digest.hex.startswith(digits)


def quarantine_tag(digest: Digest, images: RepositoryImages) -> ImageTag:
    """The image tag that keeps a quarantined image reachable, and ECR from deleting it.

    A tag that somebody has given to another image is passed over: in an immutable repository it could not be moved.
    """
    candidates = (ImageTag(_QUARANTINE + digest.hex[:n]) for n in range(_QUARANTINE_DIGITS, len(digest.hex) + 1))
    return next(tag for tag in candidates if images.holders.get(tag, digest) == digest)


def attached_to(image_tag: ImageTag, images: RepositoryImages) -> Digest | None:
    """The image that an image tag says its holder belongs to, where the repository has that image.

    Cosign's signatures and the fallback of the referrers API are named so. A tag that names an image nobody pushed
    is a tag like any other: its name alone would let it past every rule.
    """
    named = _ATTACHMENT.fullmatch(image_tag)
    if named is None or len(named["hex"]) != {"sha256": 64, "sha512": 128}[named["algorithm"]]:
        return None
    subject = Digest(f"{named['algorithm']}:{named['hex']}")
    return subject if subject in images.digests else None


@dataclass(frozen=True)
class TagReading:
    """The image tags of one repository as one rule reads them."""

    rule: TagRules
    images: RepositoryImages

    def objection(self, image_tag: ImageTag) -> str | None:
        """Why the rule objects to an image tag, or ``None``."""
        if self._is_exempt(image_tag):
            return None
        for pattern in self.rule.deny:
            if pattern.matches(image_tag):
                return f"image tag {image_tag!r} is denied by {pattern.spelling!r}"
        if self.rule.allow and not any(pattern.matches(image_tag) for pattern in self.rule.allow):
            allowed = ", ".join(pattern.spelling for pattern in self.rule.allow)
            return f"image tag {image_tag!r} is none of the allowed: {allowed}"
        return None

    def compliant_tags(self, digest: Digest) -> frozenset[ImageTag]:
        """The image tags of an image that the rule has nothing against; a quarantine tag is not one."""
        held = self.images.tags_of(digest)
        return frozenset(tag for tag in held if not is_quarantine_tag(tag, digest) and self.objection(tag) is None)

    @cached_property
    def targets(self) -> Mapping[ImageTag, tuple[Digest, ImageTag]]:
        """For each alias that some version stands behind: the image it belongs to, and that image's version tag."""
        if self.rule.aliases is None:
            return {}
        highest: dict[ImageTag, tuple[Version, ImageTag]] = {}
        for image_tag in sorted(self.images.holders):
            version = self._release(self.rule.aliases, image_tag)
            if version is None:
                continue
            for alias in _aliases_of(self.rule.aliases, version):
                if alias not in highest or highest[alias][0].order < version.order:
                    highest[alias] = (version, image_tag)
        return {alias: (self.images.holders[tag], tag) for alias, (_, tag) in highest.items()}

    def aliases_touched_by(self, digest: Digest) -> frozenset[ImageTag]:
        """The aliases that a change of this image may concern: those of its versions, and those it holds."""
        held = self.images.tags_of(digest)
        if self.rule.aliases is None:
            return frozenset()
        versions = filter(None, (self._release(self.rule.aliases, image_tag) for image_tag in held))
        for_versions = {alias for version in versions for alias in _aliases_of(self.rule.aliases, version)}
        return frozenset((for_versions | held) & self.targets.keys())

    def is_alias(self, image_tag: ImageTag) -> bool:
        """Whether an image tag has the form of an alias, so that one whose versions are gone is no violation."""
        return any(form.fullmatch(image_tag) for form in self._alias_forms)

    @cached_property
    def _alias_forms(self) -> tuple[re.Pattern[str], ...]:
        templates = self.rule.aliases.templates if self.rule.aliases else ()
        return tuple(
            re.compile(re.sub(r"\\\{[a-z]+\\\}", "[0-9]+", re.escape(template))) for template in templates
        )

    def _release(self, aliases: AliasRules, image_tag: ImageTag) -> Version | None:
        """The version an image tag stands for, where it is a release that the rule allows."""
        version = aliases.version_of(image_tag)
        if version is None or version.is_prerelease or self.objection(image_tag) is not None:
            return None
        return version if self.images.subject_of(self.images.holders[image_tag]) is None else None

    def _is_exempt(self, image_tag: ImageTag) -> bool:
        holder = self.images.holders.get(image_tag)
        return (
            attached_to(image_tag, self.images) is not None
            or (holder is not None and is_quarantine_tag(image_tag, holder))
            or (holder is not None and self.images.is_released(holder, image_tag))
            or self.is_alias(image_tag)
        )


def plan_image_tags(rule: Rule, images: RepositoryImages, focus: Iterable[Digest]) -> Plan:
    """Plan what brings the image tags of some images back to their rule.

    ``focus`` bounds the work of an event to the images it is about and to the aliases they touch; a sweep passes
    every image. A referrer belongs to its subject: no rule speaks of its image tags. Applying the plan and planning
    again gives an empty plan, whatever the images were before.
    """
    if rule.image_tags is None:
        return NOTHING
    reading = TagReading(rule.image_tags, images)
    steps: list[Step] = []
    violations: list[Violation] = []
    aliases: set[ImageTag] = set()
    for digest in sorted(set(focus)):
        if images.subject_of(digest) is None:
            found = _violations(rule, reading, digest)
            violations += found
            steps += _answers(rule, reading, digest, found)
            aliases |= reading.aliases_touched_by(digest)
    return Plan((*steps, *_move_aliases(rule, reading, aliases)), tuple(violations))


def _violations(rule: Rule, reading: TagReading, digest: Digest) -> list[Violation]:
    image = ImageRef(reading.images.repository, digest)
    return [
        Violation(rule=rule.name, subject=image, image_tag=tag, why=why)
        for tag in sorted(reading.images.tags_of(digest))
        if (why := reading.objection(tag)) is not None
    ]


def _answers(rule: Rule, reading: TagReading, digest: Digest, violations: list[Violation]) -> Iterator[Step]:
    if not violations or reading.rule.on_violation is OnViolation.NOTIFY:
        return
    image = ImageRef(reading.images.repository, digest)
    if not _stays_tagged(reading, digest):
        why = f"{violations[0].why}; the image stays reachable by digest and under this image tag"
        kept = quarantine_tag(digest, reading.images)
        yield AddImageTag(rule=rule.name, why=why, image=image, image_tag=kept)
    for violation in violations:
        if violation.image_tag is not None:
            yield RemoveImageTag(rule=rule.name, why=violation.why, image=image, image_tag=violation.image_tag)


def _stays_tagged(reading: TagReading, digest: Digest) -> bool:
    """Whether an image keeps a tag that nobody moves: its own, or one that holds it in quarantine already.

    An alias does not count: another invocation may move it at any moment, and ECR deletes an image with its last tag.
    """
    held = reading.images.tags_of(digest)
    own = {tag for tag in reading.compliant_tags(digest) if not reading.is_alias(tag)}
    return bool(own) or any(is_quarantine_tag(tag, digest) for tag in held)


def _move_aliases(rule: Rule, reading: TagReading, aliases: Iterable[ImageTag]) -> Iterator[Step]:
    for alias in sorted(aliases):
        digest, version_tag = reading.targets[alias]
        holder = reading.images.holders.get(alias)
        if holder == digest:
            continue
        why = f"{version_tag} is the highest version that {alias} stands for"
        image = ImageRef(reading.images.repository, digest)
        yield AddImageTag(rule=rule.name, why=why, image=image, image_tag=alias, previous=holder)


def _aliases_of(aliases: AliasRules, version: Version) -> Iterator[ImageTag]:
    for template in aliases.templates:
        yield ImageTag(fill(template, version.parts))
