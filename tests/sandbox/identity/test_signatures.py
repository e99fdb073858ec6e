"""Attacks H6, signatures: the sandbox knows the secrets that it gave out, and refuses a signature of any other."""

from collections.abc import Callable
from typing import Any

import pytest
import urllib3
from botocore.exceptions import ClientError


@pytest.fixture(scope="module")
def box(new_template: Callable[[], Any], start: Callable[[Any], Any]) -> Any:
    stack = new_template()
    stack.function("Writer", "def lambda_handler(event, context): pass")
    return start(stack)


@pytest.fixture(scope="module")
def key(box: Any) -> dict[str, str]:
    iam = box.sandbox.client("iam")
    iam.create_user(UserName="jo")
    iam.attach_user_policy(UserName="jo", PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    return dict(iam.create_access_key(UserName="jo")["AccessKey"])


CALLS = [
    ("ecr", "describe_registry", "InvalidSignatureException"),
    ("sts", "get_caller_identity", "SignatureDoesNotMatch"),
    ("lambda", "list_functions", "InvalidSignatureException"),
    ("sqs", "list_queues", "SignatureDoesNotMatch"),
    ("events", "list_rules", "InvalidSignatureException"),
]


@pytest.mark.parametrize(("service", "operation", "code"), CALLS)
def test_a_call_is_refused_when_it_is_signed_with_another_secret_than_its_keys_H6(
    box: Any, key: dict[str, str], service: str, operation: str, code: str
) -> None:
    getattr(box.client(service, key), operation)()
    with pytest.raises(ClientError) as refused:
        getattr(box.client(service, key | {"SecretAccessKey": "wrong"}), operation)()
    assert refused.value.response["Error"]["Code"] == code
    assert "does not match the signature you provided" in refused.value.response["Error"]["Message"]


def test_a_session_is_refused_when_its_secret_is_wrong_H6(box: Any) -> None:
    role_arn = box.sandbox.engine.wiring.function(box.arn("Writer")).role_arn
    given = box.sandbox.credentials_of(role_arn, "s")
    key = {"AccessKeyId": given["AWS_ACCESS_KEY_ID"], "SessionToken": given["AWS_SESSION_TOKEN"]}
    right = key | {"SecretAccessKey": given["AWS_SECRET_ACCESS_KEY"]}
    assert ":assumed-role/" in box.client("sts", right).get_caller_identity()["Arn"]
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        box.client("sts", key | {"SecretAccessKey": "wrong"}).get_caller_identity()


def test_a_presigned_url_is_good_for_what_was_signed_H6(box: Any, key: dict[str, str]) -> None:
    url = box.client("sts", key).generate_presigned_url("get_caller_identity", HttpMethod="GET")
    assert urllib3.request("GET", url).status == 200
    changed = urllib3.request("GET", url.replace("GetCallerIdentity", "GetSessionToken"))
    assert changed.status == 403
    assert b"<Code>SignatureDoesNotMatch</Code>" in changed.data
