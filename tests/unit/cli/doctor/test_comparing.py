"""When two values mean the same, and how the difference between two others is shortened."""

import pytest

from ecr_steward_cli.doctor.differences import differences, shortened
from ecr_steward_cli.doctor.policies import normal_policy

STATEMENT = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}


def policy(**elements):
    return {"Version": "2012-10-17", "Statement": [STATEMENT | elements]}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (policy(), policy(Action=["sqs:SendMessage"])),
        (policy(Action=["a", "b"]), policy(Action=["b", "a"])),
        (policy(), {"Version": "2008-10-17", "Statement": STATEMENT}),
        (policy(Principal={"AWS": "111122223333"}), policy(Principal={"AWS": "arn:aws:iam::111122223333:root"})),
        (policy(Principal="*"), policy(Principal={"AWS": "*"})),
        (
            policy(Condition={"ArnLike": {"AWS:SourceArn": "x"}}),
            policy(Condition={"ArnLike": {"aws:SourceArn": ["x"]}}),
        ),
        (policy(Condition={"Bool": {"a": "false"}}), policy(Condition={"Bool": {"a": False}})),
    ],
)
def test_two_policies_are_equal_when_they_say_the_same(one, other):
    assert normal_policy(one) == normal_policy(other)


@pytest.mark.parametrize(
    "other",
    [
        policy(Effect="Deny"),
        policy(Action=["sqs:SendMessage", "sqs:DeleteQueue"]),
        policy(Principal={"Service": "events.amazonaws.com"}),
        policy(Condition={"StringEquals": {"aws:SourceAccount": "1"}}),
        {"Statement": [STATEMENT, STATEMENT | {"Action": "sns:Publish"}]},
        None,
    ],
)
def test_two_policies_differ_when_one_allows_what_the_other_does_not(other):
    assert normal_policy(policy()) != normal_policy(other)


@pytest.mark.parametrize(
    ("wanted", "found", "is_whole", "said"),
    [
        ({"a": 1}, {"a": 1, "b": 2}, False, []),
        ({"a": 1}, {"a": 1, "b": 2}, True, ["b is 2, the template says not there"]),
        ({"a": {"b": "x"}}, {"a": {"b": "y"}}, False, ["a.b is y, the template says x"]),
        ({"a": "300"}, {"a": 300}, False, []),
        ({"a": "true"}, {"a": True}, False, []),
        ({"a": "0"}, {"a": 0.0}, False, []),
        ({"a": 1}, {"a": "one"}, False, ["a is one, the template says 1"]),
        ({"a": 1}, {"a": None}, False, ["a is not there, the template says 1"]),
        ({"a": [1, 2]}, {"a": [2, 3]}, False, ["a lacks 1", "a has 3, the template does not"]),
        ({"a": [1, 2]}, {"a": [2, 1]}, False, ["a is in another order, or not as often there"]),
        ({"a": [{"Sid": "X"}]}, {"a": []}, False, ["a lacks the statement X"]),
    ],
)
def test_each_place_is_named_when_two_values_differ(wanted, found, is_whole, said):
    assert differences(wanted, found, is_whole=is_whole) == said


def test_the_first_three_are_told_when_there_are_more():
    assert shortened(["a", "b", "c", "d", "e"]) == "a; b; c; and 2 more"
