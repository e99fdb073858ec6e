"""What lies around a stack. ``None`` where it was not asked for: then no check has an answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ecr_steward.domain.rules import Rules
from ecr_steward_cli.doctor.findings import Unread


@dataclass(frozen=True)
class RulebookFact:
    """The rulebook where the functions look for it, and what of it is in force."""

    place: str
    rules: Rules | None
    """Those in force; ``None`` where none are, so that nothing is enforced."""
    refused: str = ""
    """Why the one at ``place`` is refused; empty where it validates."""


@dataclass(frozen=True)
class TrailFact:
    """A trail of CloudTrail that records the region of the stack."""

    name: str
    is_logging: bool
    has_management_writes: bool


@dataclass(frozen=True)
class LoginFact:
    """A published login, as it lies in its secret."""

    credential: str
    secret: str
    why_wrong: str = ""
    """Why it is not what the rulebook asks for, whatever its age."""
    age_seconds: float | None = None
    """``None`` where the secret does not exist or holds nothing."""
    refused_by: tuple[str, ...] = ()
    """What each registry of ECR says that does not take it."""
    unread: Unread | None = None
    """Why the secret could not be read."""


@dataclass(frozen=True)
class Around:
    """All of it."""

    rulebook: RulebookFact | Unread | None = None
    scanning: Mapping[str, Any] | Unread | None = None
    """``scanningConfiguration`` of GetRegistryScanningConfiguration."""
    inspector: str | Unread | None = None
    """The state of Inspector's scans of ECR in this account, such as ``ENABLED``."""
    repositories: int | Unread | None = None
    """How many the registry has."""
    repository_quota: float | Unread | None = None
    unreserved_concurrency: int | Unread | None = None
    """How many functions without a reserve may run at a time in the account and region."""
    trails: tuple[TrailFact, ...] | Unread | None = None
    logins: tuple[LoginFact, ...] | Unread = ()
    spokes: Mapping[str, Unread | None] = field(default_factory=dict)
    """By account: ``None`` where its role lets the caller in."""
    registries: Mapping[str, str] = field(default_factory=dict)
    """By host of each registry that is not ECR's: why it does not answer; empty where it does."""
