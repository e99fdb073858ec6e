"""Policy evaluation: a table of calls and what AWS decides."""

from datetime import UTC, datetime
from typing import Any

import pytest

from local_ecr.access.keys import RequestFacts, input_keys, resource_keys
from local_ecr.iam import (
    Call,
    Decision,
    Principal,
    UnsupportedPolicyError,
    allows,
    call_keys,
    check,
    decide,
    principal_keys,
    source_keys,
)
from local_ecr.iam.known_keys import is_known

EVENTS = Principal("Service", "events.amazonaws.com")
QUEUE = "arn:aws:sqs:us-east-1:111122223333:queue"
RULE = "arn:aws:events:us-east-1:111122223333:rule/own/pushed"
CONTEXT = {"aws:SourceArn": RULE, "aws:SourceAccount": "111122223333"}


def document(**changes: Any) -> dict[str, Any]:
    """A policy with one statement that lets EventBridge write to the queue for the rule."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
        "Condition": {"ArnEquals": {"aws:SourceArn": RULE}},
    }
    statement |= changes
    return {"Version": "2012-10-17", "Statement": [{key: one for key, one in statement.items() if one is not None}]}


def condition(operator: str, key: str, *values: str) -> dict[str, Any]:
    """The Condition element with one operator."""
    return {"Condition": {operator: {key: list(values)}}}


DECISIONS: list[tuple[str, dict[str, Any], Decision]] = [
    ("as given", {}, Decision.ALLOWED),
    ("deny", {"Effect": "Deny"}, Decision.DENIED),
    ("other service", {"Principal": {"Service": "sns.amazonaws.com"}}, Decision.NOT_ALLOWED),
    ("one of several services", {"Principal": {"Service": ["a", "events.amazonaws.com"]}}, Decision.ALLOWED),
    ("everybody", {"Principal": "*"}, Decision.ALLOWED),
    ("everybody, in other words", {"Principal": {"AWS": "*"}}, Decision.ALLOWED),
    ("other action", {"Action": "sqs:ReceiveMessage"}, Decision.NOT_ALLOWED),
    ("action in another case", {"Action": "SQS:sendmessage"}, Decision.ALLOWED),
    ("action with a star", {"Action": ["s3:*", "sqs:Send*"]}, Decision.ALLOWED),
    ("NotAction", {"Action": None, "NotAction": "sqs:Send*"}, Decision.NOT_ALLOWED),
    ("NotAction, other", {"Action": None, "NotAction": ["sqs:Purge*"]}, Decision.ALLOWED),
    ("resource with a star", {"Resource": "arn:aws:sqs:*:111122223333:q*"}, Decision.ALLOWED),
    ("resource with a question mark", {"Resource": QUEUE[:-1] + "?"}, Decision.ALLOWED),
    ("resource with a star that ends a part", {"Resource": "arn:aws:sqs:*:queue"}, Decision.ALLOWED),
    ("resource with a star within a part", {"Resource": "arn:aws:sqs:us-*t:queue"}, Decision.NOT_ALLOWED),
    ("resource with a star over a colon", {"Resource": "arn:aws:sqs:us*queue"}, Decision.NOT_ALLOWED),
    ("resource with a question mark for a colon", {"Resource": QUEUE.replace("1:1", "1?1")}, Decision.NOT_ALLOWED),
    ("NotResource with a star over a colon", {"Resource": None, "NotResource": "arn*queue"}, Decision.ALLOWED),
    ("other resource", {"Resource": QUEUE + "2"}, Decision.NOT_ALLOWED),
    ("NotResource", {"Resource": None, "NotResource": QUEUE}, Decision.NOT_ALLOWED),
    ("no condition", {"Condition": None}, Decision.ALLOWED),
    ("other source", condition("ArnEquals", "aws:SourceArn", RULE + "2"), Decision.NOT_ALLOWED),
    ("one of several sources", condition("ArnEquals", "AWS:SourceArn", "arn:a:b:c:d:e", RULE), Decision.ALLOWED),
    ("ArnLike", condition("ArnLike", "aws:SourceArn", "arn:aws:events:*:*:rule/own/*"), Decision.ALLOWED),
    (
        "ArnEquals takes wildcards too",
        condition("ArnEquals", "aws:SourceArn", "arn:aws:events:*:*:rule/*"),
        Decision.ALLOWED,
    ),
    (
        "a star in an ARN keeps to its part",
        condition("ArnLike", "aws:SourceArn", "arn:aws:events:*"),
        Decision.NOT_ALLOWED,
    ),
    ("ArnNotLike", condition("ArnNotLike", "aws:SourceArn", "arn:aws:sns:*:*:*"), Decision.ALLOWED),
    ("StringEquals", condition("StringEquals", "aws:SourceAccount", "111122223333"), Decision.ALLOWED),
    ("StringEquals takes no wildcard", condition("StringEquals", "aws:SourceAccount", "1111*"), Decision.NOT_ALLOWED),
    ("StringLike", condition("StringLike", "aws:SourceAccount", "1111*"), Decision.ALLOWED),
    ("StringNotEquals", condition("StringNotEquals", "aws:SourceAccount", "111122223333"), Decision.NOT_ALLOWED),
    ("key that is not there", condition("StringEquals", "aws:PrincipalOrgID", "o-1"), Decision.NOT_ALLOWED),
    ("key that is not there, negated", condition("StringNotEquals", "aws:PrincipalOrgID", "o-1"), Decision.ALLOWED),
    (
        "key that is not there, IfExists",
        condition("StringEqualsIfExists", "aws:PrincipalOrgID", "o-1"),
        Decision.ALLOWED,
    ),
    ("Null true", condition("Null", "aws:PrincipalOrgID", "true"), Decision.ALLOWED),
    ("Null false", condition("Null", "aws:PrincipalOrgID", "false"), Decision.NOT_ALLOWED),
]


@pytest.mark.parametrize(("changes", "expected"), [row[1:] for row in DECISIONS], ids=[row[0] for row in DECISIONS])
def test_policy_decides_as_aws_when(changes: dict[str, Any], expected: Decision) -> None:
    assert decide([document(**changes)], Call("sqs:SendMessage", QUEUE, EVENTS, CONTEXT)) is expected


def test_deny_wins_when_another_document_allows() -> None:
    call = Call("sqs:SendMessage", QUEUE, EVENTS, CONTEXT)

    assert decide([document(), document(Effect="Deny", Principal="*", Action="*")], call) is Decision.DENIED


def test_star_in_one_part_of_an_arn_does_not_match_when_the_parts_shift() -> None:
    policy = document(Condition={"ArnLike": {"aws:SourceArn": "arn:aws:events:us-*:111122223333:rule/x"}})

    def is_allowed(source_arn: str) -> bool:
        return allows([policy], Call("sqs:SendMessage", QUEUE, EVENTS, {"aws:SourceArn": source_arn}))

    assert is_allowed("arn:aws:events:us-east-1:111122223333:rule/x")
    assert not is_allowed("arn:aws:events:us-east-1:999999999999:y:111122223333:rule/x")


def test_identity_policy_is_evaluated_without_principal_when_a_role_acts() -> None:
    policy = document(Principal=None, Condition=None)

    assert allows([policy], Call("sqs:SendMessage", QUEUE))
    assert not allows([policy], Call("sqs:DeleteMessage", QUEUE))


@pytest.mark.parametrize("name", ["999999999999", "arn:aws:iam::999999999999:root", "arn:aws:iam::999999999999:role/r"])
def test_identity_of_another_account_is_named_when_by_its_account_or_its_arn(name: str) -> None:
    role = Principal("AWS", "arn:aws:iam::999999999999:role/r")

    assert allows([document(Principal={"AWS": name}, Condition=None)], Call("sqs:SendMessage", QUEUE, role))


@pytest.mark.parametrize(
    "changes",
    [
        {"Condition": {"StringSoundsLike": {"aws:SourceArn": RULE}}},
        {"Condition": {"ForSomeValues:StringEquals": {"aws:SourceArn": RULE}}},
        {"Condition": {"NullIfExists": {"aws:SourceArn": "true"}}},
        {"Condition": {"Null": {"aws:SourceArn": "yes"}}},
        {"Condition": {"NumericLessThan": {"aws:SourceAccount": "${aws:username}"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/99"}}},
        {"Principal": None, "NotPrincipal": {"AWS": "*"}},
        {"NotPrincipal": {"AWS": "*"}, "Effect": "Deny"},
        {"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}},
        {"Principal": {"Robot": "R2"}},
        {"Principal": "events.amazonaws.com"},
        {"Principal": {}},
        {"Resource": "arn:aws:sqs:*:${aws:PrincipalAccount}:queue"},
        {"Resource": "arn:aws:sqs:*:*:${aws:username"},
        {"Action": "sqs:${aws:username}"},
        {"Action": None},
        {"NotAction": "sqs:*"},
        {"NotResource": QUEUE},
        {"Resources": QUEUE},
        {"Effect": "Maybe"},
        {"Action": []},
        {"Action": None, "NotAction": []},
        {"Action": 5},
        {"Resource": []},
        {"Resource": {"Ref": "Queue"}},
        {"Principal": {"AWS": []}},
        {"Principal": None, "NotPrincipal": {"AWS": []}, "Effect": "Deny"},
        {"Condition": "StringEquals"},
        {"Condition": {"StringEquals": "aws:SourceArn"}},
    ],
)
def test_policy_is_refused_when_it_uses_what_is_not_known(changes: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedPolicyError):
        decide([document(**changes)], Call("sqs:SendMessage", QUEUE, EVENTS, CONTEXT))
    with pytest.raises(UnsupportedPolicyError):
        check(document(**changes))


@pytest.mark.parametrize(
    "changes",
    [{"Version": "2013-10-17"}, {"Version": 2012}, {"Statements": []}, {"Statement": ["Allow"]}],
)
def test_policy_is_refused_when_the_document_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(UnsupportedPolicyError):
        check({**document(), **changes})
    with pytest.raises(UnsupportedPolicyError, match="has no Statement"):
        check({"Version": "2012-10-17"})


@pytest.mark.parametrize("key", ["aws:PrincipleArn", "ecr:ImageTag", "AWS:username2", "aws:PrincipalTag"])
def test_policy_is_refused_at_the_check_when_it_asks_for_a_condition_key_that_no_request_has(key: str) -> None:
    with pytest.raises(UnsupportedPolicyError, match=f"{key} is no condition key that AWS documents"):
        check(document(**condition("StringEquals", key, "a")))


@pytest.mark.parametrize("key", ["AWS:principalarn", "aws:PrincipalTag/a b", "ecr:ResourceTag/team", "sts:ExternalId"])
def test_policy_passes_the_check_when_its_condition_key_is_known_or_another_services(key: str) -> None:
    check(document(**condition("StringEquals", key, "a")))


def test_every_condition_key_that_a_request_gets_here_is_one_that_aws_documents() -> None:
    session = Principal("AWS", "arn:aws:sts::111122223333:assumed-role/ci/run-1", "arn:aws:iam::111122223333:role/ci")
    user = Principal("AWS", "arn:aws:iam::111122223333:user/jo")
    told = {
        **principal_keys(session, "o-1", {"team": "a"}),
        **principal_keys(user),
        **principal_keys(EVENTS),
        **call_keys(datetime.now(UTC), "111122223333"),
        **source_keys(RULE, "111122223333", "o-1"),
        **resource_keys({"team": "a"}),
        **input_keys("TagResource", {"tags": [{"Key": "team", "Value": "a"}]}),
        **input_keys("GetAccountSetting", {"name": "BLOB_MOUNTING"}),
        **RequestFacts("id", "127.0.0.1", "agent", "page").keys,
    }
    assert [key for key in told if not is_known(key)] == []
    assert len(told) > 25


def test_resource_policy_is_refused_when_it_names_no_principal() -> None:
    with pytest.raises(UnsupportedPolicyError, match="names no Principal"):
        decide([document(Principal=None)], Call("sqs:SendMessage", QUEUE, EVENTS, CONTEXT))


@pytest.mark.parametrize("changes", [row[1] for row in DECISIONS], ids=[row[0] for row in DECISIONS])
def test_policy_passes_the_check_when_it_can_be_decided(changes: dict[str, Any]) -> None:
    check(document(**changes))
