"""What the API says about scans: begun, under way, over."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

MANY = 2_345


@pytest.mark.slow
@pytest.mark.parametrize("scan_type", ["BASIC", "ENHANCED"])
def test_findings_come_in_pages_with_the_counts_of_all_when_there_are_many(scanner, scan_type):
    make = scanner.basic if scan_type == "BASIC" else scanner.enhanced
    names = [f"CVE-2026-{number:05}" for number in range(MANY)]
    severities = ["LOW" if number % 3 else "CRITICAL" for number in range(MANY)]
    scanner.record(scan_type, "COMPLETE", *map(make, names, severities))

    pages, token = [], {}
    while True:
        pages.append(scanner.describe(maxResults=1000, **token))
        if "nextToken" not in pages[-1]:
            break
        token = {"nextToken": pages[-1]["nextToken"]}

    key = "findings" if scan_type == "BASIC" else "enhancedFindings"
    assert [len(page["imageScanFindings"][key]) for page in pages] == [1000, 1000, 345]
    found = [one for page in pages for one in page["imageScanFindings"][key]]
    titles = [one["name"] if scan_type == "BASIC" else one["packageVulnerabilityDetails"]["vulnerabilityId"]
              for one in found]  # fmt: skip
    assert titles == names
    counts = {"CRITICAL": severities.count("CRITICAL"), "LOW": severities.count("LOW")}
    assert all(page["imageScanFindings"]["findingSeverityCounts"] == counts for page in pages)
    assert {page["imageScanStatus"]["status"] for page in pages} == {"COMPLETE"}


def test_a_page_has_a_hundred_findings_when_nobody_says_how_many(scanner):
    scanner.record("BASIC", "COMPLETE", *(scanner.basic(f"CVE-{number}") for number in range(101)))
    assert len(scanner.describe()["imageScanFindings"]["findings"]) == 100


def test_a_basic_scan_is_told_whole_when_it_is_over(stand, scanner):
    finding = {**scanner.basic("CVE-2026-1", "MEDIUM"), "uri": "https://example.org/CVE-2026-1", "description": "bad"}
    scanner.record("BASIC", "COMPLETE", finding)
    answer = scanner.describe(imageId={"imageTag": "1.0"}, registryId="111122223333")
    assert answer["imageId"] == {"imageDigest": scanner.digest, "imageTag": "1.0"}
    assert answer["imageScanStatus"] == {
        "status": "COMPLETE",
        "description": "The scan was completed successfully.",
    }
    assert answer["imageScanFindings"]["findings"] == [finding]
    assert abs(answer["imageScanFindings"]["imageScanCompletedAt"] - stand.clock()) < timedelta(seconds=10)


def test_an_enhanced_finding_knows_its_image_when_the_report_leaves_that_out(scanner):
    scanner.record("ENHANCED", "ACTIVE", scanner.enhanced("CVE-2026-1", score=6.5, firstObservedAt="2026-09-04T16:55Z"))
    answer = scanner.describe()
    [finding] = answer["imageScanFindings"]["enhancedFindings"]
    assert answer["imageScanStatus"]["description"] == "Continuous scan is selected for image."
    assert (finding["status"], finding["score"], finding["awsAccountId"]) == ("ACTIVE", 6.5, "111122223333")
    assert finding["firstObservedAt"].isoformat().startswith("2026-09-04T")
    assert finding["findingArn"].startswith("arn:aws:inspector2:us-east-1:111122223333:finding/")
    [resource] = finding["resources"]
    assert resource["id"] == f"arn:aws:ecr:us-east-1:111122223333:repository/team/app/{scanner.digest}"
    about = resource["details"]["awsEcrContainerImage"]
    assert (about["imageHash"], about["imageTags"]) == (scanner.digest, ["1.0"])


@pytest.mark.parametrize("status", ["FAILED", "UNSUPPORTED_IMAGE", "PENDING", "SCAN_ELIGIBILITY_EXPIRED"])
def test_no_findings_are_told_when_a_scan_has_none_to_tell(scanner, status):
    scanner.record("BASIC", status, description="in the scanner's words")
    answer = scanner.describe()
    assert answer["imageScanStatus"] == {"status": status, "description": "in the scanner's words"}
    assert "imageScanFindings" not in answer


def test_there_is_no_scan_when_nobody_has_scanned(scanner):
    with pytest.raises(ClientError) as refused:
        scanner.describe()
    assert refused.value.response["Error"] == {
        "Code": "ScanNotFoundException",
        "Message": f"Image scan does not exist for the image with '{{imageDigest:'{scanner.digest}', imageTag:'null'}}'"
        " in the repository with name 'team/app' in the registry with id '111122223333'",
    }


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"imageId": {"imageTag": "no-such"}}, "ImageNotFoundException"),
        ({"imageId": {}}, "InvalidParameterException"),
        ({"repositoryName": "no/such"}, "RepositoryNotFoundException"),
        ({"maxResults": 1001}, "InvalidParameterException"),
        ({"nextToken": "forged"}, "InvalidParameterException"),
        ({"registryId": "444455556666"}, "AccessDeniedException"),
    ],
)
def test_what_is_asked_wrongly_is_refused(scanner, asked, code):
    scanner.record("BASIC", "COMPLETE")
    with pytest.raises(ClientError, match=code):
        scanner.describe(**asked)


def test_a_scan_goes_with_its_image_and_comes_not_back(ecr, team_app, scanner):
    scanner.record("BASIC", "COMPLETE", scanner.basic("CVE-2026-1"))
    ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": scanner.digest}])
    assert team_app.push_image("one", "1.0") == scanner.digest
    with pytest.raises(ClientError, match="ScanNotFoundException"):
        scanner.describe()


def test_a_scan_is_still_there_when_the_server_was_started_again(make_stand, tmp_path, scanner):
    scanner.record("BASIC", "COMPLETE", scanner.basic("CVE-2026-1"))
    scanner.stand.server.stop()
    scanner.stand = make_stand(scanner.stand.data)
    assert scanner.describe()["imageScanFindings"]["findingSeverityCounts"] == {"HIGH": 1}


def test_describe_images_says_nothing_of_scans_as_ecr_does_since_clair_is_gone(ecr, scanner):
    scanner.record("BASIC", "COMPLETE", scanner.basic("CVE-2026-1"))
    [detail] = ecr.describe_images(repositoryName="team/app")["imageDetails"]
    assert not {"imageScanStatus", "imageScanFindingsSummary"} & detail.keys()


def test_a_started_scan_is_under_way_until_its_result_is_recorded(ecr, scanner):
    started = ecr.start_image_scan(repositoryName="team/app", imageId={"imageTag": "1.0"})
    assert started["imageScanStatus"] == {"status": "IN_PROGRESS"}
    assert started["imageId"] == {"imageDigest": scanner.digest, "imageTag": "1.0"}
    assert scanner.describe()["imageScanStatus"] == {"status": "IN_PROGRESS"}
    scanner.record("BASIC", "COMPLETE")
    assert scanner.describe()["imageScanStatus"]["status"] == "COMPLETE"


def test_a_scan_can_be_started_again_when_a_day_is_over(stand, ecr, scanner):
    asked = {"repositoryName": "team/app", "imageId": {"imageDigest": scanner.digest}}
    ecr.start_image_scan(**asked)
    with pytest.raises(ClientError, match=r"LimitExceededException.*The scan quota per image has been exceeded"):
        ecr.start_image_scan(**asked)
    stand.clock.ahead = timedelta(hours=24, seconds=1)
    assert ecr.start_image_scan(**asked)["imageScanStatus"]["status"] == "IN_PROGRESS"


def test_a_scan_cannot_be_started_when_inspector_scans(ecr, scanner):
    scanner.record("ENHANCED", "ACTIVE")
    with pytest.raises(ClientError, match=r"ValidationException.*This feature is disabled"):
        ecr.start_image_scan(repositoryName="team/app", imageId={"imageDigest": scanner.digest})


def test_what_is_no_image_cannot_be_scanned(ecr, team_app, scanner):
    index = team_app.push_index("all", [scanner.digest])
    chart = team_app.image("chart")
    chart["config"]["mediaType"] = "application/vnd.cncf.helm.config.v1+json"
    team_app.push_manifest("chart", chart)
    for image_tag, media_type in (("all", "image.index.v1"), ("chart", "helm.config.v1")):
        message = f"UnsupportedImageTypeException.*An artifact with media type '.*{media_type}.*' cannot be scanned"
        with pytest.raises(ClientError, match=message):
            ecr.start_image_scan(repositoryName="team/app", imageId={"imageTag": image_tag})
    with pytest.raises(Exception, match="UnsupportedImageTypeException"):
        scanner.stand.ecr.record_scan(scanner.registry, "team/app", index, {"type": "BASIC", "status": "COMPLETE"})


def test_an_image_is_being_scanned_from_its_push_on_when_its_repository_says_so(stand, ecr, team_app, scanner):
    ecr.put_image_scanning_configuration(repositoryName="team/app", imageScanningConfiguration={"scanOnPush": True})
    scanner.digest = team_app.push_image("two", "2.0")
    team_app.push_index("all", [scanner.digest])
    assert scanner.describe()["imageScanStatus"] == {"status": "IN_PROGRESS"}
    with pytest.raises(ClientError, match="ScanNotFoundException"):
        scanner.describe(imageId={"imageTag": "all"})
    with pytest.raises(ClientError, match="LimitExceededException"):
        ecr.start_image_scan(repositoryName="team/app", imageId={"imageTag": "2.0"})
    scanner.record("BASIC", "COMPLETE")
    team_app.push_manifest("2.1", team_app.image("two"))
    assert scanner.describe()["imageScanStatus"]["status"] == "COMPLETE", "another tag is no new image"
