"""Image tags as a rule reads them: which it objects to, which are aliases, and which belong to another image."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain, count

from ecr_steward.domain.images import INDEX_MEDIA_TYPES, RepositoryImages
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.domain.requirements import is_within
from ecr_steward.domain.tag_rules import TagRules, Version, fill

ANOTHER_TAG_IS_DUE = timedelta(hours=1)
"""How long after its push an image under a tag such as ``1.4.2-arm64`` may wait for the index that will list it, and an
alias for its version."""

_ATTACHMENT = re.compile(r"(?P<algorithm>sha256|sha512)-(?P<hex>[0-9a-f]{64,128})(\.(sig|att|sbom))?")
"""Cosign's tags and the fallback tags of the referrers API."""
_PART = re.compile(
    r".+[-._](amd64|x86[-_]64|386|i386|arm64|aarch64|arm(32|hf)?|armv[5-8]l?|ppc64le|s390x|riscv64|mips64le|loong64)"
    r"([-._]?v[1-8])?"
)
"""Image tags that end in the name of an architecture, as for the parts of an index."""

_QUARANTINE = re.compile(r"quarantine-(?P<digits>[0-9a-f]{12,64})(-[0-9]+)?")
_QUARANTINE_DIGITS = range(12, 65)


def is_quarantine_tag(image_tag: ImageTag, digest: Digest) -> bool:
    """Whether an image tag is one that keeps exactly this image in quarantine."""
    named = _QUARANTINE.fullmatch(image_tag)
    return named is not None and digest.hex.startswith(named["digits"])


def quarantine_tag(digest: Digest, images: RepositoryImages) -> ImageTag:
    """The image tag that keeps a quarantined image reachable, and ECR from deleting it.

    A tag that another image holds is skipped: in an immutable repository it could not be moved. A pusher knows the
    digest in advance and can occupy all tags of its digits; then a number is appended.
    """
    digits = (digest.hex[:number] for number in _QUARANTINE_DIGITS)
    numbered = (f"{digest.hex[: _QUARANTINE_DIGITS[-1]]}-{number}" for number in count(2))
    candidates = (ImageTag(f"quarantine-{name}") for name in chain(digits, numbered))
    return next(tag for tag in candidates if images.holders.get(tag, digest) == digest)


def is_attachment(image_tag: ImageTag) -> bool:
    """Whether an image tag is of the form that says what its holder belongs to."""
    return _ATTACHMENT.fullmatch(image_tag) is not None


def attached_to(image_tag: ImageTag, images: RepositoryImages) -> Digest | None:
    """The image that an image tag says its holder belongs to, where the repository has that image.

    Cosign's signatures and the fallback of the referrers API are named so. A tag is one like any other where the
    repository lacks the image that it names, or where a client can run its holder: a pusher chooses the name.
    """
    named = _ATTACHMENT.fullmatch(image_tag)
    if named is None or len(named["hex"]) != {"sha256": 64, "sha512": 128}[named["algorithm"]]:
        return None
    holder = images.holders.get(image_tag)
    if holder is not None and images.images[holder].can_run:
        return None
    subject = Digest(f"{named['algorithm']}:{named['hex']}")
    return subject if images.has(subject) else None


def claimed_attachments(images: RepositoryImages) -> frozenset[Digest]:
    """The tagged images that claim to belong to another, by a tag or as a referrer: their manifests tell what they are.

    Media types as the registry lists them tell nothing: for a manifest with an ``artifactType``, ECR does not
    document which of the two types it lists.
    """
    return frozenset(
        holder
        for tag, holder in images.holders.items()
        if images.subject_of(holder) is not None or attached_to(tag, images) is not None
    )


def own_tags(digest: Digest, images: RepositoryImages) -> frozenset[ImageTag]:
    """The image tags that an image holds for itself: not as an attachment of another, and not in quarantine."""
    return frozenset(
        tag for tag in images.tags_of(digest) if attached_to(tag, images) is None and not is_quarantine_tag(tag, digest)
    )


def is_in_quarantine(digest: Digest, images: RepositoryImages) -> bool:
    """Whether a quarantine tag is all that an image holds for itself."""
    is_quarantined = any(is_quarantine_tag(tag, digest) for tag in images.tags_of(digest))
    return is_quarantined and not own_tags(digest, images)


@dataclass(frozen=True)
class TagReading:
    """The image tags of one repository as one rule reads them."""

    rule: TagRules
    images: RepositoryImages
    now: datetime | None = None
    """``None``: no time is granted for anything."""
    barred: frozenset[Digest] = frozenset()
    """Images that lose their tags, whatever these are: no alias follows a version of theirs."""

    def objection(self, image_tag: ImageTag) -> str | None:
        """Why the rule objects to an image tag, or ``None``."""
        return None if self._is_exempt(image_tag) or self._is_alias_of_a_version(image_tag) else self._wrong(image_tag)

    def objection_to_name(self, image_tag: ImageTag) -> str | None:
        """Why the rule would object to an image tag that is not there yet, whatever image it is put on."""
        return None if self.is_alias(image_tag) else self._wrong(image_tag)

    def _wrong(self, image_tag: ImageTag) -> str | None:
        """What is wrong with an image tag that nothing exempts."""
        if _QUARANTINE.fullmatch(image_tag):
            return f"image tag {image_tag!r} is of the form that keeps another image in quarantine"
        for pattern in self.rule.deny:
            if pattern.matches(image_tag):
                return f"image tag {image_tag!r} is denied by {pattern.spelling!r}"
        if self.rule.allow and not any(pattern.matches(image_tag) for pattern in self.rule.allow):
            if self.awaits_an_index(image_tag):
                return None
            allowed = ", ".join(pattern.spelling for pattern in self.rule.allow)
            return f"image tag {image_tag!r} is none of the allowed: {allowed}"
        return None

    def compliant_tags(self, digest: Digest) -> frozenset[ImageTag]:
        """The image tags of an image that the rule has nothing against; a quarantine tag is not one."""
        held = self.images.tags_of(digest)
        return frozenset(tag for tag in held if not is_quarantine_tag(tag, digest) and self.objection(tag) is None)

    def awaits_an_index(self, image_tag: ImageTag) -> bool:
        """Whether an image tag is that of a part whose index may still be on its way: some tools push parts first."""
        holder = self.images.holders.get(image_tag)
        if holder is None or _PART.fullmatch(image_tag) is None:
            return False
        is_index = self.images.images[holder].media_type in INDEX_MEDIA_TYPES
        return not is_index and is_within(self.images, holder, ANOTHER_TAG_IS_DUE, self.now)

    @cached_property
    def targets(self) -> Mapping[ImageTag, tuple[Digest, ImageTag]]:
        """For each alias that some version stands behind: the image it belongs to, and that image's version tag."""
        highest: dict[ImageTag, tuple[Version, ImageTag]] = {}
        for image_tag, version in self._releases.items():
            if self.images.holders[image_tag] in self.barred:
                continue
            for alias in self._aliases_of(version):
                if alias not in highest or highest[alias][0].order < version.order:
                    highest[alias] = (version, image_tag)
        return {alias: (self.images.holders[tag], tag) for alias, (_, tag) in highest.items()}

    def aliases_touched_by(self, digest: Digest) -> frozenset[ImageTag]:
        """The aliases that a change of this image may concern: those of its versions, and those it holds."""
        held = self.images.tags_of(digest)
        versions = () if digest in self.barred else held & self._releases.keys()
        for_versions = {alias for tag in versions for alias in self._aliases_of(self._releases[tag])}
        return frozenset((for_versions | held) & self.targets.keys())

    @property
    def left_by_versions(self) -> frozenset[Digest]:
        """The images that hold an alias whose versions are all on barred images, and so go."""
        barred = (version for tag, version in self._releases.items() if self.images.holders[tag] in self.barred)
        orphans = {alias for version in barred for alias in self._aliases_of(version)} - self.targets.keys()
        return frozenset(self.images.holders[alias] for alias in orphans & self.images.holders.keys()) - self.barred

    def is_alias(self, image_tag: ImageTag) -> bool:
        """Whether an image tag has the form of an alias, be there a version behind it or not."""
        aliases = self.rule.aliases
        return aliases is not None and any(form.matches(image_tag) for form in aliases.forms)

    @cached_property
    def _releases(self) -> Mapping[ImageTag, Version]:
        """The image tags that stand for a release which the rule allows, in order, barred images included."""
        if self.rule.aliases is None:
            return {}
        versions = {tag: self.rule.aliases.version_of(tag) for tag in sorted(self.images.holders)}
        return {tag: version for tag, version in versions.items() if version and self._is_release(tag, version)}

    def _is_release(self, image_tag: ImageTag, version: Version) -> bool:
        if version.is_prerelease or self.images.subject_of(self.images.holders[image_tag]) is not None:
            return False
        return self._is_exempt(image_tag) or self._wrong(image_tag) is None

    def _aliases_of(self, version: Version) -> Iterator[ImageTag]:
        for template in self.rule.aliases.templates if self.rule.aliases else ():
            yield ImageTag(fill(template, version.parts))

    def _is_exempt(self, image_tag: ImageTag) -> bool:
        holder = self.images.holders.get(image_tag)
        return (
            attached_to(image_tag, self.images) is not None
            or (holder is not None and is_quarantine_tag(image_tag, holder))
            or (holder is not None and self.images.is_released(holder, image_tag))
        )

    def _is_alias_of_a_version(self, image_tag: ImageTag) -> bool:
        """Whether an image tag is an alias with a version behind it, which may come within an hour of the image.

        An alias on a barred image goes with all other tags of that image, and is no violation of its own.
        """
        if not self.is_alias(image_tag):
            return False
        holder = self.images.holders.get(image_tag)
        is_new = holder is not None and is_within(self.images, holder, ANOTHER_TAG_IS_DUE, self.now)
        return image_tag in self.targets or holder in self.barred or is_new
