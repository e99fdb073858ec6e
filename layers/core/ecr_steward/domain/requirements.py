"""What an image must bring along: labels, annotations, and companions such as a signature."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ecr_steward.domain.images import RepositoryImages
from ecr_steward.domain.names import Digest, ImageTag
from ecr_steward.domain.tag_rules import CompanionRules, Requirement, TagRules
from ecr_steward.errors import StewardError

VALUE_LIMIT = 4096
"""Characters in the value of a label or annotation that is asked for. A config may hold megabytes."""
_QUOTED_CHARACTERS = 100


@dataclass(frozen=True)
class Description:
    """What is said of one image: by its manifest, by its configs, and by who refers to it."""

    annotations: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[Digest, Mapping[str, str]] = field(default_factory=dict)
    """Of the image, or of each image that an index leads to."""
    artifact_types: frozenset[str] = frozenset()
    """Of its referrers."""
    unreadable: tuple[str, ...] = ()
    """What could not be read, one sentence each. What is not known is never taken for good."""


@dataclass(frozen=True)
class Facts:
    """What is known of a repository's images beside their tags, as far as a rule asks for it."""

    now: datetime | None = None
    """``None``: no time is granted for anything."""
    shortcomings: Mapping[Digest, tuple[str, ...]] = field(default_factory=dict)
    """What images lack that they must bring along, one sentence each."""
    errors: tuple[StewardError, ...] = ()
    """Why it is not known of other images, for now."""


def signature_tag(digest: Digest) -> ImageTag:
    """The image tag under which cosign keeps an image's signatures."""
    return ImageTag(f"{digest.algorithm}-{digest.hex}.sig")


def is_within(images: RepositoryImages, digest: Digest, time: timedelta, now: datetime | None) -> bool:
    """Whether an image was pushed less than this time ago. One of which nobody knows when was not."""
    image = images.images.get(digest)
    pushed_at = image.pushed_at if image else None
    return now is not None and pushed_at is not None and now - pushed_at < time


def shortcomings(
    rules: TagRules, digest: Digest, images: RepositoryImages, description: Description, now: datetime | None
) -> Iterator[str]:
    """What an image lacks that it must bring along, one sentence each."""
    yield from description.unreadable
    for requirement in rules.annotations:
        if not description.unreadable and (fault := _fault(requirement, description.annotations)):
            yield f"annotation {fault}"
    for requirement in rules.labels:
        yield from _faults_of_labels(requirement, description)
    if rules.companions is not None:
        yield from _missing_companions(rules.companions, digest, images, description, now)


def _faults_of_labels(requirement: Requirement, description: Description) -> Iterator[str]:
    faults = {
        part: fault for part, labels in sorted(description.labels.items()) if (fault := _fault(requirement, labels))
    }
    if faults:
        first, fault = next(iter(faults.items()))
        more = f" and {len(faults) - 1} more" if len(faults) > 1 else ""
        yield f"label {fault} in {first}{more}"
    elif not description.labels and not description.unreadable:
        yield f"label {requirement.key!r} is missing: it leads to no image that could have labels"


def _fault(requirement: Requirement, said: Mapping[str, str]) -> str | None:
    value = said.get(requirement.key)
    if not value:
        return f"{requirement.key!r} is {'missing' if value is None else 'empty'}"
    if len(value) > VALUE_LIMIT:
        return f"{requirement.key!r} has more than {VALUE_LIMIT} characters"
    if requirement.pattern is not None and not requirement.pattern.matches(value):
        short = value if len(value) <= _QUOTED_CHARACTERS else f"{value[:_QUOTED_CHARACTERS]}..."
        return f"{requirement.key!r} is {short!r}, which does not match {requirement.pattern.spelling!r}"
    return None


def _missing_companions(
    rules: CompanionRules, digest: Digest, images: RepositoryImages, description: Description, now: datetime | None
) -> Iterator[str]:
    if is_within(images, digest, rules.within, now):
        return
    late = f"{_spelled(rules.within)} after its push" if rules.within else "beside it"
    for artifact_type in rules.artifact_types:
        if artifact_type not in description.artifact_types:
            yield f"there is no referrer of the type {artifact_type!r} {late}"
    if rules.cosign_signature and not _is_signed(digest, images):
        yield f"there is no signature of cosign's, {signature_tag(digest)}, {late}"


def _is_signed(digest: Digest, images: RepositoryImages) -> bool:
    """Whether cosign's tag for an image is there, on something that no client can run."""
    holder = images.holders.get(signature_tag(digest))
    return holder is not None and not images.images[holder].can_run


def _spelled(time: timedelta) -> str:
    minutes = int(time.total_seconds() // 60)
    for unit, length in (("d", 24 * 60), ("h", 60)):
        if minutes % length == 0:
            return f"{minutes // length}{unit}"
    return f"{minutes}m"
