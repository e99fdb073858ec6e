"""What a scanner says about an image, as facts read at one moment.

An index has no scan of its own: ECR scans what it points to.
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from ecr_steward.domain.names import Digest


class Severity(IntEnum):
    """How bad a finding is. ``UNDEFINED``: no severity, or a word that is not in this list (Inspector's UNTRIAGED)."""

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
    """This image has never been scanned."""
    UNSCANNABLE = "unscannable"
    """The scanner does not support such an image."""
    FAILED = "failed"
    """The scanner tried, or its findings are not available."""
    EXPIRED = "expired"
    """Inspector no longer scans this image: its re-scan duration, 14 days by default, is over
    ("Configuring the Amazon ECR re-scan duration", Inspector user guide)."""
    LIMIT_EXCEEDED = "limit_exceeded"
    """The image is larger than the scanner takes, or the account has used up its scans."""
    UNKNOWN = "unknown"
    """A state that this version does not know; ``Scan.said`` has ECR's word."""


class Verdict(StrEnum):
    """What the rules say about an image with these findings, and what a rule has follow from what is not known."""

    PASS = "pass"  # noqa: S105 - no password
    FAIL = "fail"
    WAIT = "wait"
    """Not known yet: a scan is under way, or the rule has the image wait. Never taken for a pass."""


@dataclass(frozen=True)
class Finding:
    """One vulnerability in one package of an image."""

    name: str
    """Such as ``CVE-2026-12345``."""
    severity: Severity
    package: str | None = None
    """Name and version, as people write them, where the scanner says."""
    severity_word: str | None = None
    """The scanner's own word where ``severity`` is UNDEFINED, such as UNTRIAGED; ``None``: it gives no severity."""
    is_suppressed: bool = False
    """Whether a suppression rule of Inspector hides it. The package still has it."""

    @property
    def severity_text(self) -> str:
        """The severity in the scanner's word."""
        return self.severity_word or self.severity.name


@dataclass(frozen=True)
class Scan:
    """The latest scan of one image."""

    digest: Digest
    status: ScanStatus
    findings: tuple[Finding, ...] = ()
    said: str | None = None
    """The scanner's own words about its status."""
