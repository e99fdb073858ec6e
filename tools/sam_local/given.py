"""What is there when a function is invoked, beyond the image that its event speaks of."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SERVICES, CACHED, PAYMENTS = "team-a/api", "team-a/library/alpine", "payments/api"
"""Repositories of the shipped rulebook's rules. The samples speak of the first; the second's rule speaks of scans."""

FINDING = "CVE-2026-12345"
"""What makes an image fail, here and in the samples."""


class Scanned(StrEnum):
    """What the scanner says of one image."""

    NEVER = "never scanned"
    CLEAN = "nothing found"
    MEDIUM = "a MEDIUM finding"
    HIGH = "a HIGH finding"
    HIGH_BY_INSPECTOR = "a HIGH finding of Inspector"

    def reports(self, repository: str, digest: str) -> list[dict[str, Any]]:
        """That, as ``POST /_sandbox/scans`` takes it: one report, or none."""
        report = _REPORTS.get(self)
        return [{"repository": repository, "digest": digest, **report}] if report else []


@dataclass(frozen=True)
class Given:
    """The circumstances of a case."""

    repository: str = SERVICES
    """Where the image is; the sample's repository name is replaced by it."""
    scans: tuple[Scanned, ...] = ()
    """Of the image, or of each platform of an index, in its order. Empty: nothing was ever scanned."""

    def __str__(self) -> str:
        where = "" if self.repository == SERVICES else self.repository
        return ": ".join(part for part in (where, ", ".join(self.scans)) if part)


AS_THE_SAMPLE_SAYS = Given()

_PACKAGE = [{"key": "package_name", "value": "openssl"}, {"key": "package_version", "value": "3.0.13"}]
_PACKAGES = [{"name": "openssl", "version": "3.0.13"}]


def _basic(*findings: dict[str, Any]) -> dict[str, Any]:
    return {"type": "BASIC", "status": "COMPLETE", "findings": list(findings)}


def _enhanced(*findings: dict[str, Any]) -> dict[str, Any]:
    return {"type": "ENHANCED", "status": "ACTIVE", "findings": list(findings)}


_REPORTS = {
    Scanned.CLEAN: _basic(),
    Scanned.MEDIUM: _basic({"name": "CVE-2026-10001", "severity": "MEDIUM", "attributes": _PACKAGE}),
    Scanned.HIGH: _basic({"name": FINDING, "severity": "HIGH", "attributes": _PACKAGE}),
    Scanned.HIGH_BY_INSPECTOR: _enhanced(
        {
            "title": f"{FINDING} - openssl",
            "severity": "HIGH",
            "packageVulnerabilityDetails": {"vulnerabilityId": FINDING, "vulnerablePackages": _PACKAGES},
        }
    ),
}
