"""What a scanner says about an image, as facts read at one moment.

An index has no scan of its own: ECR scans what it points to.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from ecr_steward.domain.names import Digest


class Severity(IntEnum):
    """How bad a finding is. ``UNDEFINED``: nobody has said yet (Inspector writes UNTRIAGED)."""

    UNDEFINED = 0
    INFORMATIONAL = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4
    CRITICAL = 5


class ScanStatus(StrEnum):
    """What became of a scan. ECR's and Inspector's states, as far as they make a difference to a verdict."""

    COMPLETE = "complete"
    """The findings are there (COMPLETE of a basic scan, ACTIVE of an enhanced one)."""
    PENDING = "pending"
    """Under way: its end is announced by an event."""
    MISSING = "missing"
    """Nobody has scanned this image."""
    UNSCANNABLE = "unscannable"
    """The scanner does not know what to make of such an image, and never will."""
    FAILED = "failed"
    """The scanner tried, or its findings are no longer to be had."""


class Verdict(StrEnum):
    """What the rules say about an image with these findings."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    PENDING = "pending"
    """Not known yet: a scan is under way or was never started. Never taken for a pass."""


@dataclass(frozen=True)
class Finding:
    """One vulnerability in one package of an image."""

    name: str
    """Such as ``CVE-2026-12345``."""
    severity: Severity
    package: str | None = None
    """Name and version, as people write them, where the scanner says."""


@dataclass(frozen=True)
class Scan:
    """The latest scan of one image."""

    digest: Digest
    status: ScanStatus
    findings: tuple[Finding, ...] = ()
    said: str | None = None
    """The scanner's own words about its status."""
