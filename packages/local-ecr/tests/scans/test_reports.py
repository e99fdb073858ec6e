"""What may be recorded, and what is told of it."""

from datetime import UTC, datetime

import pytest

from local_ecr import EcrError, RecordedScan
from local_ecr.names import InvalidNameError
from local_ecr.scans.report import read_report

ARN = "arn:aws:ecr:us-east-1:111122223333:repository/team/app"


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([], "JSON object"),
        ({"type": "BASIC", "status": "COMPLETE", "finding": []}, "no member 'finding'"),
        ({"status": "COMPLETE"}, "at 'type'.*BASIC, ENHANCED"),
        ({"type": "BASIC"}, "at 'status'.*null"),
        ({"type": "BASIC", "status": "DONE"}, "at 'status'.*IN_PROGRESS, COMPLETE"),
        ({"type": "BASIC", "status": "COMPLETE", "findings": {}}, "'findings'.*list"),
        (
            {"type": "BASIC", "status": "FAILED", "findings": [{"name": "CVE"}]},
            "empty when status is FAILED",
        ),
        ({"type": "BASIC", "status": "COMPLETE", "description": 1}, "'description' has the wrong type"),
        ({"type": "BASIC", "status": "COMPLETE", "findings": ["CVE"]}, "'findings.1' has the wrong type"),
        ({"type": "BASIC", "status": "COMPLETE", "findings": [{"severity": "LOW"}]}, "'findings.1.name'.*null"),
        (
            {
                "type": "BASIC",
                "status": "COMPLETE",
                "findings": [{"name": "a"}, {"name": "b", "severity": "BAD"}],
            },
            "'findings.2.severity'.*UNDEFINED",
        ),
        (
            {"type": "BASIC", "status": "COMPLETE", "findings": [{"name": "a", "attributes": [{"kee": "x"}]}]},
            "'findings.1.attributes.1.k",
        ),
        ({"type": "BASIC", "status": "COMPLETE", "findings": [{"name": "a", "cve": "x"}]}, "'findings.1.cve'.*uri"),
        ({"type": "ENHANCED", "status": "ACTIVE", "findings": [{}]}, "'findings.1'.*title or package"),
        ({"type": "ENHANCED", "status": "ACTIVE", "findings": [{"title": "a", "severity": "BAD"}]}, "UNTRIAGED"),
        ({"type": "ENHANCED", "status": "ACTIVE", "findings": [{"title": "a", "status": "CLOSED"}]}, "is left out"),
        ({"type": "ENHANCED", "status": "ACTIVE", "findings": [{"title": "a", "findingArn": "x"}]}, "Invalid ARN"),
        ({"type": "ENHANCED", "status": "ACTIVE", "findings": [{"title": "a", "updatedAt": "soon"}]}, "no timestamp"),
        ({"type": "ENHANCED", "status": "ACTIVE", "findings": [{"title": "a", "score": True}]}, "wrong type"),
        ({"type": "ENHANCED", "status": "ACTIVE", "findings": [{"title": "a", "score": float("nan")}]}, "no number"),
    ],
)
def test_a_report_is_refused_when_the_model_of_the_api_does_not_know_it(document, fault):
    with pytest.raises(EcrError, match=fault):
        read_report(document)


@pytest.mark.parametrize(
    ("repository_name", "digest", "error"),
    [
        ("no/such", f"sha256:{'0' * 64}", "RepositoryNotFoundException"),
        ("team/app", f"sha256:{'0' * 64}", "ImageNotFoundException"),
        ("team/app", "latest", "not a sha256"),
    ],
)
def test_all_of_several_reports_are_refused_when_one_names_no_image(scanner, repository_name, digest, error):
    over = {"type": "BASIC", "status": "COMPLETE"}
    several = [
        RecordedScan(scanner.registry, "team/app", scanner.digest, over),
        RecordedScan(scanner.registry, repository_name, digest, over),
    ]
    with pytest.raises((EcrError, InvalidNameError), match=error):
        scanner.stand.ecr.record_scans(several)
    with pytest.raises(Exception, match="ScanNotFoundException"):
        scanner.describe()
    assert scanner.told() == []


def test_the_end_of_a_basic_scan_is_told_as_in_the_sample(scanner, sample):
    scanner.record("BASIC", "COMPLETE", *map(scanner.basic, "abc", ["CRITICAL", "MEDIUM", "MEDIUM"]))
    [event] = scanner.told()
    expected = sample("ecr_image_scan/complete")
    assert event.keys() == expected.keys()
    assert event["detail"].keys() == expected["detail"].keys()
    assert (event["detail-type"], event["source"]) == (expected["detail-type"], expected["source"])
    assert event["resources"] == [ARN]
    assert event["detail"] == {
        "scan-status": "COMPLETE",
        "repository-name": "team/app",
        "finding-severity-counts": {"CRITICAL": 1, "MEDIUM": 2},
        "image-digest": scanner.digest,
        "image-tags": ["1.0"],
    }


def test_the_first_end_of_an_enhanced_scan_is_told_as_in_the_sample(scanner, sample):
    scanner.record("ENHANCED", "ACTIVE", *map(scanner.enhanced, "abc", ["CRITICAL", "LOW", "UNTRIAGED"]))
    [event] = scanner.told()
    expected = sample("inspector2_scan/initial_scan_complete")
    assert event.keys() == expected.keys()
    assert event["detail"].keys() == expected["detail"].keys()
    assert (event["detail-type"], event["source"]) == (expected["detail-type"], expected["source"])
    assert event["resources"] == [ARN]
    assert event["detail"]["repository-name"] == ARN
    assert event["detail"]["finding-severity-counts"] == {"CRITICAL": 1, "HIGH": 0, "MEDIUM": 0, "TOTAL": 3}
    assert event["detail"]["finding-severity-counts"].keys() == expected["detail"]["finding-severity-counts"].keys()


def told_findings(scanner):
    """(status, title, severity) of the Inspector2 Finding events, in any order."""
    found = [event["detail"] for event in scanner.told() if event["detail-type"] == "Inspector2 Finding"]
    return sorted((one["status"], one["title"].split()[0], one["severity"]) for one in found)


def test_only_what_changed_is_told_when_inspector_looks_again(scanner):
    scanner.record("ENHANCED", "ACTIVE", scanner.enhanced("a"), scanner.enhanced("b"), scanner.enhanced("c", "LOW"))
    now = [scanner.enhanced("a"), scanner.enhanced("c", "CRITICAL"), scanner.enhanced("d")]
    scanner.stand.events.clear()

    scanner.record("ENHANCED", "ACTIVE", *now)

    assert told_findings(scanner) == [("ACTIVE", "c", "CRITICAL"), ("ACTIVE", "d", "HIGH"), ("CLOSED", "b", "HIGH")]
    assert len(scanner.told()) == 3, "the initial scan is told once"
    scanner.stand.events.clear()
    scanner.record("ENHANCED", "ACTIVE", *now)
    assert scanner.told() == []
    scanner.record("ENHANCED", "PENDING")
    assert scanner.told() == [], "nothing is closed while a scan is under way"
    scanner.record("ENHANCED", "SCAN_ELIGIBILITY_EXPIRED")
    assert told_findings(scanner) == [("CLOSED", "a", "HIGH"), ("CLOSED", "c", "CRITICAL"), ("CLOSED", "d", "HIGH")]


def test_a_changed_finding_has_the_form_of_inspectors_own_event(scanner):
    observed = datetime(2024, 9, 4, 16, 55, 38, 411_000, tzinfo=UTC).timestamp()
    cvss = {"score": 6.5, "version": "3.1", "scoringVector": "AV:N", "scoreSource": "NVD"}
    scanner.record("ENHANCED", "ACTIVE")
    scanner.stand.events.clear()

    finding = scanner.enhanced("CVE-2024-6119", firstObservedAt=observed, score=6.5, scoreDetails={"cvss": cvss})
    scanner.record("ENHANCED", "ACTIVE", finding)

    [event] = scanner.told()
    detail = event["detail"]
    assert (event["source"], event["resources"]) == ("aws.inspector2", [f"{ARN}/{scanner.digest}"])
    assert detail["firstObservedAt"] == "Wed Sep 04 16:55:38.411 UTC 2024"
    assert (detail["inspectorScore"], detail["inspectorScoreDetails"]) == (6.5, {"adjustedCvss": cvss})
    assert not {"score", "scoreDetails"} & detail.keys()
    [resource] = detail["resources"]
    assert (resource["providerAccountId"], resource["partition"], resource["region"]) == (
        "111122223333",
        "aws",
        "us-east-1",
    )
    assert resource["details"]["awsEcrContainerImage"]["pushedAt"].endswith(str(datetime.now(UTC).year))


@pytest.mark.parametrize(
    ("scan_type", "status", "told"),
    [
        ("BASIC", "FAILED", ["ECR Image Scan"]),
        ("BASIC", "IN_PROGRESS", []),
        ("BASIC", "UNSUPPORTED_IMAGE", []),
        ("ENHANCED", "COMPLETE", ["Inspector2 Scan"]),
        ("ENHANCED", "PENDING", []),
        ("ENHANCED", "UNSUPPORTED_IMAGE", []),
        ("ENHANCED", "SCAN_ELIGIBILITY_EXPIRED", []),
        ("ENHANCED", "FINDINGS_UNAVAILABLE", []),
    ],
)
def test_a_state_is_told_when_aws_has_an_event_for_it(scanner, scan_type, status, told):
    scanner.record(scan_type, status)
    assert [event["detail-type"] for event in scanner.told()] == told
