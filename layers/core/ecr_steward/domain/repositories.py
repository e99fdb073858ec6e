"""Repository settings: how a repository is, and how the rulebook wants it.

``RepositorySettings`` serves both: read from ECR it is complete; in a rule, ``None`` means "leave this as it is".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.policies.rules import PolicyRules
from ecr_steward.domain.retention_rules import RetentionRules

type Document = Mapping[str, Any]
"""A JSON document of AWS: a repository policy or a lifecycle policy. Equal documents are equal mappings."""


@dataclass(frozen=True)
class UnreadableDocument:
    """A document of AWS that is there, but in no shape that anybody could read."""

    why: str


def readable(document: Document | UnreadableDocument | None) -> Document | None:
    """The document, where there is one that can be read."""
    return None if isinstance(document, UnreadableDocument) else document


class Mutability(StrEnum):
    """``imageTagMutability`` of the ECR API."""

    MUTABLE = "MUTABLE"
    IMMUTABLE = "IMMUTABLE"
    IMMUTABLE_WITH_EXCLUSION = "IMMUTABLE_WITH_EXCLUSION"
    MUTABLE_WITH_EXCLUSION = "MUTABLE_WITH_EXCLUSION"


@dataclass(frozen=True)
class TagMutability:
    """Which image tags may move. At most five exclusion filters, whose only wildcard is ``*``."""

    mode: Mutability | str
    """A plain text where ECR answers a word that this version does not know: it is shown, and left as it is."""
    exclusions: frozenset[str] = frozenset()

    @classmethod
    def read(cls, mode: str, exclusions: Iterable[str] = ()) -> Self:
        """The mutability by ECR's word for it, whether known here or not."""
        return cls(Mutability(mode) if mode in Mutability else mode, frozenset(exclusions))

    @property
    def is_known(self) -> bool:
        """Whether this version knows what the mode means."""
        return isinstance(self.mode, Mutability)

    def __str__(self) -> str:
        exclusions = f" except {', '.join(sorted(self.exclusions))}" if self.exclusions else ""
        return f"{self.mode}{exclusions}"


@dataclass(frozen=True)
class Encryption:
    """How ECR encrypts what a repository holds. Set for good when the repository is created."""

    type: str
    """``AES256``, ``KMS`` or ``KMS_DSSE``."""
    key: str | None = None
    """The ARN of a KMS key; in a rule, ``None`` means any."""

    def __str__(self) -> str:
        return f"{self.type} with the key {self.key}" if self.key else self.type


@dataclass(frozen=True)
class RepositorySettings:
    """The settings that a rule governs."""

    policy: Document | UnreadableDocument | None = None
    """As read; what a rule says about it are ``policy_rules``."""
    policy_rules: PolicyRules | None = None
    lifecycle: Document | UnreadableDocument | None = None
    mutability: TagMutability | None = None
    scan_on_push: bool | None = None
    encryption: Encryption | None = None
    resource_tags: Mapping[str, str] = field(default_factory=dict)
    not_done: tuple[str, ...] | None = None
    """Entries of the lifecycle that nobody carries out here, one sentence each. Only in a rule."""
    retention: RetentionRules | None = None
    """What the sweep keeps and expires beside ECR's lifecycle policy. Only in a rule, and there always together with
    ``lifecycle``, since both come of one key: a document without rules means that ECR is to have no policy."""


class Part(StrEnum):
    """What is read of a repository by a call of its own."""

    DESCRIPTION = "description"
    """Mutability, scan on push and encryption; a list of repositories says it of each."""
    POLICY = "policy"
    LIFECYCLE = "lifecycle"
    RESOURCE_TAGS = "resource tags"
    REGISTRY_SCANNING = "registry scanning"
    """What the registry's scanning rules decide for it."""


SETTINGS = frozenset(Part) - {Part.REGISTRY_SCANNING}
"""The parts that hold settings of the repository itself."""


@dataclass(frozen=True)
class Repository:
    """A repository and its settings as read at one moment. An absent policy is ``None``."""

    ref: RepositoryRef
    settings: RepositorySettings
    read: frozenset[Part] = SETTINGS
    """The parts that were read; settings of other parts are not known."""
    scanned_by_registry: str | None = None
    """How often ECR scans its images where the registry's scanning rules decide that, such as ``SCAN_ON_PUSH``."""
    created_at: datetime | None = field(default=None, compare=False)
    """Known with its description."""

    def carrying(self, resource_tags: Mapping[str, str]) -> Self:
        """The same repository, whose resource tags are known to be these."""
        settings = replace(self.settings, resource_tags=resource_tags)
        return replace(self, settings=settings, read=self.read | {Part.RESOURCE_TAGS})

    def scanned_as(self, frequency: str | None) -> Self:
        """The same repository, of which the scanning rules of the registry are known to decide this, or nothing."""
        return replace(self, scanned_by_registry=frequency, read=self.read | {Part.REGISTRY_SCANNING})

    @classmethod
    def unread(cls, ref: RepositoryRef) -> Self:
        """A repository of which nothing is known yet."""
        return cls(ref, RepositorySettings(), frozenset())
