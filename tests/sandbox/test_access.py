"""What a deployed role may ask of AWS is what its policies say; a user may ask everything."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.exceptions import ClientError

from tests.given import aws

ACCOUNT = "111122223333"
HAS_CREDENTIALS = """
    import os
    def lambda_handler(event, context):
        return {name: os.environ[name] for name in (
            "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"
        )}
"""


@pytest.fixture(scope="module")
def shop(new_template: Callable[[], Any], start: Callable[[Any], Any]) -> Any:
    """One function that may nothing but put events, and one that may a little of everything."""
    stack = new_template()
    stack.add("Bus", "AWS::Events::EventBus", Name="own")
    stack.queue("Jobs")
    stack.add("Topic", "AWS::SNS::Topic")
    stack.add(
        "Table",
        "AWS::DynamoDB::Table",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )
    puts = stack.allow("events:PutEvents", stack.arn("Bus"))
    repository = {"Fn::Sub": "arn:aws:ecr:*:${AWS::AccountId}:repository/team-a/*"}
    policies = [
        puts,
        stack.allow("sqs:SendMessage", stack.arn("Jobs")),
        stack.allow("sns:Publish", stack.ref("Topic")),
        stack.allow("dynamodb:GetItem", stack.arn("Table")),
        stack.allow("ecr:DescribeRepositories", repository),
        stack.allow("ecr:GetAuthorizationToken", "*"),
    ]
    stack.function("Poor", HAS_CREDENTIALS, Policies=[puts])
    stack.function("Rich", HAS_CREDENTIALS, Policies=policies)
    own_items = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["own#*"]}}
    stack.function("Tenant", HAS_CREDENTIALS, Policies=[stack.allow("dynamodb:*", "*", Condition=own_items)])
    box = start(stack)
    for name in ("team-a/api", "team-b/api"):
        box.sandbox.client("ecr").create_repository(repositoryName=name)
    return box


CALLS: dict[str, tuple[str, Callable[[Any, Any], object]]] = {
    "sqs:SendMessage": ("sqs", lambda sqs, box: sqs.send_message(QueueUrl=box.url("Jobs"), MessageBody="{}")),
    "sqs:SendMessage in a batch": (
        "sqs",
        lambda sqs, box: sqs.send_message_batch(QueueUrl=box.url("Jobs"), Entries=[{"Id": "1", "MessageBody": "{}"}]),
    ),
    "sns:Publish": ("sns", lambda sns, box: sns.publish(TopicArn=box.arn("Topic"), Message="x")),
    "dynamodb:GetItem": (
        "dynamodb",
        lambda table, box: table.get_item(
            TableName=box.sandbox.deployment.resources["Table"].physical_id, Key={"id": {"S": "1"}}
        ),
    ),
    "ecr:DescribeRepositories": (
        "ecr",
        lambda ecr, _box: ecr.describe_repositories(repositoryNames=["team-a/api"]),
    ),
    "ecr:GetAuthorizationToken": ("ecr", lambda ecr, _box: ecr.get_authorization_token()),
}


def client_of(box: Any, function: str, service: str) -> Any:
    """A client with the credentials that a function has."""
    answer = box.sandbox.client("lambda").invoke(FunctionName=box.arn(function), Payload=b"{}")
    return aws.client(service, json.loads(answer["Payload"].read()), box.sandbox.endpoint_url)


@pytest.mark.parametrize("name", CALLS)
def test_call_is_refused_when_no_policy_of_the_deployed_role_allows_it(shop: Any, name: str) -> None:
    service, ask = CALLS[name]
    action = name.partition(" ")[0]
    client = client_of(shop, "Poor", service)

    with pytest.raises(ClientError, match=rf"User: arn:aws:sts::{ACCOUNT}:assumed-role/.* not authorized .*{action}"):
        ask(client, shop)

    client.close()


@pytest.mark.parametrize("name", CALLS)
def test_call_is_answered_when_a_policy_of_the_deployed_role_allows_it(shop: Any, name: str) -> None:
    service, ask = CALLS[name]
    client = client_of(shop, "Rich", service)

    ask(client, shop)
    ask(shop.sandbox.client(service), shop)  # and a user needs no policy

    client.close()


def test_code_of_the_refusal_is_that_of_the_service_when_refused(shop: Any) -> None:
    codes = {}
    for service, ask in CALLS.values():
        client = client_of(shop, "Poor", service)
        with pytest.raises(ClientError) as refused:
            ask(client, shop)
        codes[service] = refused.value.response["Error"]["Code"]
        client.close()

    assert codes == {
        "dynamodb": "AccessDeniedException",
        "ecr": "AccessDeniedException",
        "sns": "AuthorizationError",
        "sqs": "AccessDenied",
    }


@pytest.mark.parametrize(
    ("asked", "resource"),
    [
        ({}, "repository/\\*"),
        ({"repositoryNames": ["team-b/api"]}, "repository/team-b/api"),
        ({"repositoryNames": ["team-a/api", "team-b/api"]}, "repository/team-b/api"),
    ],
)
def test_repositories_are_not_told_when_one_of_them_is_not_the_roles(
    shop: Any, asked: dict[str, Any], resource: str
) -> None:
    ecr = client_of(shop, "Rich", "ecr")

    with pytest.raises(ClientError, match=f"ecr:DescribeRepositories on resource: arn:aws:ecr:.*:{resource} "):
        ecr.describe_repositories(**asked)

    ecr.close()


def test_nothing_happens_when_a_request_names_one_operation_for_the_gate_and_another_for_the_service(shop: Any) -> None:
    credentials = shop.sandbox.credentials_of(shop.sandbox.deployment.resources["RichRole"].arn, "rich")
    scope = f"{credentials['AWS_ACCESS_KEY_ID']}/20260101/us-east-1/sqs/aws4_request"
    headers = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={scope}",
        "X-Amz-Security-Token": credentials["AWS_SESSION_TOKEN"],
        "Content-Type": "application/x-www-form-urlencoded",
    }
    url = shop.url("Jobs")
    may, may_not = (urlencode({"Action": name, "QueueUrl": url}) for name in ("SendMessage", "DeleteQueue"))

    status, told = shop.http("POST", f"/?{may}", may_not.encode(), headers)

    assert status == 400
    assert b"more than one operation: DeleteQueue, SendMessage" in told
    assert shop.http("POST", "/", may_not.encode(), headers)[0] == 403
    assert len(shop.sandbox.client("sqs").list_queues()["QueueUrls"]) == 1


@pytest.mark.parametrize(
    ("service", "operation", "codes"),
    [
        ("cloudwatch", "list_metrics", ("AccessDeniedException", "UnrecognizedClientException")),
        ("iam", "list_users", ("AccessDenied", "InvalidClientTokenId")),
        ("inspector2", "list_coverage", ("AccessDeniedException", "UnrecognizedClientException")),
        ("logs", "describe_log_groups", ("AccessDeniedException", "UnrecognizedClientException")),
        ("s3", "list_buckets", ("AccessDenied", "InvalidClientTokenId")),
        ("scheduler", "list_schedules", ("AccessDeniedException", "UnrecognizedClientException")),
    ],
)
def test_refusal_can_be_read_when_the_service_speaks_another_protocol(
    shop: Any, service: str, operation: str, codes: tuple[str, str]
) -> None:
    role = shop.sandbox.deployment.resources["PoorRole"].arn
    credentials = shop.sandbox.credentials_of(role, "poor")
    nobody = {"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "x"}
    sentences = (f"User: arn:aws:sts::{ACCOUNT}:assumed-role/", "The security token included in the request")
    for given, code, sentence in zip((credentials, nobody), codes, sentences, strict=True):
        with pytest.raises(ClientError) as refused:
            getattr(shop.client(service, given), operation)()
        error = refused.value.response["Error"]
        assert (error["Code"], error["Message"].startswith(sentence)) == (code, True)


def test_registry_refuses_a_role_when_it_may_only_log_in(shop: Any) -> None:
    ecr = client_of(shop, "Rich", "ecr")
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    ecr.close()

    status, answer = shop.http("POST", "/v2/team-a/api/blobs/uploads/", headers={"Authorization": f"Basic {token}"})

    assert (status, "ecr:InitiateLayerUpload" in str(answer)) == (403, True)


def key(text: str) -> dict[str, Any]:
    return {"id": {"S": text}}


ABOUT_ITEMS: dict[str, Callable[[Any, str, str], object]] = {
    "GetItem": lambda db, table, one: db.get_item(TableName=table, Key=key(one)),
    "PutItem": lambda db, table, one: db.put_item(TableName=table, Item={**key(one), "a": {"S": "own#1"}}),
    "UpdateItem": lambda db, table, one: db.update_item(
        TableName=table,
        Key=key(one),
        UpdateExpression="SET a = :id",
        ExpressionAttributeValues={":id": {"S": "own#1"}},
    ),
    "DeleteItem": lambda db, table, one: db.delete_item(TableName=table, Key=key(one)),
    "Query": lambda db, table, one: db.query(
        TableName=table,
        KeyConditionExpression="#i = :i",
        ExpressionAttributeNames={"#i": "id"},
        ExpressionAttributeValues={":i": {"S": one}},
    ),
    "Query as of old": lambda db, table, one: db.query(
        TableName=table, KeyConditions={"id": {"AttributeValueList": [{"S": one}], "ComparisonOperator": "EQ"}}
    ),
    "BatchGetItem": lambda db, table, one: db.batch_get_item(
        RequestItems={table: {"Keys": [key("own#1"), key(one + "!")]}}
    ),
    "BatchWriteItem": lambda db, table, one: db.batch_write_item(
        RequestItems={table: [{"PutRequest": {"Item": key("own#1")}}, {"DeleteRequest": {"Key": key(one + "!")}}]}
    ),
    "TransactWriteItems": lambda db, table, one: db.transact_write_items(
        TransactItems=[
            {"Put": {"TableName": table, "Item": key("own#1")}},
            {"Delete": {"TableName": table, "Key": key(one + "!")}},
        ]
    ),
}


@pytest.mark.parametrize("name", ABOUT_ITEMS)
def test_an_item_is_reached_only_when_its_partition_key_is_among_those_that_the_policy_names(
    shop: Any, name: str
) -> None:
    table = shop.sandbox.deployment.resources["Table"].physical_id
    client, ask = client_of(shop, "Tenant", "dynamodb"), ABOUT_ITEMS[name]
    shop.sandbox.client("dynamodb").put_item(TableName=table, Item=key("other#1"))

    ask(client, table, "own#2")
    with pytest.raises(ClientError, match="is not authorized to perform: dynamodb:"):
        ask(client, table, "other#1")

    assert shop.sandbox.client("dynamodb").get_item(TableName=table, Key=key("other#1"))["Item"] == key("other#1")
    client.close()


def test_a_call_about_no_single_item_has_no_partition_keys_so_that_all_of_them_match(shop: Any) -> None:
    table = shop.sandbox.deployment.resources["Table"].physical_id
    client = client_of(shop, "Tenant", "dynamodb")

    client.scan(TableName=table)
    client.describe_table(TableName=table)

    client.close()


@pytest.mark.parametrize("one", ["own#1", "other#1"])
def test_a_call_is_refused_when_its_partition_keys_are_in_a_statement_of_partiql(shop: Any, one: str) -> None:
    table = shop.sandbox.deployment.resources["Table"].physical_id
    client = client_of(shop, "Tenant", "dynamodb")

    with pytest.raises(ClientError, match="not authorized"):
        client.execute_statement(Statement=f"DELETE FROM \"{table}\" WHERE id = '{one}'")  # noqa: S608

    client.close()
