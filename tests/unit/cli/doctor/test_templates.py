"""Templates as CloudFormation answers them."""

import pytest

from ecr_steward_cli.doctor.templates import UnreadableTemplateError, template_of


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("!Ref Bus", {"Ref": "Bus"}),
        ("!Sub a-${Bus}", {"Fn::Sub": "a-${Bus}"}),
        ("!GetAtt Bus.Arn", {"Fn::GetAtt": "Bus.Arn"}),
        ("!If [HasBus, !Ref Bus, none]", {"Fn::If": ["HasBus", {"Ref": "Bus"}, "none"]}),
        ("!Not [!Condition HasBus]", {"Fn::Not": [{"Condition": "HasBus"}]}),
        ("!Sub ['a-${Own}', {Own: !Ref Bus}]", {"Fn::Sub": ["a-${Own}", {"Own": {"Ref": "Bus"}}]}),
        ("!Transform {Name: x}", {"Fn::Transform": {"Name": "x"}}),
    ],
)
def test_a_short_form_is_its_long_one(text, value):
    assert template_of(f"Value: {text}") == {"Value": value}


def test_a_template_that_is_parsed_already_stays_as_it_is():
    assert template_of({"Resources": {}}) == {"Resources": {}}


@pytest.mark.parametrize("body", ["a: [", "only words", 1, None])
def test_anything_else_is_refused(body):
    with pytest.raises(UnreadableTemplateError):
        template_of(body)
