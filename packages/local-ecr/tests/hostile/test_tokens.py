"""Tokens that nobody gave, are for another purpose or over; and nothing believed that a sender writes as he likes."""

import base64
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_ecr import Policy, Principal
from local_ecr.names import Registry
from local_ecr.tokens import Signer
from tests.hostile.victim import ELSEWHERE, NOWHERE, REPOSITORY, attacked, descriptor, encoded, index_of
from tests.hostile.wire import SIGNATURE

OURS = Registry("111122223333", "us-east-1")
STRANGER = Principal("999988887777", "arn:aws:iam::999988887777:root", "999988887777")


def basic(password, username="AWS"):
    return base64.b64encode(f"{username}:{password}".encode()).decode()


def password_of(token):
    return base64.b64decode(token).decode().removeprefix("AWS:")


def claims_of(token):
    payload = password_of(token).partition(".")[0]
    return json.loads(base64.urlsafe_b64decode(payload + "=="))


def altered(token, **members):
    """The token with other claims under the signature that it had: what trusts a key's id alone takes it."""
    payload = base64.urlsafe_b64encode(encoded({**claims_of(token), **members})).decode().rstrip("=")
    return basic(f"{payload}.{password_of(token).partition('.')[2]}")


def in_capitals(password):
    payload, _, signature = password.partition(".")
    return f"{payload}.{signature.upper()}"


def signed_with(key, victim):
    return Signer(key, victim.stand.clock).mint_authorization_token(STRANGER, "us-east-1")[0]


FORGED = {
    "another account's claims": lambda one: altered(one.v2.token, account="999988887777"),
    "another key's name": lambda one: altered(one.v2.token, key="AKIAIOSFODNN7EXAMPLE"),
    "a longer life": lambda one: altered(one.v2.token, expires=9e9),
    "no claims": lambda one: basic("." + password_of(one.v2.token).partition(".")[2]),
    "no signature": lambda one: basic(password_of(one.v2.token).partition(".")[0] + "."),
    "no dot": lambda one: basic(password_of(one.v2.token).partition(".")[0]),
    "two dots": lambda one: basic(password_of(one.v2.token).replace(".", "..")),
    "a signature of zeroes": lambda one: basic(password_of(one.v2.token).partition(".")[0] + "." + "0" * 64),
    "a signature in capitals": lambda one: basic(in_capitals(password_of(one.v2.token))),
    "algorithm none": lambda one: basic("eyJhbGciOiJub25lIn0.eyJhY2NvdW50IjoiMTExMTIyMjIzMzMzIn0."),
    "another server's key": lambda one: signed_with(b"x" * 32, one),
    "an empty key": lambda one: signed_with(b"", one),
    "a page's token": lambda one: basic(one.stand.ecr.signer.page_token(["referrers", 1])),
    "a download's token": lambda one: basic(one.stand.ecr.signer.sign_download(OURS, NOWHERE)),
    "another region": lambda one: one.token(ELSEWHERE),
    "another user": lambda one: basic(password_of(one.v2.token), "aws"),
    "a user with a line's end": lambda one: basic(password_of(one.v2.token), "AWS\r\nX: y"),
    "not base64": lambda one: "%%%",
    "base64 of no text": lambda one: base64.b64encode(b"AWS:\xff\xfe").decode(),
    "60 KiB": lambda one: base64.b64encode(b"AWS:" + b"a" * 45_000).decode(),
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGED)
def test_a_token_that_was_not_given_opens_nothing_CVE_2025_24976_GHSA_phw4_mc57_4hwc(victim, forgery):
    """CVE-2025-24976 / GHSA-phw4-mc57-4hwc: CNCF distribution believed the id of a key that came with the token."""
    token = FORGED[forgery](victim)
    for method, path in (("GET", "/v2/"), ("HEAD", f"/v2/{REPOSITORY}/manifests/x"), ("GET", "/v2/_catalog")):
        assert victim.v2.send(method, path, token=token).status == 401
    assert victim.v2.send("PUT", f"/v2/{REPOSITORY}/manifests/x", token=token, body=b"{}").status == 401


@pytest.mark.parametrize(
    "value", [b"Basic \xc3\xa9", b"Basic \xff", b"Basic", b"Basic  ", b"Bearer x", b"\xe9 x", b"Basic a b"]
)
def test_an_authorization_that_is_no_text_is_none(victim, value):
    assert victim.v2.send("GET", "/v2/", token="", headers=[("Authorization", value)]).status == 401
    assert victim.api.call("DescribeRepositories", {}, ("Authorization", value)).status == 400


def test_a_token_is_over_when_its_time_is_whatever_it_is_asked_for(victim):
    token = victim.token()
    victim.stand.clock.ahead = timedelta(hours=12, seconds=1)
    try:
        for path in ("/v2/", "/v2/_catalog", f"/v2/{REPOSITORY}/tags/list", "/v2/no/such/tags/list"):
            assert victim.v2.send("GET", path, token=token).status == 403
    finally:
        victim.stand.clock.ahead = timedelta()


@settings(max_examples=40)
@given(data=st.data())
def test_a_token_with_one_bit_turned_is_none_CVE_2025_24976(victim, data):
    """CVE-2025-24976: nothing but the signature of all of it makes a token good."""
    password = password_of(victim.v2.token).encode()
    position = data.draw(st.integers(0, len(password) - 1))
    broken = bytearray(password)
    broken[position] ^= 1 << data.draw(st.integers(0, 6))
    token = base64.b64encode(b"AWS:" + broken).decode()
    assert victim.v2.send("GET", "/v2/_catalog", token=token).status == 401


@settings(max_examples=20)
@given(data=st.data())
def test_a_token_that_was_cut_is_none_CVE_2025_24976(victim, data):
    password = password_of(victim.v2.token)
    first = data.draw(st.integers(0, len(password)))
    last = data.draw(st.integers(first, len(password)))
    cut = password[:first] + password[last:]
    assert victim.v2.send("GET", "/v2/_catalog", token=basic(cut)).status == (200 if cut == password else 401)


PAGE_TOKENS = ["", "x", ".", "..", "a" * 3000, "\ud83d\ude00", "{}", "bnVsbA.0000"]


@pytest.mark.parametrize("operation", ["DescribeRepositories", "ListImages", "DescribeImages", "ListImageReferrers"])
def test_a_next_token_that_was_not_given_is_refused(victim, operation):
    names = {} if operation == "DescribeRepositories" else {"repositoryName": REPOSITORY}
    subject = {"subjectId": {"imageDigest": NOWHERE}} if operation == "ListImageReferrers" else {}
    for token in PAGE_TOKENS:
        answer = victim.api.call(operation, {**names, **subject, "nextToken": token})
        assert answer.code == "InvalidParameterException"


def test_a_next_token_of_another_listing_is_refused(victim):
    for position in (["ListImages", [0, ""]], ["referrers", 0], ["DescribeRepositories", REPOSITORY]):
        token = victim.stand.ecr.signer.page_token(position)
        asked = {"repositoryName": REPOSITORY, "nextToken": token}
        assert victim.api.call("DescribeImages", asked).code == "InvalidParameterException"


@pytest.mark.parametrize(
    "credential",
    ["999988887777/20261124/us-east-1/ecr/aws4_request", "x/20261124/../ecr/aws4_request", "/////", "x" * 300,
     "111122223333/20261124/us-east-1\\..\\/ecr/aws4_request", "111122223333/20261124/us-east-1/ecr", "a/b/c/d/e"],
)  # fmt: skip
def test_a_signature_of_no_account_or_region_reaches_no_other_registry_CVE_2025_23208_GHSA_c9p4_xwr9_rfhx(
    victim, credential
):
    """CVE-2025-23208 / GHSA-c9p4-xwr9-rfhx: whose registry is meant is what the credential says, and nothing before."""
    signature = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0"
    answer = victim.api.call("DescribeRepositories", {}, ("Authorization", signature))
    assert answer.status == 400 or answer.json()["repositories"] == []


def test_a_role_that_has_left_its_rights_has_left_them_at_once_CVE_2025_23208(tmp_path):
    """CVE-2025-23208: zot kept the groups of a user who had left them. A token says who calls, not what they may."""
    rights = {"may": True}

    def identities(principal):
        effect = "Allow" if rights["may"] else "Deny"
        statement = {"Effect": effect, "Action": "*", "Resource": "*"}
        return [Policy("all", {"Version": "2012-10-17", "Statement": [statement]})]

    user = Principal("111122223333", "arn:aws:iam::111122223333:user/ada", "AKIDADA")
    with attacked(tmp_path, identities=identities, principal_of=lambda _: user) as victim:
        assert victim.v2.send("GET", "/v2/_catalog").status == 200
        rights["may"] = False
        assert victim.v2.send("GET", "/v2/_catalog").status == 403
        assert victim.api.call("DescribeRepositories", {}).code == "AccessDeniedException"
        rights["may"] = True


LIES = {
    "org.opencontainers.image.ref.name": "latest",
    "org.opencontainers.image.created": "1970-01-01T00:00:00Z",
    "com.amazonaws.ecr.digest": NOWHERE,
    "digest": NOWHERE,
    "account": "999988887777",
}


def test_no_annotation_of_a_pusher_is_believed_kyverno_16336(victim):
    """kyverno#16336: an annotation of the image was taken for a verdict on it."""
    lying = victim.image("lies", annotations=LIES)
    lying["config"]["size"] = 1
    digest = victim.push(lying)
    described = victim.api.call("DescribeImages", {"repositoryName": REPOSITORY, "imageIds": [{"imageDigest": digest}]})
    [image] = described.json()["imageDetails"]
    assert image["imageDigest"] == digest
    assert image.get("imageTags") is None
    assert image["imagePushedAt"] > 1.7e9
    assert image["registryId"] == "111122223333"
    [pushed] = [one for _, _, one in victim.stand.events if one["detail"].get("image-digest") == digest]
    assert "999988887777" not in json.dumps(pushed)
    listing = index_of({**descriptor(digest), "size": 1 << 40, "annotations": LIES}, annotations=LIES)
    detail = {"repositoryName": REPOSITORY, "imageIds": [{"imageDigest": victim.push(listing)}]}
    assert victim.api.call("DescribeImages", detail).json()["imageDetails"][0]["imageSizeInBytes"] < 1000


def test_a_caller_is_who_signed_whatever_other_headers_say_kyverno_16336(victim):
    """kyverno#16336: what a sender may write as he likes is no identity."""
    told = ["X-Forwarded-For", "X-Real-Ip", "Forwarded", "X-Amzn-Principal", "X-Amz-Security-Token", "X-Client-Cert"]
    headers = [(name, "for=203.0.113.9") for name in told] + [("Authorization", SIGNATURE)]
    answer = victim.api.call("TagResource", {"resourceArn": "arn:x", "tags": []}, *headers)
    assert answer.status == 400
    request = victim.stand.ecr.requests.entries()[-1]
    assert request.principal == "arn:aws:iam::111122223333:root"
    [told] = [one for _, _, one in victim.stand.events if one["detail"].get("requestID") == request.request_id]
    assert told["detail"]["sourceIPAddress"] == "127.0.0.1"
