"""Lifecycle policies and their previews through the API."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

REPOSITORY = {"repositoryName": "team/app"}
ARCHIVE = {"type": "transition", "targetStorageClass": "archive"}


def policy(*rules):
    return json.dumps({"rules": list(rules)})


def rule(priority=1, action=None, **selection):
    return {"rulePriority": priority, "selection": selection, "action": action or {"type": "expire"}}


KEEP_ONE = policy(rule(tagStatus="any", countType="imageCountMoreThan", countNumber=1))
KEEP_NINE = policy(rule(tagStatus="any", countType="imageCountMoreThan", countNumber=9))


def digests(answer):
    return [one["imageDigest"] for one in answer["previewResults"]]


def preview(ecr, text=None, **members):
    """Start a preview, wait for it as boto3 does, and read it."""
    given = {} if text is None else {"lifecyclePolicyText": text}
    assert ecr.start_lifecycle_policy_preview(**REPOSITORY, **given)["status"] == "IN_PROGRESS"
    ecr.get_waiter("lifecycle_policy_preview_complete").wait(**REPOSITORY)
    return ecr.get_lifecycle_policy_preview(**REPOSITORY, **members)


def test_a_policy_is_read_back_and_was_never_evaluated_when_it_is_new(ecr, team_app):
    put = ecr.put_lifecycle_policy(**REPOSITORY, lifecyclePolicyText=KEEP_ONE)
    got = ecr.get_lifecycle_policy(**REPOSITORY)
    assert put["lifecyclePolicyText"] == got["lifecyclePolicyText"] == KEEP_ONE.replace(" ", "")
    assert got["lastEvaluatedAt"] == datetime(1970, 1, 1, tzinfo=UTC)
    assert ecr.delete_lifecycle_policy(**REPOSITORY)["lifecyclePolicyText"] == got["lifecyclePolicyText"]
    for operation in (ecr.get_lifecycle_policy, ecr.delete_lifecycle_policy, ecr.start_lifecycle_policy_preview):
        with pytest.raises(ClientError, match="LifecyclePolicyNotFoundException"):
            operation(**REPOSITORY)


def test_a_preview_tells_what_the_policy_would_do_and_does_nothing(ecr, team_app):
    first, second = team_app.push_image("one", "1.0"), team_app.push_image("two", "2.0")

    found = preview(ecr, KEEP_ONE)

    [result] = found["previewResults"]
    assert result.pop("imagePushedAt") > datetime.now(UTC) - timedelta(minutes=5)
    assert result == {
        "imageTags": ["1.0"],
        "imageDigest": first,
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": 1,
        "storageClass": "STANDARD",
    }
    assert found["lifecyclePolicyText"] == KEEP_ONE.replace(" ", "")
    assert found["summary"] == {"expiringImageTotalCount": 1}
    assert {one["imageDigest"] for one in ecr.list_images(**REPOSITORY)["imageIds"]} == {first, second}


def test_a_preview_uses_the_policy_of_the_repository_when_none_is_given(ecr, team_app):
    first = team_app.push_image("one", "1.0")
    team_app.push_image("two", "2.0")
    archive = policy(rule(action=ARCHIVE, tagStatus="any", countType="imageCountMoreThan", countNumber=1))
    ecr.put_lifecycle_policy(**REPOSITORY, lifecyclePolicyText=archive)

    found = preview(ecr)

    assert digests(found) == [first]
    assert found["previewResults"][0]["action"] == {"type": "TRANSITION", "targetStorageClass": "ARCHIVE"}
    assert found["summary"] == {
        "expiringImageTotalCount": 0,
        "transitioningImageTotalCounts": [{"targetStorageClass": "ARCHIVE", "imageTotalCount": 1}],
    }


def test_a_preview_stays_as_it_was_made_until_the_next_one(ecr, team_app):
    first, second = team_app.push_image("one", "1.0"), team_app.push_image("two", "2.0")
    preview(ecr, KEEP_ONE)
    ecr.batch_delete_image(**REPOSITORY, imageIds=[{"imageDigest": first}])
    team_app.push_image("three", "3.0")
    assert digests(ecr.get_lifecycle_policy_preview(**REPOSITORY)) == [first]
    assert digests(preview(ecr, KEEP_ONE)) == [second]
    assert digests(preview(ecr, KEEP_NINE)) == []


def test_there_is_no_preview_when_none_was_started(ecr, team_app):
    with pytest.raises(ClientError, match="LifecyclePolicyPreviewNotFoundException"):
        ecr.get_lifecycle_policy_preview(**REPOSITORY)


@pytest.mark.parametrize("operation", ["start_lifecycle_policy_preview", "put_lifecycle_policy"])
def test_a_policy_is_refused_when_it_is_none(ecr, team_app, operation):
    text = json.dumps({"rules": [], "description": "x" * 100})
    with pytest.raises(ClientError, match="LifecyclePolicyText"):
        getattr(ecr, operation)(**REPOSITORY, lifecyclePolicyText=text)


def test_results_are_paged_and_filtered_by_tag_status(ecr, team_app):
    tagged = [team_app.push_image(f"tagged {n}", f"v{n}") for n in range(4)]
    untagged = [team_app.push_image(f"untagged {n}") for n in range(3)]
    team_app.push_image("newest", "latest")
    preview(ecr, KEEP_ONE)

    def listed(size, **members):
        pages = ecr.get_paginator("get_lifecycle_policy_preview").paginate(
            **REPOSITORY, **members, PaginationConfig={"PageSize": size}
        )
        return [digest for page in pages for digest in digests(page)]

    for size in (1, 2, 100):
        assert listed(size) == [*tagged, *untagged]
        assert listed(size, filter={"tagStatus": "TAGGED"}) == tagged
        assert listed(size, filter={"tagStatus": "UNTAGGED"}) == untagged


def test_results_of_named_images_only_are_given_when_image_ids_are(ecr, team_app):
    first, second = team_app.push_image("one", "1.0"), team_app.push_image("two")
    kept = team_app.push_image("three", "3.0")
    preview(ecr, KEEP_ONE)

    def named(*image_ids, **members):
        return digests(ecr.get_lifecycle_policy_preview(**REPOSITORY, imageIds=list(image_ids), **members))

    assert named({"imageTag": "1.0"}) == [first]
    assert named({"imageDigest": second}, {"imageDigest": kept}) == [second]
    assert named({"imageTag": "1.0"}, {"imageDigest": first, "imageTag": "1.0"}) == [first]
    assert named({"imageDigest": second, "imageTag": "1.0"}) == []
    assert named({"imageTag": "1.0"}, {"imageDigest": second}, filter={"tagStatus": "UNTAGGED"}) == [second]
    for wrong in ({"imageIds": [{}]}, {"imageIds": [{"imageTag": "1.0"}], "maxResults": 3}):
        with pytest.raises(ClientError, match="InvalidParameterException"):
            ecr.get_lifecycle_policy_preview(**REPOSITORY, **wrong)


def test_the_images_of_an_index_are_no_part_of_a_preview_while_it_is_there(ecr, team_app):
    child = team_app.push_image("child")
    index = team_app.push_index("1.0", [child])
    team_app.push_image("newest", "2.0")
    assert digests(preview(ecr, KEEP_ONE)) == [index]
    ecr.batch_delete_image(**REPOSITORY, imageIds=[{"imageDigest": index}])
    assert digests(preview(ecr, KEEP_ONE)) == [child]
