"""Repositories: made, described, set, removed."""

from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.mark.operation("CreateRepository")
def test_a_created_repository_is_among_those_that_are_described(account: Any) -> None:
    name = account.create_repository("app", imageTagMutability="IMMUTABLE")

    described = account.ecr.describe_repositories(repositoryNames=[name])["repositories"]
    assert [(one["repositoryName"], one["imageTagMutability"]) for one in described] == [(name, "IMMUTABLE")]


@pytest.mark.operation("DescribeRepositories")
def test_every_created_repository_is_described_once_page_by_page(account: Any) -> None:
    names = {account.create_repository(f"app-{number}") for number in range(3)}

    pages = list(account.ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1}))

    found = [one["repositoryName"] for page in pages for one in page["repositories"]]
    assert sorted(name for name in found if name in names) == sorted(names)


@pytest.mark.operation("DeleteRepository")
def test_a_deleted_repository_is_described_no_more(account: Any) -> None:
    name = account.create_repository("app")

    account.ecr.delete_repository(repositoryName=name)

    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        account.ecr.describe_repositories(repositoryNames=[name])


@pytest.mark.operation("PutImageTagMutability")
def test_a_repository_is_described_with_the_mutability_that_was_put(account: Any) -> None:
    name = account.create_repository("app")
    filters = [{"filterType": "WILDCARD", "filter": "dev-*"}]

    account.ecr.put_image_tag_mutability(
        repositoryName=name,
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=filters,
    )

    [described] = account.ecr.describe_repositories(repositoryNames=[name])["repositories"]
    assert described["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
    assert described["imageTagMutabilityExclusionFilters"] == filters
