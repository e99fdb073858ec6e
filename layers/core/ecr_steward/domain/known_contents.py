"""What digests say for ever, as far as it was asked for: remembered, it need not be read again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from ecr_steward.domain.names import Digest
from ecr_steward.domain.tag_rules import TagRules


@dataclass(frozen=True)
class Said:
    """What an image says of itself."""

    asked: str
    """What it was asked for: see ``asked_by``."""
    annotations: Mapping[str, str]
    labels: Mapping[Digest, Mapping[str, str]]
    """Of the image, or of each image that an index leads to."""


@dataclass(frozen=True)
class KnownContents:
    """What is known of digests of one repository."""

    said: Mapping[Digest, Said] = field(default_factory=dict)
    artifact_types: Mapping[Digest, str] = field(default_factory=dict)
    """Of referrers; empty where one has none."""


def asked_by(rules: TagRules) -> str:
    """A fingerprint of the labels and annotations that a rule asks for. Their values are judged anew each time."""
    keys = sorted(each.key for each in rules.labels), sorted(each.key for each in rules.annotations)
    return sha256(repr(keys).encode()).hexdigest()[:32]
