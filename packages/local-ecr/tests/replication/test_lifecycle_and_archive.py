"""What lifecycle policies and the archive do in the source and in a destination, and what of it is replicated.

Sources: ECR user guide, "Replicating image deletions in Amazon ECR" and "Restoring an image".
"""

import json
from datetime import timedelta

import pytest

ACCOUNT = "111122223333"
HOME = "us-east-1"
ABROAD = "eu-west-1"
REPOSITORY = {"repositoryName": "team/app"}
DAY = timedelta(hours=24, minutes=1)


def keep_newest(count):
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": count}
    return json.dumps({"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]})


def pass_a_day(stand):
    stand.clock.ahead += DAY
    stand.ecr.run_due()
    stand.ecr.wait_until_idle()


def move(client, digest, storage_class):
    client.update_image_storage_class(**REPOSITORY, imageId={"imageDigest": digest}, targetStorageClass=storage_class)


def status_of(client, digest):
    [detail] = client.describe_images(**REPOSITORY, imageIds=[{"imageDigest": digest}])["imageDetails"]
    return detail["imageStatus"]


@pytest.mark.parametrize("deletes", [True, False])
def test_an_image_that_expires_takes_its_copy_along_only_when_the_rule_says_so(
    stand, ecr, registries, team_app, deletes
):
    registries.configure((ABROAD, ACCOUNT), deletes=deletes)
    old, new = team_app.push_image("old", "1.0"), team_app.push_image("new", "2.0")
    assert set(registries.held(ABROAD)) == {old, new}

    ecr.put_lifecycle_policy(**REPOSITORY, lifecyclePolicyText=keep_newest(1))
    pass_a_day(stand)

    assert set(registries.held(HOME)) == {new}
    assert set(registries.held(ABROAD)) == ({new} if deletes else {old, new})


def test_a_lifecycle_policy_of_the_destination_is_for_the_copies_alone(stand, registries, team_app):
    registries.configure((ABROAD, ACCOUNT), deletes=True)
    old, new = team_app.push_image("old", "1.0"), team_app.push_image("new", "2.0")
    stand.ecr.wait_until_idle()

    stand.client(ABROAD).put_lifecycle_policy(**REPOSITORY, lifecyclePolicyText=keep_newest(1))
    pass_a_day(stand)

    assert set(registries.held(HOME)) == {old, new}
    assert set(registries.held(ABROAD)) == {new}


def test_a_copy_stays_active_when_its_source_is_archived(stand, ecr, registries, team_app):
    registries.configure((ABROAD, ACCOUNT), deletes=True)
    digest = team_app.push_image("one", "1.0")
    stand.ecr.wait_until_idle()

    move(ecr, digest, "ARCHIVE")

    assert registries.held(ABROAD) == {digest: {"1.0"}}
    assert status_of(stand.client(ABROAD), digest) == "ACTIVE"


def test_a_restored_image_is_copied_with_each_of_its_tags_and_restores_an_archived_copy(
    stand, ecr, registries, team_app
):
    digest = team_app.push_image("one", "1.0")
    team_app.push_manifest("latest", team_app.send("GET", "manifests/1.0").data)
    move(ecr, digest, "ARCHIVE")
    abroad = stand.client(ABROAD)
    abroad.create_repository(**REPOSITORY)
    stand.distribution(ABROAD).push_image("one")
    move(abroad, digest, "ARCHIVE")
    registries.configure((ABROAD, ACCOUNT))

    move(ecr, digest, "STANDARD")

    assert registries.held(ABROAD) == {digest: {"1.0", "latest"}}
    assert status_of(abroad, digest) == "ACTIVE"
    assert registries.statuses(imageDigest=digest) == [(ABROAD, ACCOUNT, "COMPLETE", None)]
