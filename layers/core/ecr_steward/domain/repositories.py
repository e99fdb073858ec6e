"""Repository settings: how a repository is, and how the rulebook wants it.

``RepositorySettings`` serves both: read from ECR it is complete; in a rule, ``None`` means "leave this as it is".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.retention_rules import RetentionRules

type Document = Mapping[str, Any]
"""A JSON document of AWS: a repository policy or a lifecycle policy. Equal documents are equal mappings."""


class Mutability(StrEnum):
    """``imageTagMutability`` of the ECR API."""

    MUTABLE = "MUTABLE"
    IMMUTABLE = "IMMUTABLE"
    IMMUTABLE_WITH_EXCLUSION = "IMMUTABLE_WITH_EXCLUSION"
    MUTABLE_WITH_EXCLUSION = "MUTABLE_WITH_EXCLUSION"


@dataclass(frozen=True)
class TagMutability:
    """Which image tags may move. At most five exclusion filters, whose only wildcard is ``*``."""

    mode: Mutability
    exclusions: frozenset[str] = frozenset()

    def __str__(self) -> str:
        exclusions = f" except {', '.join(sorted(self.exclusions))}" if self.exclusions else ""
        return f"{self.mode}{exclusions}"


@dataclass(frozen=True)
class RepositorySettings:
    """The settings that a rule governs."""

    policy: Document | None = None
    lifecycle: Document | None = None
    mutability: TagMutability | None = None
    scan_on_push: bool | None = None
    resource_tags: Mapping[str, str] = field(default_factory=dict)
    retention: RetentionRules | None = None
    """What the sweep keeps and expires beside ECR's lifecycle policy. Only in a rule: ECR knows nothing of it."""


@dataclass(frozen=True)
class Repository:
    """A repository and its settings as read at one moment. An absent policy is ``None``."""

    ref: RepositoryRef
    settings: RepositorySettings
