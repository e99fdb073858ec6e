"""What a policy opens to others, whatever way it is written."""

import pytest

from ecr_steward.domain.policies.openings import openings

OWN, OTHER = "111122223333", "222233334444"
PULL = "ecr:BatchGetImage"


def allow(principal="*", action=PULL, **rest):
    who = {} if "NotPrincipal" in rest else {"Principal": principal}
    what = {} if "NotAction" in rest else {"Action": action}
    return {"Effect": "Allow", **who, **what, **rest}


def where(operator, key, value):
    return {"Condition": {operator: {key: value}}}


def policy(*statements):
    return {"Version": "2012-10-17", "Statement": list(statements)}


def opened(after, *before):
    return sorted((each.name, each.is_public) for each in openings(policy(*before), policy(*after), OWN))


ORGANIZATION = where("StringEquals", "aws:PrincipalOrgID", "o-abcde12345")
FENCE = {"Effect": "Deny", "Principal": "*", "Action": "*"} | where(
    "StringNotEquals", "aws:PrincipalOrgID", ["o-abcde12345"]
)
EVERYBODY = [("everybody", True)]


@pytest.mark.parametrize(
    "statement",
    [
        allow(),
        allow({"AWS": "*"}),
        allow({"AWS": ["*"]}),
        allow(NotPrincipal={"AWS": OTHER}),
        allow(NotAction="ecr:PutImage"),
        allow(**where("StringLike", "aws:PrincipalOrgID", "*")),
        allow(**where("StringLike", "aws:PrincipalArn", "arn:aws:iam::*:role/ci")),
        allow(**where("StringEqualsIfExists", "aws:PrincipalOrgID", "o-abcde12345")),
        allow(**where("StringNotEquals", "aws:PrincipalAccount", OTHER)),
        allow(**where("StringEquals", "aws:PrincipalTag/team", "a")),
        allow(**where("StringEquals", "aws:PrincipalAccount", "${aws:PrincipalAccount}")),
        allow(**where("IpAddress", "aws:SourceIp", "0.0.0.0/1")),
    ],
    ids=str,
)
def test_everybody_is_let_in_when_no_condition_names_an_account_organization_or_network(statement):
    """M10"""
    assert opened([statement]) == EVERYBODY


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        (allow({"AWS": OTHER}), OTHER),
        (allow({"AWS": f"arn:aws:iam::{OTHER}:role/ci"}), f"arn:aws:iam::{OTHER}:role/ci"),
        (allow(**ORGANIZATION), "o-abcde12345"),
        (allow(**where("StringEquals", "aws:PrincipalOrgID", "${aws:ResourceOrgID}")), "${aws:ResourceOrgID}"),
        (allow({"Service": "codebuild.amazonaws.com"}), "codebuild.amazonaws.com"),
        (allow(**where("StringEquals", "aws:SourceVpc", "vpc-1")), "everybody from vpc-1"),
        (allow(**where("IpAddress", "aws:SourceIp", "203.0.113.0/24")), "everybody from 203.0.113.0/24"),
    ],
    ids=str,
)
def test_others_are_let_in_by_name(statement, name):
    assert opened([statement]) == [(name, False)]


@pytest.mark.parametrize(
    "statement",
    [
        allow({"AWS": OWN}),
        allow(**where("StringEquals", "aws:PrincipalAccount", OWN)),
        allow(**where("StringEquals", "aws:PrincipalAccount", "${aws:ResourceAccount}")),
        allow({"Service": "codebuild.amazonaws.com"}, **where("StringEquals", "aws:SourceAccount", OWN)),
        {"Effect": "Deny", "Principal": "*", "Action": "ecr:PutImage"},
    ],
    ids=str,
)
def test_nothing_is_opened_when_no_outsider_is_let_in(statement):
    assert opened([statement]) == []


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ([allow()], [allow({"AWS": OTHER})]),
        ([allow({"AWS": OTHER}, "ecr:*")], [allow({"AWS": f"arn:aws:iam::{OTHER}:root"})]),
        ([allow(**where("StringEquals", "aws:PrincipalOrgID", ["o-abcde12345"]))], [allow(**ORGANIZATION)]),
        ([allow(**where("StringEquals", "aws:PrincipalOrgID", ["o-a", "o-abcde12345"]))], [allow(**ORGANIZATION)]),
        ([allow(NotPrincipal={"AWS": OWN})], [allow({"AWS": OTHER})]),
        ([allow(), FENCE], [allow(**ORGANIZATION)]),
    ],
    ids=str,
)
def test_nothing_is_opened_when_the_policy_before_allowed_as_much(before, after):
    assert opened(after, *before) == []


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ([allow({"AWS": OTHER})], [allow({"AWS": OTHER}, "ecr:PutImage")], [(OTHER, False)]),
        ([allow(**ORGANIZATION)], [allow()], EVERYBODY),
        ([allow(), FENCE], [allow()], EVERYBODY),
        ([allow(action="ecr:*"), FENCE | {"Action": PULL}], [allow()], EVERYBODY),
        ([], [allow(), FENCE], [("o-abcde12345", False)]),
        ([allow(NotPrincipal={"AWS": OTHER})], [allow()], EVERYBODY),
    ],
    ids=str,
)
def test_something_is_opened_when_an_action_comes_or_a_limit_goes(before, after, found):
    assert opened(after, *before) == found
