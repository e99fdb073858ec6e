"""Repository policies: set, read, removed."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError


def policy(account: Any, *actions: str) -> dict[str, Any]:
    statement = {"Sid": "own", "Effect": "Allow", "Principal": {"AWS": account.id}, "Action": list(actions)}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.operation("SetRepositoryPolicy")
@pytest.mark.operation("GetRepositoryPolicy")
def test_a_policy_is_read_with_the_meaning_that_was_set_last(account: Any) -> None:
    name = account.create_repository("app")

    for action in ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
        account.ecr.set_repository_policy(
            repositoryName=name, policyText=json.dumps(policy(account, action, "ecr:PutImage"))
        )

        answer = account.ecr.get_repository_policy(repositoryName=name)
        [statement] = json.loads(answer["policyText"])["Statement"]
        assert (answer["registryId"], answer["repositoryName"]) == (account.id, name)
        assert sorted(statement["Action"]) == sorted([action, "ecr:PutImage"])


@pytest.mark.operation("DeleteRepositoryPolicy")
def test_a_deleted_policy_is_read_no_more(account: Any) -> None:
    name = account.create_repository("app")
    account.ecr.set_repository_policy(
        repositoryName=name, policyText=json.dumps(policy(account, "ecr:BatchGetImage", "ecr:PutImage"))
    )

    account.ecr.delete_repository_policy(repositoryName=name)

    with pytest.raises(ClientError, match="RepositoryPolicyNotFoundException"):
        account.ecr.get_repository_policy(repositoryName=name)
