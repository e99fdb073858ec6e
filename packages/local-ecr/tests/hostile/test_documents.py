"""Documents of any shape as manifests and policies, through both faces: taken or refused, and then lived with."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import OCI_INDEX, OCI_MANIFEST
from tests.hostile.victim import NOWHERE, REPOSITORY, encoded

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([2**63, -1, NOWHERE])
)


def documents(keys):
    """JSON whose objects mostly have these keys."""
    names = st.sampled_from(keys) | st.text(max_size=3)
    return st.recursive(
        scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5), max_leaves=14
    )


manifests = st.fixed_dictionaries(
    {"schemaVersion": st.just(2) | scalars},
    optional={
        name: documents(["digest", "size", "mediaType", "annotations", "urls", "platform"])
        for name in ("config", "layers", "manifests", "subject", "annotations", "artifactType", "blobs")
    }
    | {"mediaType": st.sampled_from([OCI_MANIFEST, OCI_INDEX])},
)
OPERATORS = [
    "StringEquals", "StringLike", "NumericLessThan", "DateGreaterThan", "Bool", "IpAddress", "ArnLike", "Null", "Odd",
    "BinaryEquals", "ForAllValues:StringLike", "StringEqualsIfExists", "ForAnyValue:NumericEquals",
]  # fmt: skip
KEYS = ["aws:UserAgent", "aws:SourceIp", "aws:CurrentTime", "aws:PrincipalArn", "ecr:ResourceTag/x", "aws:TagKeys", "x"]
VALUES = [
    "*", "", "1", "1e400", "9" * 400, "2026-01-01T00:00:00Z", "0000-00-00", "12:00", "::/0", "1.2.3.4/33", "Infinity",
    "arn:aws:iam::*:*", "${aws:username}", "${", "${*}", "true", "=", "\0", "é", "-0",
]  # fmt: skip
values = st.sampled_from(VALUES) | scalars | st.text(max_size=6)
conditions = st.dictionaries(
    st.sampled_from(OPERATORS),
    st.dictionaries(st.sampled_from(KEYS), values | st.lists(values, max_size=3), max_size=2),
    max_size=2,
)
statements = st.fixed_dictionaries(
    {"Effect": st.just("Allow") | scalars},  # a Deny of everything would keep the test itself out
    optional={
        "Principal": st.sampled_from(["*", {"AWS": "*"}, {"AWS": "111122223333"}]) | documents(["AWS", "Service"]),
        "Action": st.sampled_from(["ecr:*", "ecr:BatchGetImage", ["ecr:Get*", "ecr:*?*?"]]) | documents(["ecr:*"]),
        "Resource": st.just("*") | values,
        "Condition": conditions | documents(OPERATORS),
        "Sid": values,
    },
)
good_statements = st.builds(
    lambda effect, condition: {
        "Effect": effect,
        "Principal": "*",
        "Action": "ecr:BatchGetImage",
        "Condition": condition,
    },
    st.sampled_from(["Allow", "Deny"]),
    conditions,
)
policies = st.fixed_dictionaries(
    {"Statement": st.lists(statements | good_statements, min_size=1, max_size=2)},
    optional={"Version": st.sampled_from(["2012-10-17", "2008-10-17"]) | scalars, "Id": values},
)
rules = st.fixed_dictionaries(
    {"rulePriority": st.integers(1, 3) | scalars, "action": st.just({"type": "expire"}) | documents(["type"])},
    optional={
        "selection": st.fixed_dictionaries(
            {
                "tagStatus": st.sampled_from(["any", "tagged", "untagged"]) | scalars,
                "countType": st.sampled_from(["imageCountMoreThan", "sinceImagePushed"]) | scalars,
                "countNumber": st.integers(1, 9) | scalars,
            },
            optional={"countUnit": st.just("days") | scalars, "tagPatternList": st.lists(values, max_size=2)},
        )
        | documents(["tagStatus"]),
        "description": values,
    },
)
lifecycle_policies = st.fixed_dictionaries({"rules": st.lists(rules, max_size=3) | documents(["rules"])})


def text_of(document):
    """As a sender may write it: NaN and Infinity are Python's, not JSON's."""
    return json.dumps(document)


def require_manifest(victim, document, media_type):
    body = text_of(document).encode()
    for reference in ("any", ""):
        assert victim.put(body, reference, media_type).status in {201, 400, 405}
    asked = {"repositoryName": REPOSITORY, "imageManifest": body.decode(), "imageManifestMediaType": media_type}
    pushed = victim.api.call("PutImage", asked)
    if pushed.status == 200:
        digest = pushed.json()["image"]["imageId"]["imageDigest"]
        assert victim.v2.send("GET", f"/v2/{REPOSITORY}/manifests/{digest}").body == body
        victim.v2.send("DELETE", f"/v2/{REPOSITORY}/manifests/{digest}")


def require_policies(victim, policy, lifecycle):
    """A policy that is taken is read back as JSON, and decides each request in good time."""
    for name, put, get, document in (
        ("policyText", "SetRepositoryPolicy", "GetRepositoryPolicy", policy),
        ("lifecyclePolicyText", "PutLifecyclePolicy", "GetLifecyclePolicy", lifecycle),
    ):
        asked = {"repositoryName": REPOSITORY, name: text_of(document), "force": True}
        if victim.api.call(put, asked).status == 200:
            written = victim.api.call(get, {"repositoryName": REPOSITORY}).json()[name]
            assert json.loads(written, parse_constant=pytest.fail)
    assert victim.v2.send("GET", f"/v2/{REPOSITORY}/manifests/none").status in {403, 404}
    victim.api.call("PutRegistryPolicy", {"policyText": text_of(policy)})
    assert victim.v2.send("GET", f"/v2/{REPOSITORY}/manifests/none").status in {403, 404}
    for operation in ("DeleteRepositoryPolicy", "DeleteLifecyclePolicy"):
        victim.api.call(operation, {"repositoryName": REPOSITORY})
    victim.api.call("DeleteRegistryPolicy", {})


@settings(max_examples=15)
@given(document=manifests, media_type=st.sampled_from([OCI_MANIFEST, OCI_INDEX]))
def test_any_document_is_a_manifest_or_refused(victim, document, media_type):
    require_manifest(victim, document, media_type)


@pytest.mark.slow
@settings(max_examples=600)
@given(document=manifests, media_type=st.sampled_from([OCI_MANIFEST, OCI_INDEX]))
def test_any_document_is_a_manifest_or_refused_again_and_again(victim, document, media_type):
    require_manifest(victim, document, media_type)


@settings(max_examples=10)
@given(policy=policies, lifecycle=lifecycle_policies)
def test_any_document_is_a_policy_or_refused(victim, policy, lifecycle):
    require_policies(victim, policy, lifecycle)


@pytest.mark.slow
@settings(max_examples=300)
@given(policy=policies, lifecycle=lifecycle_policies)
def test_any_document_is_a_policy_or_refused_again_and_again(victim, policy, lifecycle):
    require_policies(victim, policy, lifecycle)


NO_POLICIES = ["[" * 20_000, '{"rules": ' + "[" * 99 + "]" * 99 + "}" + " " * 100, "x" * 100_000, "\0" * 200]


@pytest.mark.parametrize(
    "operation", ["PutLifecyclePolicy", "StartLifecyclePolicyPreview", "SetRepositoryPolicy", "PutRegistryPolicy"]
)
def test_a_policy_that_is_no_json_is_refused(victim, operation):
    name = "lifecyclePolicyText" if "Lifecycle" in operation else "policyText"
    for text in NO_POLICIES:
        answer = victim.api.call(operation, encoded({"repositoryName": REPOSITORY, name: text}))
        assert answer.status == 400
