"""Resource tags of repositories: added, listed, taken away."""

from typing import Any

import pytest


def arn_of(account: Any, name: str) -> str:
    [described] = account.ecr.describe_repositories(repositoryNames=[name])["repositories"]
    return str(described["repositoryArn"])


def tags_of(account: Any, arn: str) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in account.ecr.list_tags_for_resource(resourceArn=arn)["tags"]}


@pytest.mark.operation("TagResource")
def test_added_tags_are_listed_beside_those_that_were_there(account: Any) -> None:
    arn = arn_of(account, account.create_repository("app", tags=[{"Key": "team", "Value": "a"}]))

    account.ecr.tag_resource(resourceArn=arn, tags=[{"Key": "stage", "Value": "test"}])

    assert tags_of(account, arn) == {"team": "a", "stage": "test"}


@pytest.mark.operation("UntagResource")
def test_tags_that_were_taken_away_are_listed_no_more(account: Any) -> None:
    given = [{"Key": "team", "Value": "a"}, {"Key": "stage", "Value": "test"}]
    arn = arn_of(account, account.create_repository("app", tags=given))

    account.ecr.untag_resource(resourceArn=arn, tagKeys=["team"])

    assert tags_of(account, arn) == {"stage": "test"}


@pytest.mark.operation("ListTagsForResource")
def test_the_tags_that_a_repository_was_created_with_are_listed(account: Any) -> None:
    arn = arn_of(account, account.create_repository("app", tags=[{"Key": "team", "Value": ""}]))

    assert account.ecr.list_tags_for_resource(resourceArn=arn)["tags"] == [{"Key": "team", "Value": ""}]
