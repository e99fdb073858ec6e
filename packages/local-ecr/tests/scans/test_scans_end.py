"""Scans that end by themselves after a set time of the clock."""

from datetime import timedelta

import pytest
from botocore.exceptions import WaiterError

from local_ecr.__main__ import command_line
from local_ecr.names import DEFAULT_REGISTRY

REPOSITORY = "team/app"
AFTER = timedelta(seconds=30)


@pytest.fixture
def ending(make_stand, tmp_path):
    """A registry whose scans end after 30 seconds, with the repository team/app."""
    stand = make_stand(tmp_path / "ending", scans_end_after=AFTER)
    stand.client().create_repository(repositoryName=REPOSITORY)
    return stand


def begin(stand):
    """Push an image, begin its scan, and forget the events until then."""
    digest = stand.distribution().push_image("one", "1.0")
    stand.client().start_image_scan(repositoryName=REPOSITORY, imageId={"imageDigest": digest})
    stand.events.clear()
    return digest


def let_pass(stand, time):
    stand.clock.ahead += time
    stand.ecr.run_due()


def describe(stand, digest):
    return stand.client().describe_image_scan_findings(repositoryName=REPOSITORY, imageId={"imageDigest": digest})


def wait(stand, digest, attempts):
    waiter = stand.client().get_waiter("image_scan_complete")
    waiter.wait(
        repositoryName=REPOSITORY,
        imageId={"imageDigest": digest},
        WaiterConfig={"Delay": 0.1, "MaxAttempts": attempts},
    )


@pytest.mark.slow
def test_boto3_waits_until_a_scan_ends_by_itself(make_stand, tmp_path):
    stand = make_stand(tmp_path / "soon", scans_end_after=timedelta())
    stand.client().create_repository(repositoryName=REPOSITORY)
    digest = begin(stand)
    wait(stand, digest, attempts=200)
    assert describe(stand, digest)["imageScanFindings"]["findings"] == []


def test_a_scan_that_ends_by_itself_is_complete_without_findings_and_announced_as_every_scan(ending):
    digest = begin(ending)
    let_pass(ending, AFTER - timedelta(seconds=15))
    with pytest.raises(WaiterError):
        wait(ending, digest, attempts=1)
    let_pass(ending, timedelta(seconds=16))
    found = describe(ending, digest)
    assert found["imageScanStatus"] == {"status": "COMPLETE", "description": "The scan was completed successfully."}
    assert (found["imageScanFindings"]["findings"], found["imageScanFindings"]["findingSeverityCounts"]) == ([], {})
    told = [event for _, _, event in ending.events if event["detail-type"] == "ECR Image Scan"]
    assert [one["detail"]["image-digest"] for one in told] == [digest]


def test_a_recorded_result_is_not_replaced_by_the_end_that_comes_by_itself(ending):
    digest = begin(ending)
    document = {"type": "BASIC", "status": "COMPLETE", "findings": [{"name": "CVE-2026-1", "severity": "HIGH"}]}
    ending.ecr.record_scan(DEFAULT_REGISTRY, REPOSITORY, digest, document)
    let_pass(ending, AFTER * 2)
    assert [one["name"] for one in describe(ending, digest)["imageScanFindings"]["findings"]] == ["CVE-2026-1"]


@pytest.mark.parametrize(("frequency", "status"), [("CONTINUOUS_SCAN", "ACTIVE"), ("SCAN_ON_PUSH", "COMPLETE")])
def test_an_enhanced_scan_ends_as_its_frequency_says(ending, frequency, status):
    rule = {"scanFrequency": frequency, "repositoryFilters": [{"filter": "team", "filterType": "WILDCARD"}]}
    ending.client().put_registry_scanning_configuration(scanType="ENHANCED", rules=[rule])
    digest = ending.distribution().push_image("one", "1.0")
    let_pass(ending, AFTER + timedelta(seconds=1))
    found = describe(ending, digest)
    assert found["imageScanStatus"]["status"] == status
    assert found["imageScanFindings"]["enhancedFindings"] == []
    assert "Inspector2 Scan" in [event["detail-type"] for _, _, event in ending.events]


def test_more_scans_than_one_transaction_takes_end_at_the_same_look(ending, monkeypatch):
    monkeypatch.setattr("local_ecr.scans.ending.AT_ONCE", 2)
    digests = []
    for name in ("one", "two", "three", "four", "five"):
        digests.append(ending.distribution().push_image(name, name))
        ending.client().start_image_scan(repositoryName=REPOSITORY, imageId={"imageTag": name})
    let_pass(ending, AFTER + timedelta(seconds=1))
    assert {describe(ending, one)["imageScanStatus"]["status"] for one in digests} == {"COMPLETE"}


def test_the_command_line_takes_seconds_and_refuses_what_is_no_time(capsys):
    assert command_line().parse_args(["--scans-end-after", "1.5"]).scans_end_after == timedelta(seconds=1.5)
    assert command_line().parse_args([]).scans_end_after is None
    for wrong in ("-1", "nan", "inf", "1e99", "soon", "86401"):
        with pytest.raises(SystemExit):
            command_line().parse_args([f"--scans-end-after={wrong}"])
        assert "not a number of seconds from 0 to 86400" in capsys.readouterr().err


def test_a_negative_time_is_refused_before_anything_starts(make_stand, tmp_path):
    with pytest.raises(ValueError, match="scans_end_after is not negative"):
        make_stand(tmp_path / "wrong", scans_end_after=timedelta(seconds=-1))
