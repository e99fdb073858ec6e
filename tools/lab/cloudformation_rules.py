"""How CloudFormation reads a template, and what it refuses of the capabilities and parameters that come with one."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml
from samtranslator.yaml_helper import intrinsics_multi_constructor

NAMED = ("AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Policy", "AWS::IAM::Group")


class _Loader(yaml.CSafeLoader):
    """As SAM reads a template."""


_Loader.add_multi_constructor("!", intrinsics_multi_constructor)


class RefusedError(Exception):
    """What CloudFormation answers with a ValidationError, or another code."""

    def __init__(self, message: str, code: str = "ValidationError") -> None:
        super().__init__(message)
        self.code = code


@lru_cache(maxsize=8)
def read_template(body: str) -> dict[str, Any]:
    """A template's body, YAML or JSON."""
    document: dict[str, Any] = yaml.load(body, Loader=_Loader)  # noqa: S506 - it constructs what SafeLoader does
    return document


def declared_in(template: Mapping[str, Any]) -> Mapping[str, Mapping[str, Any]]:
    """The parameters that it declares."""
    declared: Mapping[str, Mapping[str, Any]] = template.get("Parameters", {})
    return declared


def check_capabilities(template: Mapping[str, Any], given: list[str]) -> None:
    """Raises RefusedError where roles, or names of roles, are not acknowledged."""
    roles = [each for each in template["Resources"].values() if each["Type"] in NAMED]
    functions = any(each["Type"] == "AWS::Serverless::Function" for each in template["Resources"].values())
    if any("RoleName" in each.get("Properties", {}) for each in roles) and "CAPABILITY_NAMED_IAM" not in given:
        raise RefusedError("Requires capabilities : [CAPABILITY_NAMED_IAM]", "InsufficientCapabilitiesException")
    if (roles or functions) and not {"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"} & set(given):
        raise RefusedError("Requires capabilities : [CAPABILITY_IAM]", "InsufficientCapabilitiesException")


def resolve_parameters(
    template: Mapping[str, Any], given: list[dict[str, str]], previous: Mapping[str, str], kind: str
) -> dict[str, str]:
    """Each parameter's value: given, else previous where that is asked, else the default. Raises RefusedError."""
    by_name = {each["ParameterKey"]: each for each in given}
    if unknown := by_name.keys() - declared_in(template).keys():
        raise RefusedError(f"Parameters: [{', '.join(sorted(unknown))}] do not exist in the template")
    values = {}
    for name, declared in declared_in(template).items():
        each = by_name.get(name, {})
        if each.get("UsePreviousValue") == "true" and (kind == "CREATE" or name not in previous):
            raise RefusedError(f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true")
        if each.get("UsePreviousValue") == "true":
            values[name] = previous[name]
        elif "ParameterValue" in each or "Default" in declared:
            values[name] = str(each.get("ParameterValue", declared.get("Default")))
        else:
            raise RefusedError(f"Parameters: [{name}] must have values")
        _check_value(name, values[name], declared)
    return values


def _check_value(name: str, value: str, declared: Mapping[str, Any]) -> None:
    allowed = [str(each) for each in declared.get("AllowedValues", [])]
    if allowed and value not in allowed:
        raise RefusedError(f"Parameter '{name}' must be one of AllowedValues")
    entries = value.split(",") if declared["Type"] == "CommaDelimitedList" else [value]
    pattern = str(declared.get("AllowedPattern", ".*"))
    if not all(re.fullmatch(pattern, entry, re.DOTALL) for entry in entries):
        raise RefusedError(f"Parameter {name} failed to satisfy constraint: must match pattern {pattern}")
