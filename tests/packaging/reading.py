"""Reads a template where nothing is left implied: SAM's own events are rules and mappings there."""

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

type Template = Mapping[str, Any]
type Properties = Mapping[str, Any]


IN_SAM = Path(__file__).parents[2] / ".tools" / "sam" / "lib"


def asked_by_handlers(kinds: Iterable[str], handlers: Iterable[str]) -> dict[str, frozenset[str]]:
    """The actions that AWS publishes for handlers of types in CloudFormation's registry, as cfn-lint carries them."""
    (schemas,) = IN_SAM.glob("python*/site-packages/cfnlint/data/schemas")
    files = json.loads((schemas / "providers" / "us-east-1.json").read_text(encoding="utf-8"))
    wanted, found = tuple(handlers), {}
    for kind in kinds:
        schema = json.loads((schemas / "resources" / f"{files[kind]}.json").read_text(encoding="utf-8"))
        asked = [schema["handlers"].get(handler, {}).get("permissions", []) for handler in wanted]
        found[kind] = frozenset(action for actions in asked for action in actions)
    return found


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
