"""DescribeImageReplicationStatus: how far each image has come in each destination, and why it did not arrive."""

import pytest
from botocore.exceptions import ClientError

ACCOUNT = "111122223333"
ABROAD = "eu-west-1"
NOBODY = "sha256:" + "0" * 64


def test_a_copied_image_is_complete_in_each_destination(ecr, registries, team_app):
    registries.configure((ABROAD, ACCOUNT), ("us-west-2", ACCOUNT))
    digest = team_app.push_image("one", "1.0")
    everywhere = [(ABROAD, ACCOUNT, "COMPLETE", None), ("us-west-2", ACCOUNT, "COMPLETE", None)]
    assert registries.statuses(imageDigest=digest) == everywhere
    assert registries.statuses(imageTag="1.0") == everywhere
    answer = ecr.describe_image_replication_status(repositoryName="team/app", imageId={"imageTag": "1.0"})
    assert answer["repositoryName"] == "team/app"
    assert answer["imageId"] == {"imageDigest": digest, "imageTag": "1.0"}


def test_an_image_is_in_progress_until_it_is_there(stand, ecr, registries, team_app):
    registries.configure((ABROAD, ACCOUNT))
    with stand.ecr.background.paused():
        digest = team_app.push_image("one", "1.0")
        answer = ecr.describe_image_replication_status(repositoryName="team/app", imageId={"imageDigest": digest})
        assert answer["replicationStatuses"] == [{"region": ABROAD, "registryId": ACCOUNT, "status": "IN_PROGRESS"}]
        assert stand.client(ABROAD).describe_repositories()["repositories"] == []
    assert registries.statuses(imageDigest=digest) == [(ABROAD, ACCOUNT, "COMPLETE", None)]


def test_the_status_stays_when_the_rule_is_gone_and_another_push_is_not_copied(registries, team_app):
    registries.configure((ABROAD, ACCOUNT))
    digest = team_app.push_image("one", "1.0")
    registries.configure()
    later = team_app.push_image("two", "2.0")
    assert registries.statuses(imageDigest=digest) == [(ABROAD, ACCOUNT, "COMPLETE", None)]
    assert registries.statuses(imageDigest=later) == []
    assert set(registries.held(ABROAD)) == {digest}


def test_what_is_on_its_way_arrives_when_its_rule_is_taken_away(stand, registries, team_app):
    registries.configure((ABROAD, ACCOUNT))
    with stand.ecr.background.paused():
        digest = team_app.push_image("one", "1.0")
        registries.configure()
    assert set(registries.held(ABROAD)) == {digest}


def test_an_image_that_comes_again_has_no_status_of_the_one_that_was_deleted(ecr, registries, team_app):
    registries.configure((ABROAD, ACCOUNT))
    digest = team_app.push_image("one", "1.0")
    registries.statuses(imageDigest=digest)
    registries.configure()
    ecr.batch_delete_image(repositoryName="team/app", imageIds=[{"imageDigest": digest}])
    team_app.push_image("one", "1.0")
    assert registries.statuses(imageDigest=digest) == []


@pytest.mark.parametrize(
    ("image_id", "code"),
    [
        ({"imageDigest": NOBODY}, "ImageNotFoundException"),
        ({"imageTag": "nobody"}, "ImageNotFoundException"),
        ({"imageDigest": NOBODY, "imageTag": "1.0"}, "ImageNotFoundException"),
        ({"imageDigest": "x"}, "InvalidParameterException"),
        ({}, "InvalidParameterException"),
    ],
)
def test_a_status_is_refused_when_no_image_is_meant(ecr, team_app, image_id, code):
    team_app.push_image("one", "1.0")
    with pytest.raises(ClientError) as caught:
        ecr.describe_image_replication_status(repositoryName="team/app", imageId=image_id)
    assert caught.value.response["Error"]["Code"] == code


def test_a_status_is_refused_when_there_is_no_such_repository(ecr):
    with pytest.raises(ClientError) as caught:
        ecr.describe_image_replication_status(repositoryName="no/such", imageId={"imageTag": "1.0"})
    assert caught.value.response["Error"]["Code"] == "RepositoryNotFoundException"
