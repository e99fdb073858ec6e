"""The Condition element: operators, sets of values, and what is refused."""

import pytest

from local_ecr.access.conditions import UnsupportedPolicyError, all_hold, check_conditions

CONTEXT = {
    "aws:TagKeys": ["team", "stage"],
    "aws:PrincipalArn": "arn:aws:iam::111122223333:role/ci",
    "s3:max-keys": "10",
    "aws:CurrentTime": "2026-11-24T12:00:00+00:00",
    "aws:SecureTransport": "true",
}


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "holds"),
    [
        ("NumericEquals", "s3:max-keys", 10, True),
        ("NumericEquals", "s3:max-keys", "10.0", True),
        ("NumericNotEquals", "s3:max-keys", "10", False),
        ("NumericNotEquals", "s3:other", "10", True),
        ("NumericLessThan", "s3:max-keys", "10", False),
        ("NumericLessThanEquals", "s3:max-keys", "10", True),
        ("NumericGreaterThan", "s3:max-keys", ["99", "9"], True),
        ("NumericGreaterThanEquals", "s3:max-keys", "11", False),
        ("NumericLessThan", "s3:other", "10", False),
        ("NumericLessThanIfExists", "s3:other", "10", True),
        ("DateEquals", "aws:CurrentTime", "2026-11-24T13:00:00+01:00", True),
        ("DateNotEquals", "aws:CurrentTime", "2026-11-24T12:00:00Z", False),
        ("DateLessThan", "aws:CurrentTime", "2026-11-25", True),
        ("DateGreaterThan", "aws:CurrentTime", "1700000000", True),
        ("DateGreaterThan", "aws:CurrentTime", "2026-11-24T12:00:01Z", False),
        ("Bool", "aws:SecureTransport", "True", True),
        ("Bool", "aws:SecureTransport", False, False),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["team", "stage", "owner"], True),
        ("ForAllValues:StringEquals", "aws:TagKeys", ["team"], False),
        ("ForAllValues:StringNotEquals", "aws:TagKeys", ["owner"], True),
        ("ForAllValues:StringNotEquals", "aws:TagKeys", ["team"], False),
        ("ForAllValues:StringEquals", "aws:Missing", ["team"], True),
        ("ForAnyValue:StringEquals", "aws:TagKeys", ["stage", "owner"], True),
        ("ForAnyValue:StringLike", "aws:TagKeys", ["o*"], False),
        ("ForAnyValue:StringNotEquals", "aws:TagKeys", ["team"], True),
        ("ForAnyValue:StringEquals", "aws:Missing", ["team"], False),
        ("ForAnyValue:StringNotEquals", "aws:Missing", ["team"], False),
        ("ForAnyValue:StringEqualsIfExists", "aws:Missing", ["team"], True),
        ("ForAnyValue:ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*", True),
        ("Null", "aws:TagKeys", "false", True),
    ],
)
def test_a_condition_holds_as_in_iam_when(operator, key, wanted, holds):
    condition = {operator: {key: wanted}}
    check_conditions(condition)
    assert all_hold(condition, CONTEXT) is holds


def test_all_operators_and_keys_must_hold_when_there_are_several():
    good, bad = {"aws:SecureTransport": "true"}, {"s3:max-keys": "11"}
    assert all_hold({"Bool": good, "NumericLessThan": bad}, CONTEXT)
    assert not all_hold({"Bool": good, "NumericEquals": bad}, CONTEXT)
    assert not all_hold({"StringEquals": good | bad}, CONTEXT)


@pytest.mark.parametrize(
    "condition",
    [
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"ForSomeValues:StringEquals": {"aws:TagKeys": "a"}},
        {"StringEquals": {"aws:TagKeys": "team"}},
        {"StringEquals": {"aws:PrincipalArn": "${aws:username}"}},
        {"NumericEquals": {"s3:max-keys": "many"}},
        {"DateEquals": {"aws:CurrentTime": "soon"}},
    ],
)
def test_a_condition_is_refused_when_it_is_not_known(condition):
    with pytest.raises(UnsupportedPolicyError):
        check_conditions(condition)
    with pytest.raises(UnsupportedPolicyError):
        all_hold(condition, {**CONTEXT, "aws:SourceIp": "10.0.0.1"})
