"""What identity policies and a resource's policy say together, and what is true of any policies."""

from typing import Any

import pytest

from local_ecr.iam import UNKNOWN, Call, Identity, Policy, Principal, judge, principal_keys, sentence, source_keys

ROLE = "arn:aws:iam::111122223333:role/build/ci"
SESSION = Principal("AWS", "arn:aws:sts::111122223333:assumed-role/ci/run-1", ROLE)
DEPLOY = "arn:aws:iam::{account}:role/deploy"


def policy(*statements: dict[str, Any], name: str = "P") -> Policy:
    return Policy(name, {"Version": "2012-10-17", "Statement": list(statements)})


ASSUME = policy({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"})


def trust(name: str, **elements: Any) -> Policy:
    statement = {"Effect": "Allow", "Principal": {"AWS": name}, "Action": "sts:AssumeRole", **elements}
    return policy(statement, name="trust policy")


@pytest.mark.parametrize(
    ("owner", "identity", "trusted", "allowed"),
    [
        ("111122223333", [ASSUME], trust("111122223333"), True),
        ("111122223333", [], trust("111122223333"), False),
        ("111122223333", [], trust(ROLE), True),
        ("111122223333", [ASSUME], trust("arn:aws:iam::111122223333:role/other"), False),
        ("111122223333", [ASSUME], None, False),
        ("222233334444", [ASSUME], trust("arn:aws:iam::111122223333:root"), True),
        ("222233334444", [ASSUME], trust(ROLE), True),
        ("222233334444", [], trust(ROLE), False),
        ("222233334444", [ASSUME], trust("222233334444"), False),
        ("222233334444", [ASSUME], trust(ROLE, Effect="Deny"), False),
    ],
)
def test_a_role_is_assumed_when_it_trusts_the_caller_and_the_caller_may(owner, identity, trusted, allowed):
    call = Call("sts:AssumeRole", DEPLOY.format(account=owner), SESSION)
    judgement = judge(call, identity, [trusted] if trusted else [], is_trust=True)
    assert judgement.is_allowed is allowed
    assert bool(judgement.why) is not allowed


def test_a_role_is_assumed_with_the_external_id_that_its_trust_policy_asks_for():
    condition = {"StringEquals": {"sts:ExternalId": "one"}}
    trusted = trust("111122223333", Condition=condition)
    arn = DEPLOY.format(account="222233334444")

    def is_allowed(context: dict[str, str]) -> bool:
        return judge(Call("sts:AssumeRole", arn, SESSION, context), [ASSUME], [trusted], is_trust=True).is_allowed

    assert is_allowed({"sts:ExternalId": "one"})
    assert not is_allowed({"sts:ExternalId": "two"})
    assert not is_allowed({})


def test_a_refusal_is_told_in_the_words_of_aws():
    call = Call("sts:AssumeRole", DEPLOY.format(account="222233334444"), SESSION)
    assert sentence(call, judge(call, [ASSUME])) == (
        "User: arn:aws:sts::111122223333:assumed-role/ci/run-1 is not authorized to perform: sts:AssumeRole "
        "on resource: arn:aws:iam::222233334444:role/deploy because no resource-based policy allows the "
        "sts:AssumeRole action"
    )


@pytest.mark.parametrize(
    ("session", "by", "why"),
    [
        (
            {"Effect": "Allow", "Action": "ecr:*", "Sid": "S"},
            "identity policy P, statement 1 and session policy, statement S",
            "",
        ),
        ({"Effect": "Allow", "Action": "s3:*"}, "", "because no session policy allows the ecr:PutImage action"),
        ({"Effect": "Deny", "Action": "*"}, "session policy, statement 1", "with an explicit deny in a session policy"),
    ],
)
def test_the_session_policy_is_named_when_it_decides(session, by, why):
    everything = policy({"Effect": "Allow", "Action": "ecr:*", "Resource": "*"})
    identity = Identity([everything], session=policy({**session, "Resource": "*"}))
    call = Call("ecr:PutImage", "arn:aws:ecr:us-east-1:111122223333:repository/a", SESSION)
    judgement = judge(call, identity)
    assert (judgement.by, judgement.why) == (by, why)


@pytest.mark.parametrize(
    ("began", "why"),
    [
        ("2026-11-24T12:00:00Z", ""),
        ("2026-11-24T10:00:00Z", "with an explicit deny in an identity-based policy"),
        ("", "because it is not known what a policy means: it is not known here what aws:TokenIssueTime is"),
    ],
)
def test_sessions_from_before_a_moment_are_revoked_as_aws_does_it(began, why):
    session = Principal("AWS", SESSION.name, ROLE, session_began=began)
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    older = {"DateLessThan": {"aws:TokenIssueTime": "2026-11-24T11:00:00Z"}}
    revoked = policy(everything, {**everything, "Effect": "Deny", "Condition": older})
    call = Call("ecr:PutImage", "arn:aws:ecr:us-east-1:111122223333:repository/a", session, principal_keys(session))
    assert judge(call, [revoked]).why == why


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        (SESSION, {"aws:PrincipalArn": ROLE, "aws:PrincipalType": "AssumedRole"}),
        (
            Principal("AWS", "arn:aws:iam::111122223333:user/people/jo"),
            {"aws:PrincipalType": "User", "aws:username": "jo"},
        ),
        (Principal("AWS", "arn:aws:iam::111122223333:root"), {"aws:PrincipalType": "Account"}),
    ],
)
def test_condition_keys_tell_who_calls(principal, expected):
    keys = principal_keys(principal, "o-1")
    assert keys.items() >= {"aws:PrincipalAccount": "111122223333", "aws:PrincipalOrgID": "o-1", **expected}.items()


def test_condition_keys_tell_for_whom_a_service_calls():
    function = "arn:aws:lambda:us-east-1:111122223333:function:app"
    service = Principal("Service", "lambda.amazonaws.com")
    assert {**principal_keys(service, "o-1"), **source_keys(function, "111122223333", "o-1")} == {
        "aws:PrincipalIsAWSService": "true",
        "aws:PrincipalServiceName": "lambda.amazonaws.com",
        "aws:PrincipalServiceNamesList": ["lambda.amazonaws.com"],
        "aws:SourceAccount": "111122223333",
        "aws:SourceArn": function,
        "aws:SourceOrgID": "o-1",
        "aws:SourceOrgPaths": UNKNOWN,
        "aws:ViaAWSService": "false",
    }
    assert source_keys("", "111122223333", "o-1") == {}, "who is no service calls for nobody else"
