"""Lifecycle policies: put, read, previewed, removed."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

RULE = {
    "rulePriority": 1,
    "description": "keep the newest image",
    "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1},
    "action": {"type": "expire"},
}
POLICY = json.dumps({"rules": [RULE]})


def has_policy(account: Any, name: str) -> bool:
    """Whether there is one, asked by a preview of the repository's own policy."""
    try:
        account.ecr.start_lifecycle_policy_preview(repositoryName=name)
    except ClientError as refusal:
        assert refusal.response["Error"]["Code"] == "LifecyclePolicyNotFoundException"
        return False
    return True


@pytest.mark.operation("PutLifecyclePolicy")
def test_a_policy_that_was_put_is_the_one_that_is_previewed(account: Any) -> None:
    name = account.create_repository()
    assert not has_policy(account, name)

    account.ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=POLICY)

    assert has_policy(account, name)
    previewed = account.ecr.get_lifecycle_policy_preview(repositoryName=name)["lifecyclePolicyText"]
    assert json.loads(previewed) == json.loads(POLICY)


@pytest.mark.operation("GetLifecyclePolicy")
def test_a_policy_is_read_back_with_when_it_was_evaluated(account: Any) -> None:
    name = account.create_repository()
    account.ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=POLICY)

    found = account.ecr.get_lifecycle_policy(repositoryName=name)

    assert json.loads(found["lifecyclePolicyText"]) == json.loads(POLICY)
    created = account.ecr.describe_repositories(repositoryNames=[name])["repositories"][0]["createdAt"]
    assert found["lastEvaluatedAt"] <= created


@pytest.mark.operation("DeleteLifecyclePolicy")
def test_a_deleted_policy_is_previewed_no_more(account: Any) -> None:
    name = account.create_repository()
    account.ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=POLICY)

    account.ecr.delete_lifecycle_policy(repositoryName=name)

    assert not has_policy(account, name)


@pytest.mark.operation("StartLifecyclePolicyPreview")
@pytest.mark.operation("GetLifecyclePolicyPreview")
def test_a_preview_names_the_images_that_would_go_and_leaves_them(account: Any) -> None:
    name = account.create_repository()
    old = account.push_image(name, "old", "1.0")
    new = account.push_image(name, "new", "2.0")

    account.ecr.start_lifecycle_policy_preview(repositoryName=name, lifecyclePolicyText=POLICY)
    account.ecr.get_waiter("lifecycle_policy_preview_complete").wait(repositoryName=name)

    found = account.ecr.get_lifecycle_policy_preview(repositoryName=name)
    assert [(one["imageDigest"], one["action"]["type"]) for one in found["previewResults"]] == [(old, "EXPIRE")]
    assert found["summary"]["expiringImageTotalCount"] == 1
    described = account.ecr.describe_images(repositoryName=name)["imageDetails"]
    assert {one["imageDigest"] for one in described} == {old, new}
