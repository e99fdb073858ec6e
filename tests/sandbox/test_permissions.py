"""Which actions on which resources a call needs."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from ecr_steward_sandbox.api_calls import AmbiguousRequestError, ApiCall, HttpRequest, read_call
from ecr_steward_sandbox.permissions import Permission, needs

ACCOUNT = "111122223333"
REGION = "us-east-1"


def call(service: str, operation: str) -> ApiCall:
    """A call in us-east-1."""
    return ApiCall(service, "us-east-1", operation, "key")


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("sqs", "SendMessage", {"QueueUrl": "https://sqs/1/jobs"}, [("SendMessage", "arn:aws:sqs:us-east-1:1:jobs")]),
        ("sqs", "GetQueueUrl", {"QueueName": "j"}, [("GetQueueUrl", f"arn:aws:sqs:us-east-1:{ACCOUNT}:j")]),
        ("sqs", "SendMessage", {"QueueUrl": "jobs"}, [("SendMessage", f"arn:aws:sqs:us-east-1:{ACCOUNT}:jobs")]),
        ("sqs", "SendMessage", {"QueueUrl": "https://sqs/"}, [("SendMessage", f"arn:aws:sqs:us-east-1:{ACCOUNT}:")]),
        ("sqs", "ListQueues", {}, [("ListQueues", "*")]),
        (
            "dynamodb",
            "Query",
            {"TableName": "t", "IndexName": "i"},
            [("Query", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/t/index/i")],
        ),
        (
            "dynamodb",
            "TransactWriteItems",
            {"TransactItems": [{"Put": {"TableName": "a"}}, {"ConditionCheck": {"TableName": "b"}}]},
            [
                ("PutItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/a"),
                ("ConditionCheckItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/b"),
            ],
        ),
        (
            "dynamodb",
            "BatchGetItem",
            {"RequestItems": {"a": {}}},
            [("BatchGetItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/a")],
        ),
        (
            "ecs",
            "DescribeTasks",
            {"cluster": "c", "tasks": ["one", f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/c/two"]},
            [
                ("DescribeTasks", f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/c/one"),
                ("DescribeTasks", f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/c/two"),
            ],
        ),
        (
            "ecs",
            "DescribeServices",
            {"services": ["web"]},
            [("DescribeServices", f"arn:aws:ecs:us-east-1:{ACCOUNT}:service/default/web")],
        ),
        ("ecs", "ListTasks", {"cluster": "c"}, [("ListTasks", "*")]),
        ("sts", "GetCallerIdentity", {}, []),
        (
            "events",
            "PutEvents",
            {"Entries": [{"EventBusName": "own"}, {}, {"EventBusName": "own"}]},
            [
                ("PutEvents", f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/own"),
                ("PutEvents", f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/default"),
            ],
        ),
        (
            "events",
            "PutTargets",
            {"Rule": "r", "EventBusName": "own"},
            [("PutTargets", f"arn:aws:events:us-east-1:{ACCOUNT}:rule/own/r")],
        ),
        ("events", "PutRule", {"Name": "r"}, [("PutRule", f"arn:aws:events:us-east-1:{ACCOUNT}:rule/r")]),
        (
            "events",
            "PutPermission",
            {"EventBusName": "own"},
            [("PutPermission", f"arn:aws:events:us-east-1:{ACCOUNT}:event-bus/own")],
        ),
        (
            "secretsmanager",
            "CreateSecret",
            {"Name": "a/b", "Tags": [{"Key": "k", "Value": "v"}]},
            [
                ("CreateSecret", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:a/b"),
                ("TagResource", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:a/b"),
            ],
        ),
        (
            "secretsmanager",
            "BatchGetSecretValue",
            {"SecretIdList": ["a"]},
            [
                ("BatchGetSecretValue", "*"),
                ("GetSecretValue", f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:a"),
            ],
        ),
        ("secretsmanager", "ListSecrets", {}, [("ListSecrets", "*")]),
        ("kms", "Decrypt", {"KeyId": "k"}, [("Decrypt", "*")]),
        # What the operation does not know, moto does not look at either.
        (
            "dynamodb",
            "PutItem",
            {"TableName": "secret", "RequestItems": {"own": {}}, "TransactItems": []},
            [("PutItem", f"arn:aws:dynamodb:us-east-1:{ACCOUNT}:table/secret")],
        ),
        (
            "events",
            "PutRule",
            {"Name": "secret", "Rule": "own"},
            [("PutRule", f"arn:aws:events:us-east-1:{ACCOUNT}:rule/secret")],
        ),
        (
            "sqs",
            "CreateQueue",
            {"QueueName": "secret", "QueueUrl": "https://sqs/1/own"},
            [("CreateQueue", f"arn:aws:sqs:us-east-1:{ACCOUNT}:secret")],
        ),
        ("secretsmanager", "ListSecrets", {"SecretId": "own"}, [("ListSecrets", "*")]),
    ],
)
def test_call_needs_an_action_on_its_resources_when_asked_in_json(
    service: str, operation: str, parameters: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    request = HttpRequest("POST", "/", {"x-amz-target": f"X.{operation}"}, json.dumps(parameters).encode())

    assert needs(request, call(service, operation), ACCOUNT) == [
        Permission(f"{service}:{name}", arn) for name, arn in expected
    ]


@pytest.mark.parametrize(
    ("operation", "parameters", "expected"),
    [
        ("Publish", {"TopicArn": "arn:t"}, ("sns:Publish", "arn:t")),
        ("PublishBatch", {"TopicArn": "arn:t"}, ("sns:Publish", "arn:t")),
        ("Publish", {"PhoneNumber": "1"}, ("sns:Publish", "*")),
        ("CreateTopic", {"Name": "t"}, ("sns:CreateTopic", f"arn:aws:sns:us-east-1:{ACCOUNT}:t")),
        ("Unsubscribe", {"SubscriptionArn": "arn:aws:sns:r:1:t:uuid"}, ("sns:Unsubscribe", "arn:aws:sns:r:1:t")),
    ],
)
def test_call_needs_an_action_on_its_topic_when_asked_in_a_form(
    operation: str, parameters: dict[str, str], expected: tuple[str, str]
) -> None:
    body = urlencode({"Action": operation, **parameters}).encode()

    assert needs(HttpRequest("POST", "/", {}, body), call("sns", operation), ACCOUNT) == [Permission(*expected)]


@pytest.mark.parametrize(
    ("operation", "path", "body", "expected"),
    [
        ("Invoke", "/2015-03-31/functions/f/invocations", {}, [("InvokeFunction", "function:f")]),
        ("Invoke", "/2015-03-31/functions/f%3A7/invocations", {}, [("InvokeFunction", "function:f")]),
        (
            "Invoke",
            f"/2015-03-31/functions/arn%3Aaws%3Alambda%3A{REGION}%3A{ACCOUNT}%3Afunction%3Af%3A7/invocations",
            {},
            [("InvokeFunction", "function:f")],
        ),
        ("Invoke", f"/2015-03-31/functions/{ACCOUNT}:function:f/invocations", {}, [("InvokeFunction", "function:f")]),
        ("GetLayerVersion", "/2018-10-31/layers/l/versions/3", {}, [("GetLayerVersion", "layer:l:3")]),
        ("PublishLayerVersion", "/2018-10-31/layers/l/versions", {}, [("PublishLayerVersion", "layer:l")]),
        (
            "UpdateFunctionConfiguration",
            "/2015-03-31/functions/f/configuration",
            {"Layers": [f"arn:aws:lambda:{REGION}:{ACCOUNT}:layer:l:3"]},
            [("UpdateFunctionConfiguration", "function:f"), ("GetLayerVersion", "layer:l:3")],
        ),
    ],
)
def test_call_needs_an_action_on_its_function_when_the_path_names_it(
    operation: str, path: str, body: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    request = HttpRequest("POST", path, {"content-type": "application/json"}, json.dumps(body).encode())

    assert needs(request, call("lambda", operation), ACCOUNT) == [
        Permission(f"lambda:{action}", f"arn:aws:lambda:{REGION}:{ACCOUNT}:{resource}") for action, resource in expected
    ]


def test_call_needs_an_action_on_every_topic_that_it_names() -> None:
    body = urlencode({"Action": "Publish", "TopicArn": "arn:own", "TargetArn": "arn:secret"}).encode()

    asked = needs(HttpRequest("POST", "/", {}, body), call("sns", "Publish"), ACCOUNT)

    assert asked == [Permission("sns:Publish", "arn:own"), Permission("sns:Publish", "arn:secret")]


def test_call_needs_an_action_on_the_queue_of_its_path_when_it_names_no_other() -> None:
    request = HttpRequest("POST", f"/{ACCOUNT}/secret", {"x-amz-target": "AmazonSQS.SendMessage"}, b"{}")

    assert needs(request, call("sqs", "SendMessage"), ACCOUNT) == [
        Permission("sqs:SendMessage", f"arn:aws:sqs:us-east-1:{ACCOUNT}:secret")
    ]


FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("target", "body", "message"),
    [
        ("/", b"Action=Publish&TopicArn=arn:own&TopicArn=arn:secret", "more than once: TopicArn"),
        ("/", b"Action=Publish&TopicArn=&TopicArn=arn:secret", "more than once: TopicArn"),
        ("/?TopicArn=arn:secret", b"Action=Publish&TopicArn=arn:own", "in its query beside those of its body"),
    ],
)
def test_form_is_refused_when_it_can_be_read_in_two_ways(target: str, body: bytes, message: str) -> None:
    with pytest.raises(AmbiguousRequestError, match=message):
        read_call(HttpRequest("POST", target, FORM, body), REGION)


def test_json_is_refused_when_the_query_has_parameters_that_moto_would_take_instead() -> None:
    headers = {"x-amz-target": "secretsmanager.GetSecretValue", "content-type": "application/x-amz-json-1.1"}
    with pytest.raises(AmbiguousRequestError, match="in its query beside those of its body"):
        read_call(HttpRequest("POST", "/?SecretId=secret", headers, b'{"SecretId": "own"}'), REGION)


@pytest.mark.parametrize(
    ("target", "body"),
    [
        ("/?Action=Publish&TopicArn=arn:own", b""),
        ("/?X-Amz-Date=now&Action=Publish", b"Action=Publish&TopicArn=arn:own"),
    ],
)
def test_request_is_read_when_its_parameters_are_in_one_place(target: str, body: bytes) -> None:
    assert read_call(HttpRequest("POST", target, FORM, body), REGION).operation == "Publish"


@pytest.mark.parametrize(
    ("method", "target", "headers", "expected"),
    [
        ("GET", "/rules/a/b.json", {}, ("s3:GetObject", "arn:aws:s3:::rules/a/b.json")),
        ("HEAD", "/rules/a%20b", {}, ("s3:GetObject", "arn:aws:s3:::rules/a b")),
        ("GET", "/rules/a?acl", {}, ("s3:GetObjectAcl", "arn:aws:s3:::rules/a")),
        ("PUT", "/rules/a", {}, ("s3:PutObject", "arn:aws:s3:::rules/a")),
        ("PUT", "/rules/a", {"x-amz-copy-source": "/other/b"}, ("s3:PutObject", "arn:aws:s3:::rules/a")),
        ("GET", "/rules?list-type=2", {}, ("s3:ListBucket", "arn:aws:s3:::rules")),
        ("GET", "/", {}, ("s3:ListAllMyBuckets", "*")),
    ],
)
def test_call_needs_an_action_on_its_object_when_asked_of_s3(
    method: str, target: str, headers: dict[str, str], expected: tuple[str, str]
) -> None:
    scope = f"AWS4-HMAC-SHA256 Credential=key/20261126/{REGION}/s3/aws4_request, SignedHeaders=host, Signature=0"
    request = HttpRequest(method, target, {"authorization": scope, **headers}, b"")

    assert needs(request, read_call(request, REGION), ACCOUNT) == [Permission(*expected)]
