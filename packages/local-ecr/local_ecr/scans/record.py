"""Keep what a scanner reports about an image, begin a scan that somebody will report about, and tell of its end."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from local_ecr.errors import image_not_found, image_type_not_supported
from local_ecr.images.media_types import DOCKER_CONFIG, INDEXES, OCI_CONFIG
from local_ecr.names import Digest
from local_ecr.scans import events
from local_ecr.scans.events import ScannedImage
from local_ecr.scans.report import BASIC, ENHANCED, UNDER_WAY, WITH_FINDINGS, ScanReport
from local_ecr.state import images, scans
from local_ecr.state.images import Image
from local_ecr.state.repositories import Repository
from local_ecr.state.scans import Scan
from local_ecr.state.store import Change

DESCRIPTIONS = {
    (BASIC, "COMPLETE"): "The scan was completed successfully.",
    (ENHANCED, "COMPLETE"): "The scan was completed successfully.",
    (ENHANCED, "ACTIVE"): "Continuous scan is selected for image.",
    (ENHANCED, "PENDING"): "Pending start of the image scan.",
}
"""ECR's own. Sources: github.com/aws/aws-sdk/issues/289, github.com/aws/aws-cli/issues/6759,
github.com/alexjurkiewicz/ecr-scan-image/pull/51."""


def unscannable_type(image: Image) -> str | None:
    """The media type by which ECR refuses to scan this: an index, or an artifact that is no container image."""
    if image.media_type in INDEXES:
        return image.media_type
    return None if image.artifact_media_type in {OCI_CONFIG, DOCKER_CONFIG} else image.artifact_media_type or ""


def begin_scan(change: Change, image: Image, now: datetime) -> Scan:
    """A basic scan, under way until its result is recorded. What an earlier scan found is gone."""
    before = scans.get(change.connection, image)
    scan = Scan(BASIC, "IN_PROGRESS", None, (), now.timestamp(), None, before is not None and before.is_announced)
    scans.put(change.connection, image, scan)
    return scan


def record_scan(change: Change, repository: Repository, digest: Digest, report: ScanReport, now: datetime) -> None:
    """Keep a report as the image's latest scan. Raises EcrError: there is no such image, or it is an index.

    Told, as AWS does: the end of a basic scan (COMPLETE, FAILED) as `ECR Image Scan`; the first result of an enhanced
    one (COMPLETE, ACTIVE) as `Inspector2 Scan`, and from then on every finding that is new, has another severity or
    status, or is closed as `Inspector2 Finding` (at AWS there is one for each finding of the first result, too). No
    event is documented for a scan that is under way, nor for images that are not supported, no longer eligible,
    archived, too large or over a limit: whoever wants to know reads.
    """
    connection = change.connection
    image = images.by_digest(connection, repository.id, digest)
    if image is None:
        raise image_not_found(repository.name, repository.registry.account, digest, None)
    if image.media_type in INDEXES:
        raise image_type_not_supported(image.media_type)
    before = scans.get(connection, image)
    scanned = ScannedImage(repository, image, images.tags_of(connection, image))
    scan = _scan(scanned, report, before, now.timestamp())
    scans.put(connection, image, scan)
    for event in _told(scanned, before, scan, now):
        change.announce(repository.registry, event)


def _scan(scanned: ScannedImage, report: ScanReport, before: Scan | None, moment: float) -> Scan:
    findings: Sequence[Mapping[str, Any]] = report.findings
    if report.type == ENHANCED:
        known = _by_arn(before)
        # what is found is not shown while a scan is under way, and known until that has ended
        findings = [_completed(scanned, one, known, moment) for one in findings] or (
            list(known.values()) if report.status in UNDER_WAY else []
        )
    return Scan(
        type=report.type,
        status=report.status,
        description=report.description or DESCRIPTIONS.get((report.type, report.status)),
        findings=findings,
        started_at=before.started_at if before is not None and before.ended_at is None else moment,
        ended_at=None if report.status in UNDER_WAY else moment,
        is_announced=(before is not None and before.is_announced)
        or (report.type == ENHANCED and report.status in WITH_FINDINGS),
    )


def _told(scanned: ScannedImage, before: Scan | None, scan: Scan, now: datetime) -> Iterator[dict[str, Any]]:
    if scan.type == BASIC:
        if scan.status in {"COMPLETE", "FAILED"}:
            yield events.image_scanned(scanned, scan.status, scan.findings, now)
    elif before is None or not before.is_announced:
        if scan.is_announced:
            yield events.initial_scan_complete(scanned, scan.findings, now)
    else:
        known, current = _by_arn(before), _by_arn(scan)
        for arn, finding in current.items():
            if arn not in known or _state(known[arn]) != _state(finding):
                yield events.finding_changed(scanned, finding, finding["status"], now)
        for arn in sorted(known.keys() - current.keys()):
            yield events.finding_changed(scanned, known[arn], "CLOSED", now)


def _by_arn(scan: Scan | None) -> dict[str, Mapping[str, Any]]:
    """Inspector's findings of a scan."""
    return {one["findingArn"]: one for one in scan.findings} if scan is not None and scan.type == ENHANCED else {}


def _state(finding: Mapping[str, Any]) -> tuple[Any, Any]:
    return finding.get("severity"), finding["status"]


def _completed(
    scanned: ScannedImage, finding: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]], moment: float
) -> dict[str, Any]:
    """A finding with what only its registry knows, where the report leaves it out."""
    repository, image = scanned.repository, scanned.image
    arn = finding.get("findingArn") or _finding_arn(scanned, finding)
    about = {
        "repositoryName": repository.name,
        "registry": repository.registry.account,
        "imageHash": image.digest,
        "imageTags": list(scanned.image_tags),
        "pushedAt": image.pushed_at,
    }
    return {
        "awsAccountId": repository.registry.account,
        "firstObservedAt": known.get(arn, {}).get("firstObservedAt", moment),
        "lastObservedAt": moment,
        "resources": [
            {"type": "AWS_ECR_CONTAINER_IMAGE", "id": scanned.arn, "details": {"awsEcrContainerImage": about}}
        ],
        "status": "ACTIVE",
        "type": "PACKAGE_VULNERABILITY",
        "updatedAt": moment,
        **finding,
        "findingArn": arn,
    }


def _finding_arn(scanned: ScannedImage, finding: Mapping[str, Any]) -> str:
    """The same for the same vulnerability in the same packages of the same image."""
    registry, details = scanned.repository.registry, finding.get("packageVulnerabilityDetails", {})
    packages = sorted(
        f"{one.get('name')} {one.get('version')} {one.get('release')}" for one in details.get("vulnerablePackages", ())
    )
    named = "\n".join((scanned.arn, details.get("vulnerabilityId") or finding["title"], *packages))
    name = hashlib.sha256(named.encode()).hexdigest()[:32]
    return f"arn:{registry.partition}:inspector2:{registry.region}:{registry.account}:finding/{name}"
