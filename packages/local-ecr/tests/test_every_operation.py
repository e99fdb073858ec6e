"""Each of ECR's operations, whatever it is sent: an answer in AWS's JSON, done or refused with why, and never more."""

import json

import boto3
import pytest
import urllib3
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local_ecr.app import MAX_API_BODY
from local_ecr.control.operations import HANDLERS, REFUSED
from local_ecr.control.protocol import CONTENT_TYPE, TARGET_PREFIX, service_model
from tests.model_inputs import OPERATIONS, anything, smallest

SIGNATURE = (
    "AWS4-HMAC-SHA256 Credential=111122223333/20261124/us-east-1/ecr/aws4_request, SignedHeaders=host, Signature=0"
)
OWN_CODES = {
    "AccessDeniedException",
    "InvalidParameterException",
    "IncompleteSignatureException",
    "MissingAuthenticationTokenException",
    "RequestEntityTooLargeException",
    "SerializationException",
    "UnknownOperationException",
    "UnsupportedOperationException",
}
"""Errors that any operation may answer with, whether or not its model says so: AWS's common errors, and our refusal."""


@pytest.fixture(scope="session")
def call(shared_stand):
    """Send anything to the JSON API; status, headers and document of the answer, which must be in AWS's form."""
    shared_stand.client().create_repository(repositoryName="every/app")
    pool = urllib3.PoolManager(retries=False, timeout=20)

    def send(target, body, *, method="POST", **headers):
        given = {"Content-Type": CONTENT_TYPE, "Authorization": SIGNATURE, **headers}
        if target is not None:
            given["X-Amz-Target"] = target
        answer = pool.request(method, shared_stand.server.endpoint_url + "/", body=body, headers=given)
        return answer.status, answer.headers, require_form(answer)

    return send


def require_form(answer):
    """The document of an answer in AWS's form."""
    assert answer.status == 200 or 400 <= answer.status < 500, answer.data
    assert answer.headers["Content-Type"] == CONTENT_TYPE
    assert answer.headers["x-amzn-RequestId"]
    document = json.loads(answer.data)
    assert isinstance(document, dict)
    if answer.status != 200:
        assert answer.headers["x-amzn-ErrorType"] == document["__type"]
        assert isinstance(document["message"], str) and document["message"]
    return document


def require_known(operation, document):
    """An error is one that the model names for the operation, or one that any may answer with."""
    named = {shape.name for shape in service_model().operation_model(operation).error_shapes}
    assert document.get("__type") in {None, *named, *OWN_CODES}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_answers_in_form_when_it_is_sent_nothing(call, operation):
    for body in (b"{}", b""):
        status, _, document = call(TARGET_PREFIX + operation, body)

        require_known(operation, document)
        if service_model().operation_model(operation).input_shape.required_members and operation in HANDLERS:
            assert (status, document["__type"]) == (400, "InvalidParameterException")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_answers_in_form_when_it_is_sent_the_smallest_valid_input(call, operation):
    model = service_model().operation_model(operation)

    _, _, document = call(TARGET_PREFIX + operation, json.dumps(smallest(model.input_shape)).encode())

    require_known(operation, document)
    assert document.get("__type") != "SerializationException"
    if document.get("__type") is None:
        assert set(document) <= set(model.output_shape.members)


@pytest.mark.parametrize("operation", sorted(REFUSED))
def test_an_operation_that_is_not_simulated_says_why(call, operation):
    model = service_model().operation_model(operation)

    status, _, document = call(TARGET_PREFIX + operation, json.dumps(smallest(model.input_shape)).encode())

    assert (status, document["__type"]) == (400, "UnsupportedOperationException")
    assert (
        document["message"]
        == f"{operation} exists in Amazon ECR and is not simulated by local_ecr: {REFUSED[operation]}."
    )


@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_an_operation_answers_in_form_whatever_it_is_sent(call, operation, data):
    require_in_form(call, operation, data)


@pytest.mark.slow
@pytest.mark.parametrize("operation", OPERATIONS)
@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_an_operation_answers_in_form_whatever_it_is_sent_again_and_again(call, operation, data):
    require_in_form(call, operation, data)


def require_in_form(call, operation, data):
    given = data.draw(anything(service_model().operation_model(operation).input_shape))
    _, _, document = call(TARGET_PREFIX + operation, json.dumps(given).encode())
    require_known(operation, document)


@pytest.mark.parametrize(
    ("target", "body", "headers", "code"),
    [
        (TARGET_PREFIX + "MakeCoffee", b"{}", {}, "UnknownOperationException"),
        (TARGET_PREFIX, b"{}", {}, "UnknownOperationException"),
        (TARGET_PREFIX + "DescribeRepositories" * 500, b"{}", {}, "UnknownOperationException"),
        ("DynamoDB_20120810.ListTables", b"{}", {}, "UnknownOperationException"),
        (None, b"{}", {}, "UnknownOperationException"),
        (
            None,
            b"\xa0",
            {"smithy-protocol": "rpc-v2-cbor", "Content-Type": "application/cbor"},
            "UnknownOperationException",
        ),
        (TARGET_PREFIX + "DescribeRepositories", b"{", {}, "SerializationException"),
        (TARGET_PREFIX + "DescribeRepositories", b"\xff\xfe", {}, "SerializationException"),
        (TARGET_PREFIX + "DescribeRepositories", b"[" * 100_000, {}, "SerializationException"),
        (TARGET_PREFIX + "DescribeRepositories", b"[]", {}, "SerializationException"),
        (TARGET_PREFIX + "DescribeRepositories", b"null", {}, "SerializationException"),
        (
            TARGET_PREFIX + "DescribeRepositories",
            b'{"maxResults": 1' + b"0" * 5000 + b"}",
            {},
            "SerializationException",
        ),
        (TARGET_PREFIX + "DescribeRepositories", b"<a/>", {"Content-Type": "text/xml"}, "SerializationException"),
        (
            TARGET_PREFIX + "DescribeRepositories",
            b"\xa0",
            {"Content-Type": "application/cbor"},
            "SerializationException",
        ),
        (TARGET_PREFIX + "DescribeRepositories", b"{}", {"Authorization": "Bearer x"}, "IncompleteSignatureException"),
        (TARGET_PREFIX + "DescribeRepositories", b"{}", {"Authorization": ""}, "MissingAuthenticationTokenException"),
    ],
)
def test_a_request_that_is_no_call_is_refused_in_form(call, target, body, headers, code):
    status, _, document = call(target, body, **headers)

    assert (status, document["__type"]) == (400, code)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_another_method_is_answered_in_form(call, method):
    status, _, document = call(None, None, method=method)

    assert (status, document["__type"]) == (400, "UnknownOperationException")


def test_a_body_that_is_larger_than_any_input_is_refused_in_form(call):
    status, _, document = call(TARGET_PREFIX + "UploadLayerPart", b"x" * (MAX_API_BODY + 1))

    assert (status, document["__type"]) == (413, "RequestEntityTooLargeException")


@pytest.mark.parametrize("operation", sorted(REFUSED))
def test_boto3_raises_a_client_error_when_an_operation_is_not_simulated(shared_stand, operation):
    client = shared_stand.client()
    method = next(name for name, api in client.meta.method_to_api_mapping.items() if api == operation)
    given = smallest(service_model().operation_model(operation).input_shape)

    with pytest.raises(ClientError) as refusal:
        getattr(client, method)(**given)

    assert refusal.value.response["Error"]["Code"] == "UnsupportedOperationException"
    assert REFUSED[operation] in refusal.value.response["Error"]["Message"]
    assert refusal.value.response["ResponseMetadata"]["RequestId"]


def test_boto3_knows_an_error_by_its_class_when_the_model_names_it(shared_stand):
    client = shared_stand.client()

    with pytest.raises(client.exceptions.RepositoryNotFoundException):
        client.describe_images(repositoryName="no/such")


def test_a_call_is_not_tried_again_when_it_was_refused(shared_stand):
    """What botocore takes for a passing fault, such as a 500, it would repeat."""
    client = boto3.client(
        "ecr",
        region_name="us-east-1",
        endpoint_url=shared_stand.server.endpoint_url,
        aws_access_key_id="111122223333",
        aws_secret_access_key="not-verified",
    )

    with pytest.raises(ClientError) as refusal:
        client.create_pull_through_cache_rule(ecrRepositoryPrefix="quay", upstreamRegistryUrl="quay.io")

    assert refusal.value.response["ResponseMetadata"]["RetryAttempts"] == 0
