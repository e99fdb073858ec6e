"""Registry scanning configuration through the API, and what it does to images."""

from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

REPOSITORY = "team/app"
ONE_FILTER = {"filter": "team", "filterType": "WILDCARD"}


def rules(**patterns):
    """`SCAN_ON_PUSH="prod"`: a rule for each frequency, with one filter."""
    return [
        {"scanFrequency": frequency, "repositoryFilters": [{**ONE_FILTER, "filter": pattern}]}
        for frequency, pattern in patterns.items()
    ]


def configure(ecr, scan_type, **patterns):
    return ecr.put_registry_scanning_configuration(scanType=scan_type, rules=rules(**patterns))


def status(ecr, digest):
    try:
        found = ecr.describe_image_scan_findings(repositoryName=REPOSITORY, imageId={"imageDigest": digest})
    except ecr.exceptions.ScanNotFoundException:
        return None
    return found["imageScanStatus"]["status"]


def changes(stand):
    """(name, frequency, previous) of each ECR Scan Resource Change event so far."""
    found = [event["detail"] for _, _, event in stand.events if event["detail-type"] == "ECR Scan Resource Change"]
    return [
        [
            (one["repository-name"], one["scan-frequency"], one["previous-scan-frequency"])
            for one in detail["repositories"]
        ]
        for detail in found
    ]


def test_a_configuration_is_read_as_it_was_put_and_replaces_what_was_there(stand, ecr):
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}
    put = configure(ecr, "ENHANCED", CONTINUOUS_SCAN="prod", SCAN_ON_PUSH="*")

    read = ecr.get_registry_scanning_configuration()

    assert read["registryId"] == "111122223333"
    assert read["scanningConfiguration"] == put["registryScanningConfiguration"]
    assert read["scanningConfiguration"]["rules"] == rules(CONTINUOUS_SCAN="prod", SCAN_ON_PUSH="*")
    abroad = stand.client("eu-west-1").get_registry_scanning_configuration()
    assert abroad["scanningConfiguration"]["scanType"] == "BASIC"
    ecr.put_registry_scanning_configuration()
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}


@pytest.mark.parametrize(
    "members",
    [
        {"scanType": "FULL"},
        {"scanType": "BASIC", "rules": rules(CONTINUOUS_SCAN="*")},
        {"scanType": "ENHANCED", "rules": rules(MANUAL="*")},
        {"scanType": "BASIC", "rules": rules(SCAN_ON_PUSH="*") * 3},
        {"scanType": "BASIC", "rules": rules(SCAN_ON_PUSH="Team")},
        {"scanType": "BASIC", "rules": rules(SCAN_ON_PUSH="a" * 256)},
        {
            "scanType": "BASIC",
            "rules": [
                {"scanFrequency": "MANUAL", "repositoryFilters": rules(MANUAL="a")[0]["repositoryFilters"] * 101}
            ],
        },
    ],
)
def test_a_configuration_is_refused_when_it_is_invalid(ecr, members):
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.put_registry_scanning_configuration(**members)
    assert ecr.get_registry_scanning_configuration()["scanningConfiguration"] == {"scanType": "BASIC", "rules": []}


def test_repositories_tell_how_they_are_scanned_and_by_which_filters(ecr):
    for name in ("prod/api", "dev/api", "dev/own"):
        ecr.create_repository(repositoryName=name, imageScanningConfiguration={"scanOnPush": name == "dev/own"})
    configure(ecr, "BASIC", SCAN_ON_PUSH="prod")

    answer = ecr.batch_get_repository_scanning_configuration(
        repositoryNames=["prod/api", "no/such", "dev/api", "dev/own"]
    )

    arn = "arn:aws:ecr:us-east-1:111122223333:repository/"
    on_push = {"scanOnPush": True, "scanFrequency": "SCAN_ON_PUSH"}
    manual = {"scanOnPush": False, "scanFrequency": "MANUAL", "appliedScanFilters": []}
    assert answer["scanningConfigurations"] == [
        {
            "repositoryArn": f"{arn}prod/api",
            "repositoryName": "prod/api",
            **on_push,
            "appliedScanFilters": [{"filter": "prod", "filterType": "WILDCARD"}],
        },
        {"repositoryArn": f"{arn}dev/api", "repositoryName": "dev/api", **manual},
        {"repositoryArn": f"{arn}dev/own", "repositoryName": "dev/own", **on_push, "appliedScanFilters": []},
    ]
    assert [(one["repositoryName"], one["failureCode"]) for one in answer["failures"]] == [
        ("no/such", "REPOSITORY_NOT_FOUND")
    ]
    assert "does not exist" in answer["failures"][0]["failureReason"]


def test_more_than_25_repositories_are_too_many_to_ask_for(ecr):
    with pytest.raises(ClientError, match="InvalidParameterException"):
        ecr.batch_get_repository_scanning_configuration(repositoryNames=[f"team/{number}" for number in range(26)])


def test_a_push_begins_a_basic_scan_when_the_registrys_rule_says_so(ecr, team_app):
    before = team_app.push_image("before", "1.0")
    configure(ecr, "BASIC", SCAN_ON_PUSH="app")
    after = team_app.push_image("after", "2.0")

    assert (status(ecr, before), status(ecr, after)) == (None, "IN_PROGRESS")
    with pytest.raises(ClientError, match="LimitExceededException"):
        ecr.start_image_scan(repositoryName=REPOSITORY, imageId={"imageDigest": after})


def test_a_push_begins_nothing_when_the_rule_is_for_other_repositories(ecr, team_app):
    configure(ecr, "BASIC", SCAN_ON_PUSH="other", MANUAL="*")
    assert status(ecr, team_app.push_image("one", "1.0")) is None


@pytest.mark.parametrize("frequency", ["CONTINUOUS_SCAN", "SCAN_ON_PUSH"])
def test_a_pushed_image_waits_for_inspector_when_scans_are_enhanced(ecr, team_app, frequency):
    configure(ecr, "ENHANCED", **{frequency: "team/*"})
    image = team_app.push_image("one", "1.0")
    index = team_app.push_index("2.0", [image])

    assert (status(ecr, image), status(ecr, index)) == ("PENDING", None)
    waiting = ecr.describe_image_scan_findings(repositoryName=REPOSITORY, imageId={"imageDigest": image})
    assert waiting["imageScanStatus"]["description"] == "Pending start of the image scan."
    assert waiting["imageScanFindings"] == {"findings": [], "enhancedFindings": []}
    for digest in (image, team_app.push_image("two")):
        with pytest.raises(ClientError, match="This feature is disabled"):
            ecr.start_image_scan(repositoryName=REPOSITORY, imageId={"imageDigest": digest})


def test_nothing_waits_for_inspector_when_no_rule_is_for_the_repository_whatever_it_says_itself(ecr, team_app):
    ecr.put_image_scanning_configuration(repositoryName=REPOSITORY, imageScanningConfiguration={"scanOnPush": True})
    configure(ecr, "ENHANCED", SCAN_ON_PUSH="other")
    assert status(ecr, team_app.push_image("one", "1.0")) is None


def test_the_images_of_the_last_two_weeks_wait_for_inspector_when_enhanced_scans_begin(stand, ecr, team_app):
    old = team_app.push_image("old", "1.0")
    stand.clock.ahead = timedelta(days=15)
    new = stand.distribution().push_image("new", "2.0")  # with a token of that day

    configure(ecr, "ENHANCED", CONTINUOUS_SCAN="*")

    assert (status(ecr, old), status(ecr, new)) == (None, "PENDING")


def test_a_report_stays_when_enhanced_scans_are_configured_anew(stand, ecr, scanner):
    configure(ecr, "ENHANCED", SCAN_ON_PUSH="*")
    scanner.record("ENHANCED", "ACTIVE", scanner.enhanced("CVE-1"))
    configure(ecr, "ENHANCED", CONTINUOUS_SCAN="*")
    configure(ecr, "BASIC")
    configure(ecr, "ENHANCED", CONTINUOUS_SCAN="*")
    assert status(ecr, scanner.digest) == "ACTIVE"


def test_a_scan_can_be_started_again_when_scans_are_basic_again(ecr, scanner):
    scanner.record("ENHANCED", "ACTIVE")
    configure(ecr, "BASIC")
    started = ecr.start_image_scan(repositoryName=REPOSITORY, imageId={"imageDigest": scanner.digest})
    assert started["imageScanStatus"]["status"] == "IN_PROGRESS"


def test_it_is_told_which_repositories_are_scanned_otherwise_under_enhanced_scans(stand, ecr, sample):
    for name in ("repository-1", "repository-2"):
        ecr.create_repository(repositoryName=name)
    configure(ecr, "BASIC", SCAN_ON_PUSH="2")
    configure(ecr, "ENHANCED", SCAN_ON_PUSH="repository")
    configure(ecr, "ENHANCED", SCAN_ON_PUSH="repository")
    configure(ecr, "ENHANCED", SCAN_ON_PUSH="repository", CONTINUOUS_SCAN="2")
    configure(ecr, "ENHANCED")
    configure(ecr, "BASIC")

    assert changes(stand) == [
        [("repository-1", "SCAN_ON_PUSH", "MANUAL")],
        [("repository-2", "CONTINUOUS_SCAN", "SCAN_ON_PUSH")],
        [("repository-1", "MANUAL", "SCAN_ON_PUSH"), ("repository-2", "MANUAL", "CONTINUOUS_SCAN")],
    ]


def store(ecr, digest, storage_class):
    ecr.update_image_storage_class(
        repositoryName=REPOSITORY, imageId={"imageDigest": digest}, targetStorageClass=storage_class
    )


def test_an_image_in_the_archive_is_not_scanned(ecr, scanner):
    store(ecr, scanner.digest, "ARCHIVE")
    with pytest.raises(ClientError, match="ImageArchivedException"):
        ecr.start_image_scan(repositoryName=REPOSITORY, imageId={"imageDigest": scanner.digest})


def test_an_enhanced_scan_tells_that_its_image_is_in_the_archive(ecr, scanner):
    scanner.record("ENHANCED", "ACTIVE", scanner.enhanced("CVE-1"))
    store(ecr, scanner.digest, "ARCHIVE")

    found = scanner.describe()

    assert found["imageScanStatus"]["status"] == "IMAGE_ARCHIVED"
    assert "imageScanFindings" not in found


def test_a_restored_image_is_scanned_as_a_new_one_is(stand, ecr, scanner):
    store(ecr, scanner.digest, "ARCHIVE")
    configure(ecr, "BASIC", SCAN_ON_PUSH="team")
    store(ecr, scanner.digest, "STANDARD")
    stand.ecr.wait_until_idle()
    assert status(ecr, scanner.digest) == "IN_PROGRESS"


@pytest.mark.slow
def test_no_basic_scan_begins_when_the_registry_has_begun_all_that_it_may(stand, ecr, team_app):
    first = team_app.push_image("one", "1.0")
    begun = stand.clock().timestamp()
    for name in ("many/a", "many/b"):  # one repository has not room enough
        ecr.create_repository(repositoryName=name)
    with stand.ecr.store.changing() as change:
        change.connection.execute(
            "WITH RECURSIVE number (n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM number WHERE n <= 100000)"
            " INSERT INTO image (id, repository_id, digest, media_type, annotations, size, manifest_size, pushed_at,"
            " status) SELECT n, 2 + n % 2, 'sha256:' || n, '', '{}', 1, 1, 1.0, 'ACTIVE' FROM number"
        )
        change.connection.execute(
            "INSERT INTO scan (image_id, type, status, findings, started_at, is_announced)"
            " SELECT id, 'BASIC', 'COMPLETE', '[]', ?, 0 FROM image WHERE id > 1",
            (begun,),
        )
    configure(ecr, "BASIC", SCAN_ON_PUSH="*")
    asked = {"repositoryName": REPOSITORY, "imageId": {"imageDigest": first}}

    with pytest.raises(ClientError, match="quota per account"):
        ecr.start_image_scan(**asked)
    second = team_app.push_image("two", "2.0")
    assert status(ecr, second) == "LIMIT_EXCEEDED"

    stand.clock.ahead = timedelta(hours=24, minutes=1)
    for digest in (first, second):
        started = ecr.start_image_scan(repositoryName=REPOSITORY, imageId={"imageDigest": digest})
        assert started["imageScanStatus"]["status"] == "IN_PROGRESS"
