"""Repositories: made, described, set, removed."""

from typing import Any

import pytest
from botocore.exceptions import ClientError


@pytest.mark.operation("CreateRepository")
def test_a_created_repository_is_among_those_that_are_described(account: Any) -> None:
    name = account.create_repository("app", imageTagMutability="IMMUTABLE")

    described = account.ecr.describe_repositories(repositoryNames=[name])["repositories"]
    assert [(one["repositoryName"], one["imageTagMutability"]) for one in described] == [(name, "IMMUTABLE")]


@pytest.mark.operation("DeleteRepository")
def test_a_deleted_repository_is_described_no_more(account: Any) -> None:
    name = account.create_repository("app")

    account.ecr.delete_repository(repositoryName=name)

    with pytest.raises(ClientError, match="RepositoryNotFoundException"):
        account.ecr.describe_repositories(repositoryNames=[name])
