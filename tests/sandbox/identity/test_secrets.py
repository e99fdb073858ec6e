"""Secrets Manager in the sandbox: moto keeps the values, policies say who reads them, dates are the sandbox's."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

OTHER = "222233334444"


@pytest.fixture(scope="module")
def box(new_template: Callable[[], Any], start: Callable[..., Any]) -> Any:
    """A function that may keep the secrets below ecr-steward/."""
    stack = new_template()
    actions = ["CreateSecret", "DescribeSecret", "GetSecretValue", "PutSecretValue", "TagResource"]
    arn = {"Fn::Sub": "arn:aws:secretsmanager:us-east-1:${AWS::AccountId}:secret:ecr-steward/*"}
    stack.function("Keeper", Policies=[stack.allow([f"secretsmanager:{action}" for action in actions], arn)])
    return start(stack)


@pytest.fixture(scope="module")
def keeper(box: Any) -> Any:
    """Secrets Manager as the function sees it."""
    role = box.sandbox.deployment.resources["KeeperRole"].arn
    return box.client("secretsmanager", box.sandbox.credentials_of(role, "keeper"))


def test_secret_is_written_and_read_by_name_and_arn_when_the_policy_names_its_prefix(box: Any, keeper: Any) -> None:
    tags = [{"Key": "a", "Value": "b"}]
    arn = keeper.create_secret(Name="ecr-steward/team", SecretString="first", Tags=tags)["ARN"]

    keeper.put_secret_value(SecretId="ecr-steward/team", SecretString="second")

    assert keeper.get_secret_value(SecretId=arn)["SecretString"] == "second"
    assert keeper.describe_secret(SecretId="ecr-steward/team")["ARN"] == arn
    decision = [one for one in box.sandbox.decisions if one.action == "secretsmanager:GetSecretValue"][-1]
    assert (decision.resource, decision.is_allowed) == (arn, True)


def test_secret_is_refused_when_it_is_outside_of_the_prefix(box: Any, keeper: Any) -> None:
    box.sandbox.client("secretsmanager").create_secret(Name="others/secret", SecretString="theirs")

    for ask in (
        lambda: keeper.get_secret_value(SecretId="others/secret"),
        lambda: keeper.put_secret_value(SecretId="others/secret", SecretString="mine"),
        lambda: keeper.create_secret(Name="others/new", SecretString="mine"),
        lambda: keeper.delete_secret(SecretId="ecr-steward/team"),
        keeper.list_secrets,
    ):
        with pytest.raises(ClientError, match="is not authorized to perform: secretsmanager:") as refused:
            ask()
        assert refused.value.response["Error"]["Code"] == "AccessDeniedException"


def test_secret_that_does_not_exist_is_not_found_when_it_may_be_read(keeper: Any) -> None:
    with pytest.raises(keeper.exceptions.ResourceNotFoundException):
        keeper.get_secret_value(SecretId="ecr-steward/none")


def test_secret_of_another_account_is_read_by_arn_when_its_policy_opens_it(box: Any) -> None:
    owner = box.sandbox.client("secretsmanager", account=OTHER)
    reader = box.sandbox.client("secretsmanager")
    arn = owner.create_secret(Name="shared", SecretString="told")["ARN"]
    with pytest.raises(ClientError, match="no resource-based policy allows the secretsmanager:GetSecretValue"):
        reader.get_secret_value(SecretId=arn)

    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": box.sandbox.account},
        "Action": "secretsmanager:GetSecretValue",
        "Resource": "*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    owner.put_resource_policy(SecretId=arn, ResourcePolicy=policy)

    assert reader.get_secret_value(SecretId=arn)["SecretString"] == "told"


def test_date_of_a_version_is_the_sandboxs_when_the_clock_was_moved(box: Any) -> None:
    secrets = box.sandbox.client("secretsmanager")
    secrets.create_secret(Name="dated", SecretString="before")
    before = secrets.get_secret_value(SecretId="dated")["CreatedDate"]

    box.sandbox.move_clock(timedelta(hours=13))
    secrets.put_secret_value(SecretId="dated", SecretString="after")

    assert secrets.get_secret_value(SecretId="dated")["CreatedDate"] - before >= timedelta(hours=13)
