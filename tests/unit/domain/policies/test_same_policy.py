"""When two policy documents mean the same, and when they do not."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.domain.policies.principals import Kind, read_principals
from ecr_steward.domain.policies.statements import is_same_policy
from ecr_steward.domain.repositories import UnreadableDocument

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchCheckLayerAvailability"]


def policy(*statements: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", **members, "Statement": list(statements)}


def allow(principal: Any = "*", action: Any = "ecr:BatchGetImage", **members: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Principal": principal, "Action": action, **members}


@given(st.permutations(PULL))
def test_order_of_actions_means_nothing(actions: list[str]) -> None:
    assert is_same_policy(policy(allow(action=PULL)), policy(allow(action=actions)))


@pytest.mark.parametrize(
    "other",
    [
        {"Statement": allow(), "Version": "2012-10-17"},
        policy(allow({"AWS": "*"})),
        policy(allow({"AWS": ["*"]})),
        policy(allow(action=["ecr:BatchGetImage"])),
        policy(allow(action="ECR:batchgetimage")),
        policy(allow(), allow()),
        policy(allow(Sid="Named"), Id="a-name"),
        policy(allow(Resource="*")),
        policy(allow(Condition={})),
        policy(allow(), Version="2008-10-17"),
        {"Statement": [allow()]},
    ],
    ids=str,
)
def test_another_spelling_is_the_same_policy(other: dict[str, Any]) -> None:
    assert is_same_policy(policy(allow()), other)


@pytest.mark.parametrize(
    "other",
    [
        policy(),
        policy(allow(action="ecr:PutImage")),
        policy(allow(action=["ecr:BatchGetImage", "ecr:PutImage"])),
        policy(allow(action="ecr:*")),
        policy(allow({"AWS": "111122223333"})),
        policy(allow({"Service": "*"})),
        policy(allow({"AWS": []})),
        policy({**allow(), "Effect": "Deny"}),
        policy(allow(Condition={"Bool": {"aws:SecureTransport": "true"}})),
        policy(allow(Resource="arn:aws:ecr:us-east-1:111122223333:repository/x")),
        policy(allow(Unknown="member")),
        policy(allow(), Unknown="member"),
        policy({"Effect": "Allow", "NotPrincipal": "*", "Action": "ecr:BatchGetImage"}),
        policy({"Effect": "Allow", "Principal": "*", "NotAction": "ecr:BatchGetImage"}),
        UnreadableDocument("no JSON"),
        {"Version": "2012-10-17", "Statement": [allow(), "no statement"]},
        None,
    ],
    ids=str,
)
def test_another_meaning_is_another_policy(other: Any) -> None:
    assert not is_same_policy(policy(allow()), other)
    assert not is_same_policy(other, policy(allow()))
    assert is_same_policy(other, copy.deepcopy(other))


def test_statements_can_be_joined_and_split_without_a_difference() -> None:
    roles = ["arn:aws:iam::111122223333:role/a", "arn:aws:iam::111122223333:role/b"]
    joined = policy(allow({"AWS": roles}, PULL))
    split = policy(*(allow({"AWS": role}, action) for role in roles for action in PULL))

    assert is_same_policy(joined, split)
    assert not is_same_policy(joined, policy(allow({"AWS": roles[0]}, PULL[:2]), allow({"AWS": roles[1]}, PULL)))


def test_an_account_is_the_same_by_its_id_and_by_its_root() -> None:
    by_id = policy(allow({"AWS": ["111122223333"]}))

    assert is_same_policy(by_id, policy(allow({"AWS": "arn:aws:iam::111122223333:root"})))
    assert not is_same_policy(by_id, policy(allow({"AWS": "arn:aws:iam::111122223333:role/root"})))
    assert not is_same_policy(by_id, policy(allow({"CanonicalUser": "111122223333"})))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"Bool": {"aws:SecureTransport": True}}, {"Bool": {"AWS:securetransport": ["true"]}}, True),
        ({"NumericLessThan": {"k": 5}}, {"NumericLessThan": {"k": "5"}}, True),
        ({"StringLike": {"k": ["a", "b"]}}, {"StringLike": {"k": ["b", "a", "b"]}}, True),
        ({"StringLike": {"k": "a"}}, {"StringLike": {"k": "A"}}, False),
        ({"StringLike": {"k": "a"}}, {"StringEquals": {"k": "a"}}, False),
        ({"StringLike": {"k": "a"}}, {"ForAnyValue:StringLike": {"k": "a"}}, False),
        ({"StringLike": {"k": "a"}}, {"StringLike": {"k": "a", "l": "b"}}, False),
        ({"StringLike": {"k": ["a"]}}, {"StringLike": {"k": [["a"]]}}, False),
    ],
)
def test_conditions_are_the_same_when_they_hold_alike(one: Any, other: Any, same: bool) -> None:
    assert is_same_policy(policy(allow(Condition=one)), policy(allow(Condition=other))) == same


def test_the_version_is_a_difference_when_a_policy_variable_is_used() -> None:
    statement = allow(Condition={"StringLike": {"aws:userid": "${aws:username}"}})

    assert not is_same_policy(policy(statement), policy(statement, Version="2008-10-17"))


@pytest.mark.parametrize(
    ("written", "kind", "account"),
    [
        ("*", Kind.EVERYBODY, None),
        ({"AWS": "*"}, Kind.EVERYBODY, None),
        ({"AWS": "111122223333"}, Kind.ACCOUNT, "111122223333"),
        ({"AWS": "arn:aws-cn:iam::111122223333:root"}, Kind.ACCOUNT, "111122223333"),
        ({"AWS": "arn:aws:iam::111122223333:role/path/name"}, Kind.IDENTITY, "111122223333"),
        ({"AWS": "arn:aws:iam::111122223333:user/bob"}, Kind.IDENTITY, "111122223333"),
        ({"AWS": "arn:aws:sts::111122223333:assumed-role/name/session"}, Kind.IDENTITY, "111122223333"),
        ({"AWS": "AROAEXAMPLEEXAMPLE123"}, Kind.DELETED, None),
        ({"AWS": ["AIDAEXAMPLEEXAMPLE123"]}, Kind.DELETED, None),
        ({"Service": "lambda.amazonaws.com"}, Kind.SERVICE, None),
        ({"Federated": "arn:aws:iam::111122223333:saml-provider/x"}, Kind.FEDERATED, "111122223333"),
        ({"Federated": "cognito-identity.amazonaws.com"}, Kind.FEDERATED, None),
        (
            {"CanonicalUser": "79a59df900b949e5"},
            Kind.CANONICAL_USER,
            None,
        ),
        ({"AWS": "nobody"}, Kind.OTHER, None),
        ({"AWS": 111122223333}, Kind.OTHER, None),
        ({"AWS": {"deep": ["er"]}}, Kind.OTHER, None),
        ({"Planet": "Mars"}, Kind.OTHER, None),
        (7, Kind.OTHER, None),
        (None, Kind.OTHER, None),
        (["*"], Kind.OTHER, None),
    ],
    ids=str,
)
def test_a_principal_is_read_in_every_spelling(written: Any, kind: Kind, account: str | None) -> None:
    (principal,) = read_principals(written)

    assert (principal.kind, principal.account) == (kind, account)
