"""The Condition element: operators, sets of values, and what is refused."""

import pytest

from local_ecr.iam import UNKNOWN, Call, UnsupportedPolicyError
from local_ecr.iam.conditions import read_conditions

CONTEXT = {
    "aws:TagKeys": ["team", "stage"],
    "aws:PrincipalArn": "arn:aws:iam::111122223333:role/ci",
    "s3:max-keys": "10",
    "aws:CurrentTime": "2026-11-24T12:00:00+00:00",
    "aws:SecureTransport": "true",
    "aws:SourceIp": "203.0.113.7",
    "aws:VpcSourceIp": "2001:db8:1234:5678::1",
    "aws:userid": UNKNOWN,
    "aws:CalledVia": [],
    "saml:aud": "",
    "kms:Key": "QmluYXJ5",
}


def all_hold(conditions):
    keys = Call("ecr:PutImage", "*", None, CONTEXT).keys
    return all(test.holds(keys) for test in read_conditions(conditions, has_variables=True))


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
        ("Null", "aws:Missing", ["false", "true"], True),
        ("Null", "aws:CalledVia", True, True),
        ("Null", "saml:aud", True, False),
        ("Null", "aws:userid", True, False),
        ("Null", "aws:userid", False, True),
        ("ForAllValues:StringEquals", "aws:CalledVia", "a", True),
        ("ForAllValues:StringEquals", "saml:aud", "a", True),
        ("ForAnyValue:StringEquals", "aws:CalledVia", "a", False),
        ("ForAnyValue:StringEquals", "saml:aud", "", False),
        ("StringEquals", "saml:aud", "", True),
        ("BinaryEquals", "kms:Key", "QmluYXJ5", True),
        ("BinaryEquals", "kms:Key", "QmluYXJ6", False),
        ("IpAddress", "aws:SourceIp", "203.0.113.0/24", True),
        ("IpAddress", "aws:SourceIp", "203.0.113.7", True),
        ("IpAddress", "aws:SourceIp", ["10.0.0.0/8", "203.0.113.8"], False),
        ("IpAddress", "aws:SourceIp", "2001:db8::/32", False),
        ("IpAddress", "aws:VpcSourceIp", "2001:DB8:1234:5678::/64", True),
        ("IpAddress", "aws:Missing", "0.0.0.0/0", False),
        ("NotIpAddress", "aws:SourceIp", "203.0.113.0/24", False),
        ("NotIpAddress", "aws:SourceIp", "2001:db8::/32", True),
        ("NotIpAddress", "aws:Missing", "0.0.0.0/0", True),
        ("StringEquals", "aws:PrincipalArn", "${aws:PrincipalArn}", True),
        ("StringEquals", "aws:PrincipalArn", "${AWS:principalarn}", True),
        ("StringEquals", "aws:PrincipalArn", "${aws:Missing}", False),
        ("StringNotEquals", "aws:PrincipalArn", "${aws:Missing}", True),
        ("StringLike", "aws:PrincipalArn", "arn:aws:iam::*:role/${aws:Missing, 'ci'}", True),
        ("StringLike", "aws:PrincipalArn", "arn:aws:iam::*:role/${aws:Missing, '*'}", False),
        ("StringLike", "aws:PrincipalArn", "arn:aws:iam::${*}:role/ci", False),
        ("StringEqualsIgnoreCase", "aws:SecureTransport", "TRUE", True),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:role/${aws:Missing, 'ci'}", True),
    ],
)
def test_a_condition_holds_as_in_iam_when(operator, key, wanted, holds):
    assert all_hold({operator: {key: wanted}}) is holds


def test_all_operators_and_keys_must_hold_when_there_are_several():
    good, bad = {"aws:SecureTransport": "true"}, {"s3:max-keys": "11"}
    assert all_hold({"Bool": good, "NumericLessThan": bad})
    assert not all_hold({"Bool": good, "NumericEquals": bad})
    assert not all_hold({"StringEquals": good | bad})


@pytest.mark.parametrize(
    "condition",
    [
        {"ForSomeValues:StringEquals": {"aws:TagKeys": "a"}},
        {"StringEquals": {"aws:TagKeys": "team"}},
        {"StringEquals": {"aws:PrincipalArn": "${aws:username"}},
        {"StringEquals": {"aws:PrincipalArn": "${}"}},
        {"NumericEquals": {"s3:max-keys": "many"}},
        {"NumericEquals": {"s3:max-keys": "NaN"}},
        {"NumericEquals": {"s3:max-keys": "${aws:EpochTime}"}},
        {"DateEquals": {"aws:CurrentTime": "soon"}},
        {"IpAddress": {"aws:SourceIp": "here"}},
        {"Bool": {"aws:SecureTransport": "yes"}},
        {"BinaryEquals": {"kms:Key": "?"}},
        {"Null": {"aws:SourceIp": "no"}},
        {"NullIfExists": {"aws:SourceIp": "true"}},
        {"ForAnyValue:Null": {"aws:TagKeys": "true"}},
        {"StringEquals": {"aws:PrincipalServiceNamesList": "lambda.amazonaws.com"}},
        {"StringNotLike": {"aws:SourceOrgPaths": "o-1/*"}},
        {"StringEquals": {"aws:PrincipalArn": []}},
        {"StringEquals": {"aws:PrincipalArn": None}},
        {"StringEquals": {"aws:PrincipalArn": {"Ref": "Role"}}},
        {"StringEquals": {"aws:PrincipalArn": ["a", ["b"]]}},
    ],
)
def test_a_condition_is_refused_when_it_is_not_known(condition):
    with pytest.raises(UnsupportedPolicyError):
        read_conditions(condition, has_variables=True)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:userid": "AIDA"}},
        {"StringLike": {"aws:PrincipalArn": "${aws:userid}"}},
        {"StringLike": {"aws:PrincipalArn": "${aws:TagKeys}"}},
        {"NumericEquals": {"aws:PrincipalArn": "1"}},
        {"IpAddress": {"aws:PrincipalArn": "10.0.0.0/8"}},
    ],
)
def test_a_condition_is_refused_when_the_request_has_nothing_that_it_can_be_compared_with(condition):
    with pytest.raises(UnsupportedPolicyError):
        all_hold(condition)
