"""Scans of images: begun, and what they found read page by page."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from local_ecr.access.permissions import permissions_for_enhanced_scan
from local_ecr.control.call import Call, Handler, image_id
from local_ecr.control.images import find_asked_image
from local_ecr.errors import EcrError, image_type_not_supported, scan_not_found
from local_ecr.images.selection import ImageId
from local_ecr.scans.arrival import SCAN_INTERVAL, is_over_quota
from local_ecr.scans.configuration import takes_basic_scans
from local_ecr.scans.events import severity_counts
from local_ecr.scans.record import begin_scan, unscannable_type
from local_ecr.scans.report import BASIC, ENHANCED, WITH_FINDINGS
from local_ecr.state import scans
from local_ecr.state.images import Image
from local_ecr.state.scans import Scan

ARCHIVED = "ARCHIVED"


def start_image_scan(call: Call) -> Mapping[str, Any]:
    """Begin a basic scan: IN_PROGRESS until a result is recorded, or `scans_end_after` is over."""
    wanted, now = image_id(call.input["imageId"]), call.now()
    with call.store.changing() as change:
        image = find_asked_image(call, change.connection, wanted)
        if image.status == ARCHIVED:
            raise EcrError("ImageArchivedException", "The specified image is archived and cannot be scanned.")
        media_type = unscannable_type(image)
        if media_type is not None:
            raise image_type_not_supported(media_type)
        before = scans.get(change.connection, image)
        if not takes_basic_scans(change.connection, call.registry, before):
            # in ECR's words: containers-roadmap/issues/1605, 2656
            raise EcrError("ValidationException", "This feature is disabled")
        _require_quota(call, change.connection, before, now)
        scan = begin_scan(change, image, now)
    return _answer(call, image, wanted, scan)


def _require_quota(call: Call, connection: sqlite3.Connection, before: Scan | None, now: datetime) -> None:
    """Raises EcrError LimitExceededException: for this image, or for all of the registry."""
    begun = before.started_at if before is not None and _counts(before) else 0.0
    if begun > (now - SCAN_INTERVAL).timestamp():
        raise EcrError("LimitExceededException", "The scan quota per image has been exceeded. Wait and try again.")
    if is_over_quota(connection, call.registry, now):
        raise EcrError("LimitExceededException", "The scan quota per account has been exceeded. Wait and try again.")


def _counts(scan: Scan) -> bool:
    """Whether this was a basic scan at all."""
    return scan.type == BASIC and scan.status != "LIMIT_EXCEEDED"


def describe_image_scan_findings(call: Call) -> Mapping[str, Any]:
    """The latest scan of an image; the counts on every page are of all findings."""
    wanted, start = image_id(call.input["imageId"]), call.page_start(0)
    with call.store.reading() as connection:
        image = find_asked_image(call, connection, wanted)
        scan = scans.get(connection, image)
    if scan is None:
        raise scan_not_found(call.repository_name, call.registry.account, wanted.digest, wanted.image_tag)
    if scan.type == ENHANCED:
        call.require(permissions_for_enhanced_scan(call.registry))
    if image.status == ARCHIVED and scan.type == ENHANCED:  # Inspector closes what it found in what it cannot see
        scan = replace(scan, status="IMAGE_ARCHIVED", description=None)
    if (scan.type, scan.status) == (ENHANCED, "PENDING"):  # github.com/alexjurkiewicz/ecr-scan-image/pull/51
        return {**_answer(call, image, wanted, scan), "imageScanFindings": {"findings": [], "enhancedFindings": []}}
    if scan.status not in WITH_FINDINGS:
        return _answer(call, image, wanted, scan)
    numbered = list(enumerate(scan.findings, start=1))[start : start + call.page_size + 1]
    shown, next_token = call.page(numbered, lambda one: one[0])
    found = {
        "imageScanCompletedAt": scan.ended_at,
        "vulnerabilitySourceUpdatedAt": scan.ended_at,
        "findingSeverityCounts": severity_counts(scan.findings),
        "enhancedFindings" if scan.type == ENHANCED else "findings": [finding for _, finding in shown],
    }
    return {**_answer(call, image, wanted, scan), "imageScanFindings": found, "nextToken": next_token}


def _answer(call: Call, image: Image, wanted: ImageId, scan: Scan) -> dict[str, Any]:
    return call.in_repository(
        imageId=ImageId(image.digest, wanted.image_tag).as_json(),
        imageScanStatus={"status": scan.status, "description": scan.description},
    )


OPERATIONS: dict[str, Handler] = {
    "StartImageScan": start_image_scan,
    "DescribeImageScanFindings": describe_image_scan_findings,
}
