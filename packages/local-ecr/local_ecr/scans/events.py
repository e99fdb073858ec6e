"""The events of scans: ECR's own of a basic scan, Amazon Inspector's of an enhanced one.

Sources: ECR user guide, "Amazon ECR events and EventBridge"; Inspector user guide, "Amazon EventBridge event schema for
Amazon Inspector events".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.model import ListShape, Shape, StructureShape

from local_ecr import events
from local_ecr.control.protocol import service_model
from local_ecr.names import Registry
from local_ecr.state.images import Image
from local_ecr.state.repositories import Repository

INSPECTOR = "aws.inspector2"

_RENAMED = {"score": "inspectorScore"}
_ALWAYS_COUNTED = (
    "CRITICAL",
    "HIGH",
    "MEDIUM",
)  # with a zero, too; the rest is in TOTAL only, as in Inspector's samples


@dataclass(frozen=True)
class ScannedImage:
    """The image that a scan is of, and where it is."""

    repository: Repository
    image: Image
    image_tags: Sequence[str]

    @property
    def arn(self) -> str:
        """As Inspector names an image."""
        return f"{self.repository.arn}/{self.image.digest}"


def severity_counts(findings: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    """How many findings of each severity; none of those that nothing has."""
    return dict(Counter(finding["severity"] for finding in findings if "severity" in finding))


def image_scanned(
    scanned: ScannedImage, status: str, findings: Sequence[Mapping[str, Any]], now: datetime
) -> dict[str, Any]:
    """`ECR Image Scan`: a basic scan has ended."""
    repository = scanned.repository
    detail = {
        "scan-status": status,
        "repository-name": repository.name,
        "finding-severity-counts": severity_counts(findings),
        "image-digest": scanned.image.digest,
        "image-tags": list(scanned.image_tags),
    }
    return events.envelope(repository.registry, "ECR Image Scan", detail, now, resources=[repository.arn])


def initial_scan_complete(
    scanned: ScannedImage, findings: Sequence[Mapping[str, Any]], now: datetime
) -> dict[str, Any]:
    """`Inspector2 Scan`: an image was scanned for the first time. Here `repository-name` is the repository's ARN."""
    counts, repository = severity_counts(findings), scanned.repository
    detail = {
        "scan-status": "INITIAL_SCAN_COMPLETE",
        "repository-name": repository.arn,
        "finding-severity-counts": {
            **{severity: counts.get(severity, 0) for severity in _ALWAYS_COUNTED},
            "TOTAL": len(findings),
        },
        "image-digest": scanned.image.digest,
        "image-tags": list(scanned.image_tags),
        "version": "1.0",
    }
    return events.envelope(
        repository.registry, "Inspector2 Scan", detail, now, resources=[repository.arn], source=INSPECTOR
    )


def finding_changed(scanned: ScannedImage, finding: Mapping[str, Any], status: str, now: datetime) -> dict[str, Any]:
    """`Inspector2 Finding`: a finding is new, has changed, or is closed, which its `status` says."""
    registry = scanned.repository.registry
    current = {**finding, "status": status, "updatedAt": now.timestamp()}
    shape = service_model().shape_for("EnhancedImageScanFinding")
    detail = {_RENAMED.get(name, name): value for name, value in _written(shape, current).items()}
    if details := detail.pop("scoreDetails", None):
        detail["inspectorScoreDetails"] = {"adjustedCvss": details.get("cvss", {})}
    detail["resources"] = [{**one, **_provider(registry)} for one in detail["resources"]]
    return events.envelope(registry, "Inspector2 Finding", detail, now, resources=[scanned.arn], source=INSPECTOR)


def _provider(registry: Registry) -> dict[str, str]:
    return {
        "partition": registry.partition,
        "region": registry.region,
        "provider": "AWS",
        "providerAccountId": registry.account,
    }


def _written(shape: Shape, value: Any) -> Any:
    """Moments as Inspector writes them in events: `Wed Sep 04 16:55:38.411 UTC 2024`."""
    if isinstance(shape, StructureShape):
        return {name: _written(shape.members[name], item) for name, item in value.items()}
    if isinstance(shape, ListShape):
        return [_written(shape.member, item) for item in value]
    if shape.type_name != "timestamp":
        return value
    moment = datetime.fromtimestamp(value, UTC)
    return f"{moment:%a %b %d %H:%M:%S}.{moment.microsecond // 1000:03} UTC {moment:%Y}"
