"""Every event that ECR sends, beside a committed sample of it: same members, same values, ids and times apart."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from local_ecr.events import (
    ARCHIVE,
    STANDARD,
    LifecycleAction,
    ScanFrequencyChange,
    as_image_action,
    image_deleted,
    image_pushed,
    image_replicated,
    lifecycle_executed,
    scan_resource_changed,
    storage_class_changed,
)
from local_ecr.names import Digest, Registry
from local_ecr.state.images import Image
from tests.told import lasting, sample

NOW = datetime(2026, 11, 16, 1, 54, 34, tzinfo=UTC)
RESTORED = datetime(2025, 10, 10, 19, 13, 2, 740_000, tzinfo=UTC)
HERE = Registry("111122223333", "us-east-1")
THERE = Registry("444455556666", "us-west-2")
DIGEST = Digest("sha256:" + "a1" * 32)
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"


def image(media_type=OCI_MANIFEST, artifact_media_type=OCI_CONFIG, subject=None):
    return Image(
        id=1,
        digest=DIGEST,
        media_type=media_type,
        artifact_media_type=artifact_media_type,
        artifact_type=None,
        subject=subject,
        size=1,
        manifest_size=1,
        pushed_at=0,
        status="ACTIVE",
    )


IMAGE = image()
INDEX = image(OCI_INDEX, None)
SBOM = image(artifact_media_type="text/sbom+json", subject=Digest("sha256:" + "0f" * 32))
WHERE = (HERE, "team-a/api")
RULE = {
    "rulePriority": 1,
    "description": "remove all images > 2",
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 2},
    "action": {"type": "expire"},
}
ACTIONS = [
    LifecycleAction(DIGEST, ["alpine"], datetime.fromtimestamp(1584042813, UTC), 1),
    LifecycleAction(DIGEST, [], datetime.fromtimestamp(1584042842, UTC), 1),
]
CHANGES = [
    ScanFrequencyChange("team-a/api", "SCAN_ON_PUSH", "MANUAL"),
    ScanFrequencyChange("team-a/web", "CONTINUOUS_SCAN", "SCAN_ON_PUSH"),
]


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("ecr_image_action/push_tagged", image_pushed(*WHERE, IMAGE, "1.4.2", NOW)),
        ("ecr_image_action/push_untagged", image_pushed(*WHERE, IMAGE, None, NOW)),
        ("ecr_image_action/push_index", image_pushed(*WHERE, INDEX, "1.4.2", NOW)),
        ("ecr_image_action/delete_tagged", image_deleted(*WHERE, IMAGE, "1.4.2", NOW)),
        ("ecr_image_action/archive", storage_class_changed(*WHERE, IMAGE, ARCHIVE, NOW)),
        (
            "ecr_image_action/restore",
            storage_class_changed(*WHERE, IMAGE, STANDARD, NOW, last_activated_at=RESTORED),
        ),
        ("ecr_referrer_action/push_untagged", image_pushed(*WHERE, SBOM, None, NOW)),
        ("ecr_referrer_action/delete_untagged", image_deleted(*WHERE, SBOM, None, NOW)),
        (
            "ecr_referrer_action/restore",
            storage_class_changed(*WHERE, SBOM, STANDARD, NOW, last_activated_at=RESTORED),
        ),
        ("ecr_replication_action/success", image_replicated(*WHERE, DIGEST, "3.17.2", NOW, source=THERE)),
        (
            "ecr_replication_action/failed",
            image_replicated(*WHERE, DIGEST, "3.17.2", NOW, source=THERE, result="FAILED"),
        ),
        ("ecr_scan_resource_change/scan_frequency_change", scan_resource_changed(HERE, CHANGES, NOW)),
        ("aws_service_event_via_cloudtrail/policy_execution", lifecycle_executed(*WHERE, [RULE], ACTIONS, NOW)[0]),
    ],
)
def test_an_event_is_as_its_sample(name, event):
    assert lasting(event) == lasting(sample(name))
    json.dumps(event)


def test_the_moment_of_a_restore_is_told_as_exactly_as_in_the_sample():
    event = storage_class_changed(*WHERE, IMAGE, STANDARD, NOW, last_activated_at=RESTORED)
    assert event["detail"]["last-activated-at"] == sample("ecr_image_action/restore")["detail"]["last-activated-at"]

    whole = storage_class_changed(*WHERE, IMAGE, STANDARD, NOW, last_activated_at=NOW)
    assert whole["detail"]["last-activated-at"] == "2026-11-16T01:54:34Z"


def test_no_event_of_a_lifecycle_run_has_ten_images_or_an_image_with_more_than_a_hundred_tags():
    tags = [f"v{number}" for number in range(150)]
    actions = [LifecycleAction(DIGEST, tags, NOW - timedelta(days=1), 1) for _ in range(20)]

    told = [event["detail"]["serviceEventDetails"] for event in lifecycle_executed(*WHERE, [RULE], actions, NOW)]

    sizes = [len(one["lifecycleEventImageActions"]) for one in told]
    assert sum(sizes) == 20
    assert max(sizes) < 10
    assert {
        len(one["lifecycleEventImage"]["tagList"]) for each in told for one in each["lifecycleEventImageActions"]
    } == {100}


def test_a_lifecycle_run_that_did_nothing_is_told_without_images():
    [event] = lifecycle_executed(*WHERE, [RULE], [], NOW, last_evaluated_at=1741782216.108)
    details = event["detail"]["serviceEventDetails"]
    assert details["lifecycleEventImageActions"] == []
    assert details["lifecycleEventPolicy"]["lastEvaluatedAt"] == 1741782216108


def test_what_a_lifecycle_run_could_not_do_is_told_with_why():
    failed = LifecycleAction(DIGEST, [], NOW, 1, ("ImageReferencedByManifestList", "Requested image referenced"))

    [event] = lifecycle_executed(*WHERE, [RULE], [failed], NOW)

    [action] = event["detail"]["serviceEventDetails"]["lifecycleEventImageActions"]
    assert action["failureCode"] == "ImageReferencedByManifestList"
    assert action["failureReason"] == "Requested image referenced"


def test_a_rule_is_told_in_the_words_of_the_sample_whatever_it_selects():
    rule = {
        "rulePriority": 3,
        "selection": {
            "tagStatus": "tagged",
            "tagPatternList": ["v*"],
            "countType": "sinceImagePushed",
            "countUnit": "days",
            "countNumber": 14,
        },
        "action": {"type": "transition"},
    }

    [event] = lifecycle_executed(*WHERE, [rule], ACTIONS, NOW)

    assert event["detail"]["serviceEventDetails"]["lifecycleEventPolicy"]["lifecycleEventRules"] == [
        {
            "rulePriority": 3,
            "lifecycleEventSelection": {
                "tagStatus": "Tagged",
                "tagPrefixList": [],
                "tagPatternList": ["v*"],
                "countType": "Time since image pushed",
                "countUnit": "Days",
                "countNumber": 14,
            },
            "action": "transition",
        }
    ]


def test_a_copy_is_told_where_it_arrives():
    event = image_replicated(HERE, "team-a/api", DIGEST, None, NOW, source=THERE)
    assert (event["account"], event["region"]) == ("111122223333", "us-east-1")
    assert event["detail"]["image-tag"] == ""


def test_only_the_type_of_a_referrers_event_changes_when_referrers_are_not_told_apart():
    told = image_pushed(*WHERE, SBOM, None, NOW)

    assert as_image_action(told) == {**told, "detail-type": "ECR Image Action"}
    pushed = image_pushed(*WHERE, IMAGE, None, NOW)
    assert as_image_action(pushed) == pushed
