"""What DescribeImageScanFindings may answer besides the usual."""

from typing import Any

import pytest
from botocore.stub import Stubber

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.ecr_scans import EcrScans
from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef
from ecr_steward.domain.scans import Finding, ScanStatus, Severity
from ecr_steward.errors import AccessDeniedError, RegistryUnavailableError, ThrottledError

HOME = RegistryRef("123456789012", "us-east-1")
IMAGE = ImageRef(RepositoryRef(HOME, "team-a/api"), Digest(f"sha256:{'a' * 64}"))


@pytest.fixture
def scans(clients: AwsClients) -> EcrScans:
    return EcrScans(clients)


def page(status: str, *, token: str | None = None, **found: Any) -> dict[str, Any]:
    answer = {"imageScanStatus": {"status": status, "description": "in its own words"}, "imageScanFindings": found}
    return answer | ({"nextToken": token} if token else {})


def enhanced(name: str, *packages: str, **members: Any) -> dict[str, Any]:
    details = {"vulnerabilityId": name, "vulnerablePackages": [{"name": each} for each in packages]}
    return {"packageVulnerabilityDetails": details, "severity": "HIGH", **members}


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("COMPLETE", ScanStatus.COMPLETE),
        ("ACTIVE", ScanStatus.COMPLETE),
        ("IN_PROGRESS", ScanStatus.PENDING),
        ("PENDING", ScanStatus.PENDING),
        ("UNSUPPORTED_IMAGE", ScanStatus.UNSCANNABLE),
        ("FAILED", ScanStatus.FAILED),
        ("SCAN_ELIGIBILITY_EXPIRED", ScanStatus.EXPIRED),
        ("FINDINGS_UNAVAILABLE", ScanStatus.FAILED),
        ("LIMIT_EXCEEDED", ScanStatus.LIMIT_EXCEEDED),
        ("IMAGE_ARCHIVED", ScanStatus.FAILED),
        ("IMAGE_SIZE_EXCEEDED", ScanStatus.LIMIT_EXCEEDED),
        ("A_STATUS_OF_NEXT_YEAR", ScanStatus.UNKNOWN),
    ],
)
def test_every_status_has_its_meaning_and_one_that_nobody_knows_is_no_success(
    scans: EcrScans, ecr: Stubber, word: str, status: ScanStatus
) -> None:
    ecr.add_response("describe_image_scan_findings", page(word))

    scan = scans.scan(IMAGE)

    assert scan.status is status
    assert scan.said == (None if status is ScanStatus.COMPLETE else f"{word}: in its own words")


@pytest.mark.parametrize(("word", "status"), [("FAILED", ScanStatus.UNSCANNABLE), ("COMPLETE", ScanStatus.COMPLETE)])
def test_an_image_is_unscannable_when_the_basic_scan_failed_for_its_operating_system(
    scans: EcrScans, ecr: Stubber, word: str, status: ScanStatus
) -> None:
    said = "UnsupportedImageError: The operating system and/or package manager are not supported."
    ecr.add_response("describe_image_scan_findings", {"imageScanStatus": {"status": word, "description": said}})

    assert scans.scan(IMAGE).status is status


def test_a_scan_has_failed_when_ecr_says_nothing_about_it(scans: EcrScans, ecr: Stubber) -> None:
    ecr.add_response("describe_image_scan_findings", {})

    assert scans.scan(IMAGE).status is ScanStatus.FAILED


def test_the_image_is_asked_for_by_digest_in_its_own_account(scans: EcrScans, ecr: Stubber) -> None:
    asked = {
        "registryId": "123456789012",
        "repositoryName": "team-a/api",
        "imageId": {"imageDigest": IMAGE.digest.value},
        "maxResults": 1000,
    }
    first = page("ACTIVE", token="more", enhancedFindings=[enhanced("CVE-1", "openssl")])
    ecr.add_response("describe_image_scan_findings", first, asked)
    second = page("ACTIVE", enhancedFindings=[enhanced("CVE-2", "openssl")])
    ecr.add_response("describe_image_scan_findings", second, asked | {"nextToken": "more"})

    assert [finding.name for finding in scans.scan(IMAGE).findings] == ["CVE-1", "CVE-2"]


def test_findings_of_both_scanners_count_when_an_answer_has_both(scans: EcrScans, ecr: Stubber) -> None:
    basic = {"name": "CVE-1", "severity": "UNDEFINED"}
    answer = page("COMPLETE", findings=[basic], enhancedFindings=[enhanced("CVE-2")])
    ecr.add_response("describe_image_scan_findings", answer)

    assert scans.scan(IMAGE).findings == (Finding("CVE-1", Severity.UNDEFINED), Finding("CVE-2", Severity.HIGH))


def test_a_finding_is_one_for_each_package_that_has_it(scans: EcrScans, ecr: Stubber) -> None:
    answer = page("ACTIVE", enhancedFindings=[enhanced("CVE-1", "openssl", "libssl3", "openssl")])
    ecr.add_response("describe_image_scan_findings", answer)

    assert [finding.package for finding in scans.scan(IMAGE).findings] == ["libssl3", "openssl"]


def test_a_finding_is_kept_as_suppressed_when_a_rule_of_inspector_hides_it(scans: EcrScans, ecr: Stubber) -> None:
    """attacks M2."""
    found = enhanced("CVE-1", status="SUPPRESSED")
    ecr.add_response("describe_image_scan_findings", page("ACTIVE", enhancedFindings=[found]))

    assert scans.scan(IMAGE).findings == (Finding("CVE-1", Severity.HIGH, is_suppressed=True),)


@pytest.mark.parametrize("status", ["CLOSED", "Closed"])
def test_a_finding_does_not_count_when_it_is_closed(scans: EcrScans, ecr: Stubber, status: str) -> None:
    there = enhanced("CVE-2", status="ACTIVE")
    ecr.add_response(
        "describe_image_scan_findings", page("ACTIVE", enhancedFindings=[enhanced("CVE-1", status=status), there])
    )

    assert [finding.name for finding in scans.scan(IMAGE).findings] == ["CVE-2"]


@pytest.mark.parametrize("severity", ["UNTRIAGED", "", "NOT_A_SEVERITY", None])
def test_a_finding_has_no_severity_when_nobody_has_said_one_we_know(
    scans: EcrScans, ecr: Stubber, severity: str | None
) -> None:
    finding = enhanced("CVE-1") | ({} if severity is None else {"severity": severity})
    if severity is None:
        del finding["severity"]
    ecr.add_response("describe_image_scan_findings", page("ACTIVE", enhancedFindings=[finding]))

    assert scans.scan(IMAGE).findings == (Finding("CVE-1", Severity.UNDEFINED, severity_word=severity or None),)


def test_a_finding_is_not_lost_when_it_has_no_name(scans: EcrScans, ecr: Stubber) -> None:
    answer = page("COMPLETE", findings=[{"severity": "HIGH"}], enhancedFindings=[{"title": "weak password"}])
    ecr.add_response("describe_image_scan_findings", answer)

    assert {finding.name for finding in scans.scan(IMAGE).findings} == {"a finding without a name", "weak password"}


def test_a_scan_is_under_way_when_it_began_anew_between_two_pages(scans: EcrScans, ecr: Stubber) -> None:
    ecr.add_response("describe_image_scan_findings", page("COMPLETE", token="more"))
    ecr.add_response("describe_image_scan_findings", page("IN_PROGRESS"))

    assert scans.scan(IMAGE).status is ScanStatus.PENDING


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("AccessDeniedException", AccessDeniedError),
        ("ThrottlingException", ThrottledError),
        ("ServerException", RegistryUnavailableError),
    ],
)
def test_no_error_is_taken_for_a_scan(scans: EcrScans, ecr: Stubber, code: str, error: type[Exception]) -> None:
    ecr.add_client_error("describe_image_scan_findings", code, "inspector2:ListFindings")

    with pytest.raises(error, match="ecr:DescribeImageScanFindings on 123456789012/us-east-1/team-a/api"):
        scans.scan(IMAGE)
