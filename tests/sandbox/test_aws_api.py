"""The endpoint as clients of many services see it."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecr_steward_sandbox.api_calls import HttpRequest, read_call
from tests.given import aws


@pytest.fixture(scope="module")
def box(new_template: Callable[[], Any], start: Callable[[Any], Any]) -> Any:
    """Hardly anything deployed."""
    stack = new_template()
    stack.queue("Jobs")
    return start(stack)


def client_as(box: Any, service: str, key: str) -> Any:
    """A client that signs with another key."""
    return aws.client(service, {"AccessKeyId": key, "SecretAccessKey": "x"}, box.sandbox.endpoint_url)


def test_account_is_that_of_the_key_when_calling(box: Any) -> None:
    key = "222222222222"
    sqs, ecr = client_as(box, "sqs", key), client_as(box, "ecr", key)

    url = sqs.create_queue(QueueName=f"of-{key}")["QueueUrl"]
    registry_id = ecr.describe_registry()["registryId"]
    sqs.close()
    ecr.close()

    assert f"/{key}/" in url
    assert registry_id == key
    assert box.sandbox.requests.entries()[-1].account == key


def test_unsigned_call_is_refused_when_it_comes(box: Any) -> None:
    status, answer = box.http("POST", "/", b"{}", {"X-Amz-Target": "DynamoDB_20120810.ListTables"})

    assert (status, answer["__type"]) == (403, "MissingAuthenticationTokenException")


def test_every_protocol_is_logged_by_its_operation_when_called(box: Any) -> None:
    aws = box.sandbox.client
    before = len(box.sandbox.requests.entries())

    aws("dynamodb").list_tables()
    aws("sns").create_topic(Name="topic")
    aws("s3").list_buckets()
    aws("lambda").list_functions()
    aws("scheduler").list_schedules()
    aws("cloudwatch").put_metric_data(Namespace="N", MetricData=[{"MetricName": "M", "Value": 1.0}])
    aws("iam").list_roles()

    logged = [(one.service, one.operation, one.mutating) for one in box.sandbox.requests.entries()[before:]]
    assert logged == [
        ("dynamodb", "ListTables", False),
        ("sns", "CreateTopic", True),
        ("s3", "ListBuckets", False),
        ("lambda", "ListFunctions", False),
        ("scheduler", "ListSchedules", False),
        ("cloudwatch", "PutMetricData", True),
        ("iam", "ListRoles", False),
    ]


def test_error_has_the_shape_of_aws_when_moto_cannot_do_something(box: Any) -> None:
    with pytest.raises(ClientError) as refused:
        box.sandbox.client("lambda").invoke_async(FunctionName="nobody", InvokeArgs=b"{}")
    assert refused.value.response["Error"]["Code"] == "ResourceNotFoundException"

    with pytest.raises(ClientError) as missing:
        box.sandbox.client("events").list_event_sources()
    assert missing.value.response["Error"]["Code"] == "NotImplementedException"

    signed = {"Authorization": "AWS4-HMAC-SHA256 Credential=111122223333/20260101/us-east-1/lambda/aws4_request"}
    status, answer = box.http("GET", "/2031-01-01/nothing", headers=signed)
    assert (status, answer["__type"]) == (501, "NotImplementedException")


def test_target_is_refused_when_the_sandbox_would_not_deliver_by_it(box: Any) -> None:
    events = box.sandbox.client("events")
    events.put_rule(Name="transforms", EventPattern='{"source": ["x"]}')
    target = {
        "Id": "1",
        "Arn": box.arn("Jobs"),
        "InputTransformer": {"InputPathsMap": {"a": "$.detail"}, "InputTemplate": "<a>"},
    }

    with pytest.raises(ClientError, match="does not deliver with"):
        events.put_targets(Rule="transforms", Targets=[target])


def test_login_is_asked_for_when_the_registry_is_reached_without_one(box: Any) -> None:
    status, answer = box.http("GET", "/v2/")

    assert (status, answer) == (401, b"Not Authorized\n")


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "expected"),
    [
        ("POST", "/", {"x-amz-target": "AWSEvents.PutEvents"}, b"", "PutEvents"),
        ("POST", "/", {"content-type": "application/x-www-form-urlencoded"}, b"Action=Publish&Version=1", "Publish"),
        ("GET", "/?Action=ListTopics&Version=1", {}, b"", "ListTopics"),
        ("POST", "/service/GraniteServiceVersion20100801/operation/PutMetricData", {}, b"", "PutMetricData"),
        ("POST", "/2015-03-31/functions/a%3Ab/invocations?Qualifier=1", {}, b"", "Invoke"),
        ("GET", "/2015-03-31/functions/", {}, b"", "ListFunctions"),
        ("GET", "/2015-03-31/functions/one/policy", {}, b"", "GetPolicy"),
        ("GET", "/nothing/like/it", {}, b"", "GET /nothing/like/it"),
    ],
)
def test_operation_is_recognised_when_sent_by(
    method: str, target: str, headers: dict[str, str], body: bytes, expected: str
) -> None:
    scope = "AWS4-HMAC-SHA256 Credential=KEY/20260101/eu-west-1/lambda/aws4_request, SignedHeaders=host, Signature=0"
    call = read_call(HttpRequest(method, target, {"authorization": scope, **headers}, body), "us-east-1")

    assert (call.operation, call.region, call.access_key_id) == (expected, "eu-west-1", "KEY")


def test_call_is_read_from_the_query_when_presigned() -> None:
    query = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=KEY%2F20260101%2Feu-west-1%2Fs3%2Faws4_request"
    call = read_call(HttpRequest("GET", f"/bucket/key?{query}", {}, b""), "us-east-1")

    assert (call.service, call.region, call.operation) == ("s3", "eu-west-1", "GetObject")


def test_body_is_refused_when_it_is_over_the_limit(box: Any) -> None:
    status, answer = box.http("POST", "/", b"x" * (32 * 1024 * 1024 + 1))

    assert (status, answer["__type"]) == (413, "RequestEntityTooLargeException")


def test_wiring_is_read_again_when_connections_change_and_not_when_messages_do(box: Any) -> None:
    sqs, address = box.sandbox.client("sqs"), {"QueueUrl": box.url("Jobs")}
    before = box.sandbox.engine.wiring

    sqs.send_message(**address, MessageBody="1")
    handle = sqs.receive_message(**address)["Messages"][0]["ReceiptHandle"]
    sqs.change_message_visibility(**address, ReceiptHandle=handle, VisibilityTimeout=60)
    entry = {"Id": "1", "ReceiptHandle": handle, "VisibilityTimeout": 60}
    sqs.change_message_visibility_batch(**address, Entries=[entry])
    sqs.delete_message(**address, ReceiptHandle=handle)

    assert box.sandbox.engine.wiring is before
    sqs.set_queue_attributes(**address, Attributes={"DelaySeconds": "0"})
    assert box.sandbox.engine.wiring is not before
