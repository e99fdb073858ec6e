"""The registry policy: put, read, removed; what the registry had before is put back."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError


def policy(account: Any, sid: str) -> dict[str, Any]:
    """Lets the account itself create repositories under the test's own prefix by replication."""
    statement = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": account.id},
        "Action": ["ecr:CreateRepository", "ecr:ReplicateImage"],
        "Resource": [f"arn:aws:ecr:{account.region}:{account.id}:repository/{account.name('*')}"],
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def current(account: Any) -> str | None:
    try:
        text: str = account.ecr.get_registry_policy()["policyText"]
    except account.ecr.exceptions.RegistryPolicyNotFoundException:
        return None
    return text


@pytest.fixture
def registry(account: Any) -> Iterator[Any]:
    before = current(account)
    yield account
    if before is not None:
        account.ecr.put_registry_policy(policyText=before)
    elif current(account) is not None:
        account.ecr.delete_registry_policy()


@pytest.mark.operation("PutRegistryPolicy")
@pytest.mark.operation("GetRegistryPolicy")
def test_a_registry_policy_is_read_with_the_meaning_that_was_put(registry: Any) -> None:
    for sid in ("first", "second"):
        registry.ecr.put_registry_policy(policyText=json.dumps(policy(registry, sid)))

        answer = registry.ecr.get_registry_policy()
        [statement] = json.loads(answer["policyText"])["Statement"]
        assert (answer["registryId"], statement["Sid"]) == (registry.id, sid)


@pytest.mark.operation("DeleteRegistryPolicy")
def test_a_deleted_registry_policy_is_read_no_more(registry: Any) -> None:
    registry.ecr.put_registry_policy(policyText=json.dumps(policy(registry, "mine")))

    registry.ecr.delete_registry_policy()

    with pytest.raises(ClientError, match="RegistryPolicyNotFoundException"):
        registry.ecr.get_registry_policy()
