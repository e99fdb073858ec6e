"""The contract of ``Scans``: every test runs on the fake and on the adapter, there for either of ECR's scanners."""

from typing import Any

import pytest

from ecr_steward.domain.names import Digest, ImageRef, RepositoryRef
from ecr_steward.domain.scans import Finding, Scan, ScanStatus, Severity
from ecr_steward.errors import ImageNotFoundError, RepositoryNotFoundError

NOWHERE = Digest(f"sha256:{'0' * 64}")
FOUND = (
    Finding("CVE-2026-10001", Severity.CRITICAL, "openssl 3.0.13"),
    Finding("CVE-2026-10002", Severity.LOW, "zlib 1.3"),
    Finding("CVE-2026-10003", Severity.HIGH),
    Finding("CVE-2026-10004", Severity.INFORMATIONAL, "tar 1.35"),
    Finding("CVE-2026-10005", Severity.MEDIUM, "tar 1.35"),
)

each_scanner = pytest.mark.parametrize("scanner", ["BASIC", "ENHANCED"])


@pytest.fixture
def image(world: Any, repository: RepositoryRef, new: Any) -> ImageRef:
    ref: ImageRef = world.push(repository, new.image(), "1.4.2")
    return ref


def test_a_scan_is_missing_when_nobody_has_scanned_the_image(world: Any, image: ImageRef) -> None:
    assert world.scans.scan(image) == Scan(image.digest, ScanStatus.MISSING)


@each_scanner
def test_all_findings_of_all_pages_are_read_when_a_scan_is_complete(world: Any, image: ImageRef, scanner: str) -> None:
    world.end_scan(image, scanner, ScanStatus.COMPLETE, *FOUND)

    scan = world.scans.scan(image)

    assert (scan.status, scan.said) == (ScanStatus.COMPLETE, None)
    assert set(scan.findings) == set(FOUND)
    assert len(scan.findings) == len(FOUND)


@each_scanner
def test_a_finding_is_read_when_it_has_no_severity(world: Any, image: ImageRef, scanner: str) -> None:
    nameless = Finding("CVE-2026-10001", Severity.UNDEFINED, "openssl 3.0.13")
    world.end_scan(image, scanner, ScanStatus.COMPLETE, nameless)

    assert world.scans.scan(image).findings == (nameless,)


def test_a_finding_is_read_in_inspectors_words_when_it_is_suppressed_or_not_rated(world: Any, image: ImageRef) -> None:
    """attacks M1, M2."""
    hidden = Finding("CVE-2026-10001", Severity.HIGH, "openssl 3.0.13", is_suppressed=True)
    unrated = Finding("CVE-2026-10002", Severity.UNDEFINED, "zlib 1.3.1", "UNTRIAGED")
    world.end_scan(image, "ENHANCED", ScanStatus.COMPLETE, hidden, unrated)

    assert world.scans.scan(image).findings == (hidden, unrated)


@each_scanner
@pytest.mark.parametrize(
    "status", [each for each in ScanStatus if each not in {ScanStatus.COMPLETE, ScanStatus.MISSING, ScanStatus.UNKNOWN}]
)
def test_a_scan_has_no_findings_and_the_scanners_words_when_it_is_not_complete(
    world: Any, image: ImageRef, scanner: str, status: ScanStatus
) -> None:
    world.end_scan(image, scanner, status)

    scan = world.scans.scan(image)

    assert (scan.status, scan.findings) == (status, ())
    assert scan.said


@each_scanner
def test_the_latest_scan_counts_when_an_image_is_scanned_again(world: Any, image: ImageRef, scanner: str) -> None:
    world.end_scan(image, scanner, ScanStatus.COMPLETE, *FOUND)
    world.end_scan(image, scanner, ScanStatus.COMPLETE, *FOUND[:1])

    assert world.scans.scan(image).findings == FOUND[:1]


def test_there_is_no_scan_to_read_when_image_or_repository_are_not_there(
    world: Any, repository: RepositoryRef, abroad: RepositoryRef
) -> None:
    with pytest.raises(ImageNotFoundError, match="team-a/api"):
        world.scans.scan(ImageRef(repository, NOWHERE))
    with pytest.raises(RepositoryNotFoundError, match="team-a/api"):
        world.scans.scan(ImageRef(abroad, NOWHERE))
