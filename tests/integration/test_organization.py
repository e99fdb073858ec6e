"""Accounts of an organization that no list names: the self-check connects them. 11 s for all."""

import json
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_steward_sandbox.demo.client import User
from tests.given import aws

pytestmark = pytest.mark.slow

HUB, MEMBER, OUTSIDER = "111122223333", "222233334444", "333344445555"
OURS, OTHER = "o-abcde12345", "o-zzzzz12345"
SPOKE_ROLE = "ecr-steward-spoke"
LOGIN = "ecr-steward/member"


@pytest.fixture(scope="module")
def house(open_house: Any) -> Any:
    return open_house(
        spokes=[MEMBER, OUTSIDER],
        parameters={"SpokeOrganization": OURS, "SpokeAccounts": ""},
        organizations={HUB: OURS, MEMBER: OURS, OUTSIDER: OTHER},
    )


def user(house: Any, account: str) -> User:
    return User(house.sandbox, "us-east-1", account)


def check_itself(house: Any, account: str) -> None:
    """Put a self-check on an account's own default bus."""
    entry = {"Source": "ecr.steward.check", "DetailType": "Self Check", "Detail": "{}"}
    answer = house.sandbox.client("events", account=account).put_events(Entries=[entry])
    assert answer["FailedEntryCount"] == 0
    house.sandbox.wait_until_idle()


def noted(house: Any) -> list[str]:
    table = house.sandbox.deployment.resources["StateTable"].physical_id
    found = house.sandbox.client("dynamodb").query(
        TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "accounts"}}
    )
    return [item["sk"]["S"] for item in found["Items"]]


def test_an_account_of_the_organization_is_kept_once_it_has_checked_itself(house: Any) -> None:
    house.push("team-b/early", "1.0.0", user(house, MEMBER))
    early = house.take("FailureQueue")
    assert {each["error"] for each in early} == {"AccountNotConnectedError"}
    assert all("announces itself within five minutes" in each["message"] for each in early)

    check_itself(house, MEMBER)
    check_itself(house, MEMBER)

    assert noted(house) == [f"{MEMBER}/us-east-1"]
    house.push("team-b/api", "1.4.2", user(house, MEMBER))
    assert set(user(house, MEMBER).tags("team-b/api")) == {"1.4.2", "1.4-latest", "1-latest"}
    house.sweep()
    assert set(user(house, MEMBER).tags("team-b/early")) == {"1.0.0", "1.0-latest", "1-latest"}
    assert house.take("FailureQueue") == house.take("DeliveryFailureQueue", MEMBER) == []
    asked = [each for each in house.sandbox.decisions if each.action == "sts:AssumeRole" and MEMBER in each.resource]
    assert {each.is_allowed for each in asked} == {True}


def test_a_login_to_its_registry_is_published(house: Any) -> None:
    def publish(rulebook: dict[str, Any]) -> None:
        sinks = [{"secretsmanager": LOGIN}]
        credential = {"name": "member", "registries": [{"account": MEMBER}], "sinks": sinks}
        rulebook["credentials"] = [credential]

    house.rulebook.deploy(publish)
    house.refresh()

    published = json.loads(house.sandbox.client("secretsmanager").get_secret_value(SecretId=LOGIN)["SecretString"])
    assert [f"http://{host}" for host in published["auths"]] == [house.sandbox.registry_url("us-east-1", MEMBER)]
    assert house.take("FailureQueue") == []


def test_an_account_of_another_organization_is_not_let_in(house: Any) -> None:
    check_itself(house, OUTSIDER)

    kept = house.take("DeliveryFailureQueue", OUTSIDER)
    assert [each["detail-type"] for each in kept] == ["Self Check"]
    assert f"{OUTSIDER}/us-east-1" not in noted(house)


def test_its_role_is_not_assumed_although_it_lets_us_in(house: Any) -> None:
    """Who may write the state table could note an account; the functions' own policies still refuse its role."""
    table = house.sandbox.deployment.resources["StateTable"].physical_id
    item = {"pk": {"S": "accounts"}, "sk": {"S": f"{OUTSIDER}/us-east-1"}, "seen": {"N": "1"}}
    house.sandbox.client("dynamodb").put_item(TableName=table, Item=item)
    house.sandbox.move_clock(timedelta(minutes=2))  # functions believe what they have read for one
    house.take("FailureQueue")

    house.sweep()

    house.sandbox.client("dynamodb").delete_item(TableName=table, Key={key: item[key] for key in ("pk", "sk")})
    (failed,) = house.take("FailureQueue")
    assert f"account {OUTSIDER} does not let us act as arn:aws:iam::{OUTSIDER}:role/{SPOKE_ROLE}" in failed["message"]
    assert f"{OUTSIDER}/us-east-1: its last self-check came at 1970-01-01" in failed["message"]


def test_an_account_that_leaves_the_organization_is_heard_no_longer(house: Any) -> None:
    house.sandbox.organizations.pop(MEMBER)

    house.push("team-b/late", "1.4.2", user(house, MEMBER))

    assert set(user(house, MEMBER).tags("team-b/late")) == {"1.4.2"}
    kept = house.take("DeliveryFailureQueue", MEMBER)
    assert "ECR Image Action" in {each["detail-type"] for each in kept}
    assert house.take("FailureQueue") == []


@pytest.mark.parametrize(
    ("function", "may_note"),
    [
        ("EnforceImageTags", False),
        ("ApplyRepositoryPolicies", True),
        ("EvaluateImageScan", False),
        ("ReplicateImage", False),
        ("ReconcileRegistry", False),
        ("RefreshCredentials", False),
    ],
)
def test_one_function_notes_accounts_and_each_reads_them(house: Any, function: str, may_note: bool) -> None:
    role = house.sandbox.deployment.resources[f"{function}FunctionRole"].arn
    table = house.sandbox.deployment.resources["StateTable"].physical_id
    client = aws.client("dynamodb", house.sandbox.credentials_of(role, function), house.sandbox.endpoint_url)
    item = {"pk": {"S": "accounts"}, "sk": {"S": "444455556666/us-east-1"}, "seen": {"N": "1"}}

    with nullcontext() if may_note else pytest.raises(ClientError, match="not authorized to perform: dynamodb:PutItem"):
        client.put_item(TableName=table, Item=item)
    with pytest.raises(ClientError, match="not authorized to perform: dynamodb:DeleteItem"):
        client.delete_item(TableName=table, Key={key: item[key] for key in ("pk", "sk")})
    found = client.query(
        TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": "accounts"}}
    )

    assert found["Items"]
    client.close()
