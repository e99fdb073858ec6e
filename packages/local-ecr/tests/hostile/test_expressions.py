"""Texts that make a backtracking matcher go on for ever: each would stop the whole server, which is one process."""

import json

import pytest

from local_ecr.expressions import whole_match
from local_ecr.iam.patterns import like, like_arn, like_resource
from tests.hostile.victim import REPOSITORY
from tests.hostile.wire import request_bytes

LONG = "a" * 240
STARS = "*a" * 60 + "b"


def names(operation, **members):
    return operation, {"repositoryName": REPOSITORY, **members}


CALLS = {
    "scan filter": (
        "PutRegistryScanningConfiguration",
        {"rules": [{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [
            {"filter": LONG + "!", "filterType": "WILDCARD"}]}]},
    ),
    "replication filter": (
        "PutReplicationConfiguration",
        {"replicationConfiguration": {"rules": [{"destinations": [], "repositoryFilters": [
            {"filter": "a." * 120 + "!", "filterType": "PREFIX_MATCH"}]}]}},
    ),
    "repository name": ("CreateRepository", {"repositoryName": "a-" * 120 + "!"}),
    "prefix": ("CreateRepositoryCreationTemplate", {"prefix": "a" * 240 + "!", "appliedFor": ["REPLICATION"]}),
    "tag filter": names(
        "PutImageTagMutability",
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "*a" * 60 + "!"}],
    ),
    "layer digest": names("GetDownloadUrlForLayer", layerDigest="a" * 1_000_000 + "!"),
    "upload id": names("CompleteLayerUpload", uploadId="0-" * 100_000, layerDigests=["x"]),
    "ARN": ("ListTagsForResource", {"resourceArn": "arn:" + "a-" * 100_000}),
}  # fmt: skip


@pytest.mark.parametrize("call", CALLS)
def test_a_text_of_many_ways_to_read_it_is_refused_at_once(victim, call):
    operation, members = CALLS[call]
    assert victim.api.call(operation, members).status == 400


@pytest.mark.parametrize(
    "condition",
    [
        {"StringLike": {"aws:UserAgent": STARS}},
        {"StringNotLike": {"aws:UserAgent": [STARS, "*?" * 200 + "c"]}},
        {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::*:{STARS}"}},
        {"ForAnyValue:StringLike": {"aws:UserAgent": "${" + " " * 4000}},
    ],
    ids=["like", "not like", "arn", "variable"],
)
def test_a_policy_is_decided_whatever_its_patterns_are(victim, condition):
    """A repository policy is for everybody who may set one, a user agent for everybody who may ask."""
    statement = {"Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGetImage", "Condition": condition}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    victim.api.call("SetRepositoryPolicy", {"repositoryName": REPOSITORY, "policyText": policy, "force": True})
    try:
        answer = victim.v2.send("GET", f"/v2/{REPOSITORY}/manifests/none", headers=[("User-Agent", "a" * 8000)])
        assert answer.status in {403, 404}
    finally:
        victim.api.call("DeleteRepositoryPolicy", {"repositoryName": REPOSITORY})


def test_a_pattern_that_a_request_has_filled_is_neither_built_in_vain_nor_kept():
    """A policy may have hundreds of variables, and the sender of a request fill each with a kibibyte."""
    filled = tuple(("é*?" * 300, True) for _ in range(600))
    assert not like(filled)("x" * 1024)
    assert like(filled) is not like(filled)
    assert like((("a" * 3000, True), ("*", False)))("a" * 3001)
    assert not like((("a" * 3000, True), ("?", False)))("a" * 3000)
    assert like((("short*", False),)) is like((("short*", False),))


def test_a_host_of_many_parts_is_read(victim):
    host = "111122223333.dkr.ecr." + "a." * 15_000 + "!"
    request = request_bytes("GET", "/v2/", [("Host", host)])
    assert victim.v2.exchange(request).status == 421


@pytest.mark.parametrize("build", [like, like_resource, like_arn])
def test_a_pattern_of_wildcards_alone_is_built_and_asked(build):
    for pattern in ("*" * 10_000, "*a" * 5_000, "?*" * 5_000, "*:" * 5_000):
        assert not build(((pattern + "\n", False),))("a" * 1000)


def test_an_expression_matches_as_it_says():
    assert whole_match("a.c")("a\nc")
    assert not whole_match("a.c")("a\ncd")
    assert like((("a*", True), ("?", False), ("$(.", True)))("a*x$(.")
