"""The registry as a whole: what is said of it."""

from typing import Any

import pytest


@pytest.mark.operation("DescribeRegistry")
def test_a_registry_is_described_with_its_account(account: Any) -> None:
    found = account.ecr.describe_registry()

    assert found["registryId"] == account.id
    created = account.ecr.create_repository(repositoryName=account.name("app"))["repository"]
    assert created["registryId"] == found["registryId"]
