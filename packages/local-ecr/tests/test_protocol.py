"""The JSON protocol: every operation answers in AWS's form, whatever is sent."""

import json
from typing import Any

import botocore.session
import pytest
import urllib3
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

TARGET = "AmazonEC2ContainerRegistry_V20150921."
SIGNED = (
    "AWS4-HMAC-SHA256 Credential=111122223333/20261124/us-east-1/ecr/aws4_request, SignedHeaders=host, Signature=00"
)
MODEL = botocore.session.Session().get_service_model("ecr")


def call(
    stand: Any, operation: str, body: bytes, authorization: str | None = SIGNED
) -> tuple[int, dict[str, Any], urllib3.HTTPHeaderDict]:
    headers = {"X-Amz-Target": TARGET + operation, "Content-Type": "application/x-amz-json-1.1"}
    if authorization:
        headers["Authorization"] = authorization
    answer = urllib3.request("POST", stand.server.endpoint_url, body=body, headers=headers, retries=False, timeout=20)
    assert answer.headers["Content-Type"] == "application/x-amz-json-1.1"
    return answer.status, answer.json(), answer.headers


KNOWN = {
    "UploadId": "00000000-0000-0000-0000-000000000000",
    "Arn": "arn:aws:ecr:us-east-1:111122223333:repository/team/app",
    "PrincipalArn": "arn:aws:iam::111122223333:role/reader",
    "Region": "us-east-1",
    "RegistryId": "111122223333",
    "LayerDigest": "sha256:" + "0" * 64,
    "SigningProfileArn": "arn:aws:signer:us-east-1:111122223333:/signing-profiles/one",
    "LifecyclePolicyText": "x" * 100,
}


def minimal(shape: Any) -> Any:
    """The smallest input that the model lets through."""
    match shape.type_name:
        case "structure":
            return {name: minimal(shape.members[name]) for name in shape.required_members}
        case "list":
            return [minimal(shape.member)] * max(shape.metadata.get("min", 0), 1)
        case "integer" | "long":
            return shape.metadata.get("min", 1)
        case "boolean" | "blob" as kind:
            return True if kind == "boolean" else ""
        case _:
            return shape.enum[0] if shape.enum else KNOWN.get(shape.name, "team")


def test_every_operation_of_the_model_answers_in_form_when_its_smallest_input_is_sent(shared_stand):
    for operation in MODEL.operation_names:
        shape = MODEL.operation_model(operation).input_shape
        status, document, headers = call(shared_stand, operation, json.dumps(minimal(shape)).encode())
        assert status in {200, 400}, (operation, document)
        assert headers["x-amzn-RequestId"]
        if status == 400:
            assert document["__type"].endswith("Exception"), operation
            assert document["message"], operation


def test_an_operation_says_that_it_is_not_simulated_when_it_is_not(shared_stand):
    status, document, _ = call(shared_stand, "GetSigningConfiguration", b"{}")
    assert status == 400
    assert document["__type"] == "UnsupportedOperationException"
    assert "not simulated" in document["message"]


def test_an_operation_is_unknown_when_the_model_has_none_of_that_name(shared_stand):
    status, document, _ = call(shared_stand, "DropEverything", b"{}")
    assert (status, document["__type"]) == (400, "UnknownOperationException")


def test_a_request_without_a_target_gets_an_answer_in_form(shared_stand):
    answer = urllib3.request("POST", shared_stand.server.endpoint_url, body=b"{}", retries=False, timeout=20)
    assert (answer.status, answer.json()["__type"]) == (400, "UnknownOperationException")
    assert "images are below /v2/" in answer.json()["message"]


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "MissingAuthenticationTokenException"),
        ("Bearer x", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=a/b", "IncompleteSignatureException"),
        (SIGNED.replace("us-east-1", "../../etc"), "IncompleteSignatureException"),
        (SIGNED.replace("us-east-1", ".."), "SignatureDoesNotMatch"),
    ],
)
def test_a_request_is_refused_when_its_signature_names_no_caller(shared_stand, authorization, code):
    status, document, _ = call(shared_stand, "DescribeRegistry", b"{}", authorization)
    assert (status, document["__type"]) == (400, code)


@pytest.mark.parametrize(
    ("operation", "document", "code"),
    [
        ("CreateRepository", {}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": None}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": 1}, "SerializationException"),
        ("CreateRepository", {"repositoryName": "A"}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": "../../etc/passwd"}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": "a" * 257}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": "team/app\n"}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": "ok", "imageTagMutability": "x"}, "InvalidParameterException"),
        ("CreateRepository", {"repositoryName": "ok", "registryId": "../.."}, "InvalidParameterException"),
        ("DescribeRepositories", {"maxResults": 0}, "InvalidParameterException"),
        ("DescribeRepositories", {"maxResults": 1001}, "InvalidParameterException"),
        ("DescribeRepositories", {"maxResults": True}, "SerializationException"),
        ("DescribeRepositories", {"repositoryNames": []}, "InvalidParameterException"),
        ("DescribeRepositories", {"repositoryNames": [None]}, "InvalidParameterException"),
        ("BatchGetImage", {"repositoryName": "ok", "imageIds": [{}] * 101}, "InvalidParameterException"),
        ("UploadLayerPart", {"repositoryName": "ok", "uploadId": "..", "partFirstByte": 0, "partLastByte": 0,
                             "layerPartBlob": ""}, "InvalidParameterException"),
    ],
)  # fmt: skip
def test_an_input_is_refused_when_the_model_forbids_it(shared_stand, operation, document, code):
    status, answer, _ = call(shared_stand, operation, json.dumps(document).encode())
    assert (status, answer["__type"]) == (400, code)


@pytest.mark.parametrize(
    ("operation", "document", "told"),
    [
        ("CreateRepository", {"repositoryName": "Bad_Name!"},
         r"'repositoryName' failed to satisfy constraint: 'must satisfy regular expression "
         r"'[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*''"),
        ("DescribeRepositories", {"registryId": "12"},
         "'registryId' failed to satisfy constraint: 'must satisfy regular expression [0-9]{12}'"),
        ("GetAuthorizationToken", {"registryIds": ["111122223333", "12"]},
         "'registryIds' failed to satisfy constraint: 'Member must satisfy constraint: "
         "[Member must satisfy regular expression pattern: [0-9]{12}]'"),
        ("DeleteRepositoryCreationTemplate", {"prefix": "A"},
         "'prefix' failed to satisfy constraint: 'Member must satisfy regular expression pattern: ^("),
        ("BatchGetImage", {"repositoryName": "ok", "imageIds": []},
         "'imageIds' failed to satisfy constraint: 'Member must have length greater than or equal to 1'"),
        ("PutImageTagMutability", {"repositoryName": "ok"},
         "'imageTagMutability' failed to satisfy constraint: 'Member must not be null'"),
    ],
)  # fmt: skip
def test_what_the_model_forbids_is_told_in_ecrs_words(shared_stand, operation, document, told):
    _, answer, _ = call(shared_stand, operation, json.dumps(document).encode())
    assert answer["message"].startswith(f"Invalid parameter at {told}")


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[]", b'"x"', b"[" * 100_000, b'{"repositoryName": "\\ud800"}'])
def test_a_body_is_refused_when_it_is_no_json_object_of_text(shared_stand, body):
    status, answer, _ = call(shared_stand, "CreateRepository", body)
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_a_body_is_refused_when_it_is_larger_than_any_input(shared_stand):
    headers = {"X-Amz-Target": TARGET + "PutImage", "Authorization": SIGNED}
    body = (b"x" * (1 << 20) for _ in range(40))
    answer = urllib3.request(
        "POST", shared_stand.server.endpoint_url, body=body, headers=headers, retries=False, timeout=20
    )
    assert (answer.status, answer.json()["__type"]) == (413, "RequestEntityTooLargeException")


def test_a_fault_of_our_own_is_an_aws_error_and_its_traceback_is_logged(stand, caplog):
    stand.ecr.store.close()
    with pytest.raises(Exception, match="ServerException") as failed:
        stand.client().create_repository(repositoryName="team/app")
    assert failed.value.response["ResponseMetadata"]["HTTPStatusCode"] == 500
    assert "the registry is closed" in caplog.text


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(operation=st.sampled_from(sorted(MODEL.operation_names)), data=st.data())
def test_no_input_makes_a_server_error(shared_stand, operation, data):
    members = list(MODEL.operation_model(operation).input_shape.members)
    document = data.draw(st.dictionaries(st.sampled_from(members), json_values) if members else st.just({}))
    status, answer, _ = call(shared_stand, operation, json.dumps(document).encode())
    assert status in {200, 400}, (document, answer)
