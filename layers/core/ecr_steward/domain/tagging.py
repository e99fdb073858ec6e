"""Image tags: which a repository may hold, which aliases follow a version, and what becomes of a violation."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import Digest, ImageRef, ImageTag
from ecr_steward.domain.plan import NOTHING, AddImageTag, Plan, RemoveImageTag, Step, Violation
from ecr_steward.domain.rules import AliasRules, OnViolation, Rule, TagRules, Version

_ATTACHMENT = re.compile(r"sha256-[0-9a-f]{64}(\.(sig|att|sbom))?")
"""Cosign's tags and the fallback tags of the referrers API belong to another image: no rule speaks of them."""


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

    def _release(self, aliases: AliasRules, image_tag: ImageTag) -> Version | None:
        """The version an image tag stands for, where it is a release that the rule allows."""
        version = aliases.version_of(image_tag)
        if version is None or version.is_prerelease or self.objection(image_tag) is not None:
            return None
        return version

    def _is_exempt(self, image_tag: ImageTag) -> bool:
        holder = self.images.holders.get(image_tag)
        return (
            _ATTACHMENT.fullmatch(image_tag) is not None
            or (holder is not None and is_quarantine_tag(image_tag, holder))
            or (self.rule.aliases is not None and _is_alias(self.rule.aliases, image_tag))
        )


def plan_image_tags(rule: Rule, images: RepositoryImages, focus: Iterable[Digest]) -> Plan:
    """Plan what brings the image tags of some images back to their rule.

    ``focus`` bounds the work of an event to the images it is about and to the aliases they touch; a sweep passes
    every image. Applying the plan and planning again gives an empty plan, whatever the images were before.
    """
    if rule.image_tags is None:
        return NOTHING
    reading = TagReading(rule.image_tags, images)
    plan = NOTHING
    aliases: set[ImageTag] = set()
    for digest in sorted(set(focus)):
        plan += _answer_violations(rule, reading, digest)
        aliases |= reading.aliases_touched_by(digest)
    return plan + Plan(tuple(_move_aliases(rule, reading, aliases)))


def _answer_violations(rule: Rule, reading: TagReading, digest: Digest) -> Plan:
    image = ImageRef(reading.images.repository, digest)
    held = reading.images.tags_of(digest)
    violations = tuple(
        Violation(rule=rule.name, image=image, image_tag=tag, why=why)
        for tag in sorted(held)
        if (why := reading.objection(tag)) is not None
    )
    if not violations or reading.rule.on_violation is OnViolation.NOTIFY:
        return Plan(violations=violations)
    steps: list[Step] = []
    leaving = {tag for tag in held if tag in reading.targets and reading.targets[tag][0] != digest}
    if held <= leaving | {violation.image_tag for violation in violations}:
        why = f"{violations[0].why}; the image stays reachable by digest and under this image tag"
        steps.append(
            AddImageTag(rule=rule.name, why=why, image=image, image_tag=quarantine_tag(digest, reading.images))
        )
    steps += [
        RemoveImageTag(rule=rule.name, why=violation.why, image=image, image_tag=violation.image_tag)
        for violation in violations
    ]
    return Plan(tuple(steps), violations)


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
        yield ImageTag(template.format(major=version.major, minor=version.minor, patch=version.patch))


def _is_alias(aliases: AliasRules, image_tag: ImageTag) -> bool:
    """Whether an image tag has the form of an alias, so that one whose versions are gone is no violation."""
    return any(
        re.fullmatch(re.sub(r"\\\{(major|minor|patch)\\\}", "[0-9]+", re.escape(template)), image_tag)
        for template in aliases.templates
    )
