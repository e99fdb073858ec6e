"""Which actions on which resources a call needs."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from sandbox.api_calls import ApiCall, HttpRequest
from sandbox.permissions import Permission, needs

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
