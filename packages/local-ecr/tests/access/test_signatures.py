"""Attacks H6, signatures: what is signed with another secret than the server knows for a key is refused."""

from urllib.parse import urlsplit

import boto3
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from local_ecr import LocalEcr, LocalEcrServer, is_signed_with, read_identities
from local_ecr.access.identities import IdentitiesError

SIGNERS = {
    "header": (SigV4Auth, "lambda"),
    "query": (SigV4QueryAuth, "sts"),
    "header of S3": (S3SigV4Auth, "s3"),
    "query of S3": (S3SigV4QueryAuth, "s3"),
}
URL = "http://127.0.0.1:4566/2015-03-31/functions/arn%3Aaws%3Alambda/a%20b//c?b=2&a=%2F&empty="


def signed(kind, *, secret="right", body=b"", url=URL):  # noqa: S107
    """What arrives: path and query, and headers."""
    signer, service = SIGNERS[kind]
    headers = {"User-Agent": "x", "X-Custom": " two  spaces "}
    request = AWSRequest("POST" if body else "GET", url, headers, body)
    signer(Credentials("AKIAJO", secret), service, "us-east-1").add_auth(request)
    parts = urlsplit(request.url)
    sent = {name.lower(): value for name, value in request.headers.items()} | {"host": parts.netloc}
    return request.method, f"{parts.path}?{parts.query}", sent, body


@pytest.mark.parametrize("kind", SIGNERS)
def test_a_request_is_taken_when_botocore_signed_it_with_the_secret(kind):
    """H6"""
    assert is_signed_with("right", *signed(kind))
    assert not is_signed_with("right", *signed(kind, secret="wrong"))


@pytest.mark.parametrize("kind", ["header", "header of S3"])
def test_a_request_is_refused_when_its_body_is_not_the_one_that_was_signed(kind):
    """H6"""
    method, target, headers, body = signed(kind, body=b"{}")
    assert is_signed_with("right", method, target, headers, body)
    assert not is_signed_with("right", method, target, headers, b"{ }")


@pytest.mark.parametrize("kind", SIGNERS)
def test_a_request_is_refused_when_anything_that_was_signed_is_changed(kind):
    """H6"""
    method, target, headers, body = signed(kind)
    assert not is_signed_with("right", "DELETE", target, headers, body)
    assert not is_signed_with("right", method, target.replace("b=2", "b=3"), headers, body)
    assert not is_signed_with("right", method, target.replace("/c?", "/d?"), headers, body)
    assert not is_signed_with("right", method, target, headers | {"host": "127.0.0.1:1"}, body)


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "AWS4-HMAC-SHA256",
        "AWS4-HMAC-SHA256 Credential=AKIAJO/20261116/us-east-1/ecr/aws4_request",
        "AWS4-HMAC-SHA256 Credential=AKIAJO/20261116/us-east-1/ecr/aws4_request, SignedHeaders=host;none, Signature=0",
        "AWS4-HMAC-SHA256 Credential=AKIAJO/20261116/us-east-1/ecr/aws4_request, SignedHeaders=, Signature=",
    ],
)
def test_a_request_is_refused_when_it_has_half_a_signature(authorization):
    """H6"""
    headers = {"host": "localhost", "authorization": authorization, "x-amz-date": "20261116T000000Z"}
    assert not is_signed_with("right", "POST", "/", headers, b"")


@pytest.fixture(scope="module")
def client_of(tmp_path_factory):
    """A client of the JSON API for a key and a secret."""
    user = {"policies": ["AmazonEC2ContainerRegistryFullAccess"], "access_keys": ["AKIAJO", "AKIAOPEN"]}
    document = {"accounts": {"111122223333": {"users": {"jo": user}}}, "secrets": {"AKIAJO": "right"}}
    known = read_identities(document)
    assert "right" not in repr(known)
    with LocalEcrServer(LocalEcr(tmp_path_factory.mktemp("known"), **known.options)) as server:
        yield lambda key, secret: boto3.client(
            "ecr",
            region_name="us-east-1",
            endpoint_url=server.endpoint_url,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(retries={"total_max_attempts": 1}),
        )


def test_a_call_is_refused_in_awss_words_when_its_secret_is_wrong(client_of):
    """H6"""
    assert client_of("AKIAJO", "right").describe_registry()["registryId"] == "111122223333"
    with pytest.raises(ClientError) as refused:
        client_of("AKIAJO", "wrong").describe_registry()
    assert refused.value.response["Error"]["Code"] == "InvalidSignatureException"
    assert "The request signature we calculated does not match" in str(refused.value)


@pytest.mark.parametrize("key", ["AKIAOPEN", "111122223333"])
def test_any_secret_will_do_when_none_is_known_of_a_key(client_of, key):
    """H6: a root of 12 digits, and a key that the document has no secret of, as documented."""
    assert client_of(key, "any").describe_registry()["registryId"] == "111122223333"


def test_a_secret_of_a_key_that_there_is_not_is_refused():
    with pytest.raises(IdentitiesError, match=r"secrets\.AKIANONE: no user, session or service"):
        read_identities({"secrets": {"AKIANONE": "x"}})
