"""Reads a template where nothing is left implied: SAM's own events are rules and mappings there."""

from collections.abc import Iterator, Mapping
from typing import Any

type Template = Mapping[str, Any]
type Properties = Mapping[str, Any]


def of_type(template: Template, type_: str) -> dict[str, Properties]:
    found = if_any(template, type_)
    assert found, f"the template has no {type_}: this test looks at nothing"
    return found


def if_any(template: Template, type_: str) -> dict[str, Properties]:
    return {id_: each.get("Properties", {}) for id_, each in template["Resources"].items() if each["Type"] == type_}


def logical_id(reference: Any) -> str:
    """Of the resource that a Ref or GetAtt names."""
    match reference:
        case {"Ref": str(name)}:
            return name
        case {"Fn::GetAtt": [str(name), _]}:
            return name
    raise AssertionError(f"{reference} names no resource of the template")


def rule_targets(template: Template) -> Iterator[tuple[str, Properties]]:
    for rule, properties in of_type(template, "AWS::Events::Rule").items():
        for target in properties["Targets"]:
            yield rule, target
