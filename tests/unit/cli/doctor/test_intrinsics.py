"""The template's intrinsic functions, resolved to what a deployed stack has."""

import pytest

from ecr_steward_cli.doctor.intrinsics import UnresolvedError
from tests.unit.cli.doctor.given import STACK_ID, names

TEMPLATE = {
    "Parameters": {"Accounts": {"Type": "CommaDelimitedList"}, "Id": {"Type": "String"}},
    "Conditions": {
        "HasAccounts": {"Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": "Accounts"}]}, ""]}]},
        "HasId": {"Fn::Not": [{"Fn::Equals": [{"Ref": "Id"}, ""]}]},
        "HasBoth": {"Fn::And": [{"Condition": "HasAccounts"}, {"Condition": "HasId"}]},
        "HasAny": {"Fn::Or": [{"Condition": "HasAccounts"}, {"Condition": "HasId"}]},
    },
    "Resources": {
        "Bus": {"Type": "AWS::Events::EventBus"},
        "Rule": {"Type": "AWS::Events::Rule", "Properties": {"EventBusName": {"Ref": "Bus"}}},
        "Forward": {"Type": "AWS::Events::Rule"},
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"Path": {"Fn::Sub": "/${AWS::StackName}/"}}},
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Only": {"Type": "AWS::SQS::Queue", "Condition": "HasId"},
    },
}
PHYSICAL_IDS = {
    "Bus": "ecr-steward",
    "Rule": "ecr-steward|stack-rule",
    "Forward": "stack-forward",
    "Role": "stack-role",
    "Queue": "https://sqs.us-east-1.amazonaws.com/111122223333/stack-queue",
}


@pytest.fixture
def stack():
    return names(TEMPLATE, {"Accounts": "222233334444,333344445555", "Id": ""}, PHYSICAL_IDS)


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "Accounts"}, ["222233334444", "333344445555"]),
        ({"Fn::Join": [",", {"Ref": "Accounts"}]}, "222233334444,333344445555"),
        ({"Ref": "AWS::StackId"}, STACK_ID),
        ({"Fn::Select": [2, {"Fn::Split": ["/", {"Ref": "AWS::StackId"}]}]}, STACK_ID.rpartition("/")[2]),
        ({"Fn::If": ["HasId", {"Ref": "Id"}, "none"]}, "none"),
        ({"Fn::If": ["HasAny", 1, 2]}, 1),
        ({"Fn::If": ["HasBoth", 1, 2]}, 2),
        ([{"Fn::If": ["HasId", "x", {"Ref": "AWS::NoValue"}]}, "y"], ["y"]),
        ({"a": {"Ref": "AWS::NoValue"}, "b": 1}, {"b": 1}),
        ({"Fn::GetAtt": ["Rule", "Arn"]}, "arn:aws:events:us-east-1:111122223333:rule/ecr-steward/stack-rule"),
        ({"Fn::GetAtt": "Forward.Arn"}, "arn:aws:events:us-east-1:111122223333:rule/stack-forward"),
        ({"Fn::GetAtt": ["Role", "Arn"]}, "arn:aws:iam::111122223333:role/ecr-steward/stack-role"),
        ({"Fn::GetAtt": ["Queue", "QueueName"]}, "stack-queue"),
        (
            {"Fn::Sub": "${Bus}:${Queue.Arn}:${!Literal}"},
            "ecr-steward:arn:aws:sqs:us-east-1:111122223333:stack-queue:${Literal}",
        ),
        ({"Fn::Sub": ["${Own}/${AWS::Region}", {"Own": {"Ref": "Bus"}}]}, "ecr-steward/us-east-1"),
        (
            {"Condition": {"StringEquals": {"a": {"Ref": "AWS::AccountId"}}}},
            {"Condition": {"StringEquals": {"a": "111122223333"}}},
        ),
    ],
)
def test_a_value_is_what_the_stack_has(stack, value, resolved):
    assert stack.resolve(value) == resolved


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"Fn::ImportValue": "x"}, "Fn::ImportValue"),
        ({"Ref": "Nothing"}, "Ref Nothing"),
        ({"Fn::GetAtt": ["Bus", "Policy"]}, "Bus.Policy"),
        ({"Fn::If": ["Unknown", 1, 2]}, "the condition Unknown"),
    ],
)
def test_the_value_is_named_when_it_cannot_be_resolved(stack, value, named):
    with pytest.raises(UnresolvedError, match=named):
        stack.resolve(value)


def test_a_resource_is_left_out_when_its_condition_does_not_hold(stack):
    assert "Only" not in stack.resources
    assert "Queue" in stack.resources
