"""What a scanner reports about one image, read from a JSON document and checked against ECR's API model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local_ecr.control.protocol import read_shape
from local_ecr.errors import EcrError, invalid_parameter

BASIC, ENHANCED = "BASIC", "ENHANCED"
UNDER_WAY = ("IN_PROGRESS", "PENDING")
WITH_FINDINGS = ("COMPLETE", "ACTIVE")

_MEMBERS = frozenset({"type", "status", "description", "findings"})
_FINDING = {BASIC: "ImageScanFinding", ENHANCED: "EnhancedImageScanFinding"}
_SEVERITIES = ("INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL", "UNTRIAGED")  # Inspector's; ECR's are in its model
_OPEN = ("ACTIVE", "SUPPRESSED")
_FINDING_ARN = re.compile(r"arn:[a-z-]+:inspector2:[a-z0-9-]+:[0-9]{12}:finding/[0-9a-zA-Z-]+")


@dataclass(frozen=True)
class ScanReport:
    """The end, or the state, of one scan."""

    type: str
    status: str
    description: str | None
    findings: tuple[Mapping[str, Any], ...]


def read_report(document: Any) -> ScanReport:
    """`{"type", "status", "description"?, "findings"?}`. Raises EcrError that names the first fault.

    Findings have the shapes of ImageScanFinding (BASIC) or EnhancedImageScanFinding (ENHANCED) of ECR's API.
    """
    if not isinstance(document, Mapping):
        raise EcrError("InvalidParameterException", "A scan is a JSON object.")
    if unknown := sorted(document.keys() - _MEMBERS):
        raise EcrError("InvalidParameterException", f"A scan has no member {unknown[0]!r}.")
    scan_type = document.get("type")
    if scan_type not in _FINDING:
        raise invalid_parameter("type", f"Member must satisfy enum value set: [{', '.join(_FINDING)}]")
    status = read_shape("ScanStatus", document.get("status"), "status")
    description = document.get("description")
    if description is not None:
        description = read_shape("ScanStatusDescription", description, "description")
    given = document.get("findings", [])
    if not isinstance(given, list):
        raise invalid_parameter("findings", "Member must be a list")
    if given and status not in WITH_FINDINGS:
        raise invalid_parameter("findings", f"Member must be empty when status is {status}")
    findings = [_read_finding(scan_type, one, f"findings.{number}") for number, one in enumerate(given, start=1)]
    return ScanReport(scan_type, status, description, tuple(findings))


def _read_finding(scan_type: str, given: Any, path: str) -> dict[str, Any]:
    finding: dict[str, Any] = read_shape(_FINDING[scan_type], given, path, is_strict=True)
    if scan_type == BASIC:
        if not finding.get("name"):
            raise invalid_parameter(f"{path}.name", "Member must not be null")
        return finding
    if finding.get("severity", "UNTRIAGED") not in _SEVERITIES:
        raise invalid_parameter(f"{path}.severity", f"Member must satisfy enum value set: [{', '.join(_SEVERITIES)}]")
    if finding.get("status", "ACTIVE") not in _OPEN:
        raise invalid_parameter(f"{path}.status", "Member must be ACTIVE or SUPPRESSED: a closed finding is left out")
    if "findingArn" in finding and not _FINDING_ARN.fullmatch(finding["findingArn"]):
        raise invalid_parameter(f"{path}.findingArn", "Invalid ARN")
    if not finding.get("title") and not finding.get("packageVulnerabilityDetails", {}).get("vulnerabilityId"):
        raise invalid_parameter(path, "Members title or packageVulnerabilityDetails.vulnerabilityId must not be null")
    return finding
