"""Which names an intrinsic refers to."""

from typing import Any

import pytest

from ecr_steward_sandbox.deploy.errors import TemplateError, UnknownReferenceError
from ecr_steward_sandbox.deploy.references import Reference, check_references, references


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ({"Ref": "Queue"}, [Reference("Queue")]),
        ({"Fn::GetAtt": "Queue.Arn"}, [Reference("Queue", "Arn")]),
        ([{"deep": [{"Fn::GetAtt": ["Queue", "Arn"]}]}], [Reference("Queue", "Arn")]),
        ({"Fn::Sub": "${Queue}/${Topic.TopicName}/${!Literal}"}, [Reference("Queue"), Reference("Topic", "TopicName")]),
        ({"Fn::Sub": ["${Here}-${Queue}", {"Here": {"Ref": "Topic"}}]}, [Reference("Topic"), Reference("Queue")]),
        ({"Fn::Join": ["-", ["a", {"Ref": "Queue"}]]}, [Reference("Queue")]),
        ({"Fn::If": ["Yes", {"Ref": "Queue"}, {"Ref": "Topic"}]}, [Reference("Queue"), Reference("Topic")]),
        ("Ref: Queue", []),
    ],
)
def test_references_are_found_when_a_value_holds_them(value: Any, found: list[Reference]) -> None:
    assert list(references(value)) == found


@pytest.mark.parametrize(("holds", "name"), [(True, "Queue"), (False, "Topic")])
def test_only_the_taken_branch_counts_when_the_condition_is_known(holds: bool, name: str) -> None:
    value = {"Fn::If": ["Yes", {"Ref": "Queue"}, {"Ref": "Topic"}]}

    assert list(references(value, lambda _: holds)) == [Reference(name)]


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ({"Resources": {"A": {"Type": "T", "DependsOn": "B"}}}, "A: DependsOn B points at nothing"),
        ({"Resources": {"A": {"Type": "T", "Condition": "Never"}}}, "A: Condition Never points at nothing"),
        ({"Resources": {}, "Outputs": {"Out": {"Value": {"Ref": "A"}}}}, "output Out: Ref A points at nothing"),
    ],
)
def test_reference_is_refused_when_it_points_at_nothing(template: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UnknownReferenceError, match=sentence):
        check_references(template, lambda _: True, lambda _: frozenset())


def test_references_are_accepted_when_all_of_them_exist() -> None:
    template = {
        "Parameters": {"Days": {"Type": "Number"}},
        "Conditions": {"Yes": {}},
        "Resources": {
            "A": {"Type": "T", "Condition": "Yes", "DependsOn": ["B"], "Properties": {"Days": {"Ref": "Days"}}},
            "B": {"Type": "T", "Properties": {"Arn": {"Fn::Sub": "${AWS::Partition}:${C.Arn}"}}},
            "C": {"Type": "T"},
        },
        "Outputs": {"Out": {"Value": {"Fn::GetAtt": ["A", "Arn"]}}},
    }

    check_references(template, lambda _: True, lambda _: frozenset({"Arn"}))


@pytest.mark.parametrize(
    ("resources", "circle"),
    [
        (
            {"A": {"RedrivePolicy": {"Fn::GetAtt": ["B", "Arn"]}}, "B": {"RedrivePolicy": {"Fn::GetAtt": "A.Arn"}}},
            "A -> B -> A",
        ),
        (
            {"A": {"Name": {"Fn::Sub": "${C}"}}, "B": {"Name": {"Ref": "A"}}, "C": {"Name": {"Ref": "B"}}},
            "A -> C -> B -> A",
        ),
        ({"First": {"Name": {"Ref": "A"}}, "A": {"Name": {"Ref": "A"}}}, "A -> A"),
    ],
)
def test_circle_is_named_when_resources_need_one_another(resources: dict[str, Any], circle: str) -> None:
    template = {"Resources": {name: {"Type": "T", "Properties": properties} for name, properties in resources.items()}}

    with pytest.raises(TemplateError, match=f"circular dependency between resources: {circle}$"):
        check_references(template, lambda _: True, lambda _: frozenset({"Arn"}))


def test_circle_is_named_when_it_goes_by_depends_on() -> None:
    template = {"Resources": {"A": {"Type": "T", "DependsOn": ["B"]}, "B": {"Type": "T", "DependsOn": "A"}}}

    with pytest.raises(TemplateError, match="A -> B -> A"):
        check_references(template, lambda _: True, lambda _: frozenset())


def test_nothing_is_refused_when_two_resources_need_the_same_one() -> None:
    both = {"Properties": {"Name": {"Ref": "A"}}, "Type": "T"}
    template = {"Resources": {"C": both, "B": both, "A": {"Type": "T"}}}

    check_references(template, lambda _: True, lambda _: frozenset())
