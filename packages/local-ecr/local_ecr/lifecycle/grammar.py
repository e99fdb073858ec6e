"""The grammar of a lifecycle policy, as strict as ECR's, and how it is read back.

Sources: ECR user guide, "Lifecycle policy properties". ECR checks a policy against a JSON schema with fge's
json-schema-validator, whose words it passes on, and then says itself what no schema can: messages as seen in
github.com/cloudposse/terraform-aws-ecr/issues/158, in moto's tests of `EcrLifecyclePolicyValidator` and by users. Where
only the schema's "failed to match exactly one schema" is known, what is wrong follows it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from local_ecr.errors import EcrError, invalid_parameter
from local_ecr.strict_json import read_object

MAX_RULES = 50
MAX_WILDCARDS = 4
MIN_DAYS_ARCHIVED = 90
MAX_INTEGER = 2**31 - 1
# a tuple, as every list of values here: what is asked for may be a list or an object, which no set can be asked for
_TAG_STATUSES = ("any", "tagged", "untagged")
_COUNT_TYPES = ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
_TAG_LISTS = ("tagPrefixList", "tagPatternList")
_RULE_KEYS = ("rulePriority", "description", "selection", "action")
_SELECTION_KEYS = (*_TAG_LISTS, "tagStatus", "storageClass", "countType", "countUnit", "countNumber")
_UNMAPPED = "Could not map policyString into LifecyclePolicy."


def check_lifecycle_policy(text: str) -> str:
    """The policy as it will be read back. Raises EcrError InvalidParameterException with the first fault."""
    document = read_object(text)
    if document is None:
        raise _invalid(_UNMAPPED)
    _check_members(document, required=("rules",), allowed=("rules",))
    rules = _typed(document["rules"], list, "array")
    if not rules:
        raise _invalid("array is too short: must have at least 1 elements but instance has 0 elements")
    if len(rules) > MAX_RULES:
        raise _invalid(
            f"array is too long: must have at most {MAX_RULES} elements but instance has {len(rules)} elements"
        )
    for rule in rules:
        _check_rule(rule)
    _check_together(rules)
    # ECR gives the rules back in the order of their priority: documentation of Terraform's aws_ecr_lifecycle_policy
    in_order = {"rules": sorted(rules, key=lambda rule: rule["rulePriority"])}
    return json.dumps(in_order, separators=(",", ":"), ensure_ascii=False)


def _check_rule(rule: Any) -> None:
    _typed(rule, dict, "object")
    _check_members(rule, required=("rulePriority", "selection", "action"), allowed=_RULE_KEYS)
    _check_number(rule["rulePriority"], 1)
    _typed(rule.get("description", ""), str, "string")
    selection = _typed(rule["selection"], dict, "object")
    _check_members(selection, required=("tagStatus", "countType", "countNumber"), allowed=_SELECTION_KEYS)
    _check_selected_tags(selection)
    _check_count(selection, _check_action(_typed(rule["action"], dict, "object")))


def _check_action(action: Mapping[str, Any]) -> str:
    if action == {"type": "expire"}:
        return "expire"
    if action == {"type": "transition", "targetStorageClass": "archive"}:
        return "transition"
    raise _no_schema("an action is expire, or transition to the targetStorageClass archive")


def _check_selected_tags(selection: Mapping[str, Any]) -> None:
    status = selection["tagStatus"]
    _check_value(status, _TAG_STATUSES)
    given = [name for name in _TAG_LISTS if name in selection]
    for name in given:
        values = _typed(selection[name], list, "array")
        if not all(isinstance(value, str) and value for value in values):
            raise _invalid(f"{name} has what is no tag")
    if status != "tagged":
        if given:
            raise _invalid(f"Cannot specify {given[0]} with tagStatus {status.upper()}.")
        return
    if len(given) > 1:
        raise _invalid("If policy has a tagged rule, it must specify only one of tagPrefixList or tagPatternList.")
    if not given or not selection[given[0]]:
        raise _invalid("Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED.")
    if any(value.count("*") > MAX_WILDCARDS for value in selection.get("tagPatternList", ())):
        raise _invalid(f"Invalid tag pattern provided: more than {MAX_WILDCARDS} '*'")


def _check_count(selection: Mapping[str, Any], action: str) -> None:
    count_type, unit = selection["countType"], selection.get("countUnit")
    storage_class = selection.get("storageClass", "standard")
    if count_type not in _COUNT_TYPES:
        raise _no_schema(f"countType is one of {', '.join(_COUNT_TYPES)}")
    _check_value(storage_class, ("archive", "standard"))
    is_archived = count_type == "sinceImageTransitioned"
    _check_number(selection["countNumber"], MIN_DAYS_ARCHIVED if is_archived else 1)
    if count_type == "imageCountMoreThan" and "countUnit" in selection:
        raise _no_schema("countUnit goes with a countType that counts days")
    if count_type != "imageCountMoreThan" and unit != "days":
        raise _no_schema(f"{count_type} needs the countUnit days")
    if is_archived != (storage_class == "archive"):
        raise _no_schema("sinceImageTransitioned goes with the storageClass archive, and no other countType does")
    if count_type == "sinceImagePulled" and action != "transition":
        raise _no_schema("sinceImagePulled goes with a transition only")
    if is_archived and action != "expire":
        raise _no_schema("sinceImageTransitioned goes with expire only")


def _check_together(rules: list[Any]) -> None:
    priorities = [rule["rulePriority"] for rule in rules]
    if len(set(priorities)) != len(priorities):
        raise _invalid("Duplicate priority in multiple rules.")
    for storage_class in ("standard", "archive"):
        of_class = [rule for rule in rules if rule["selection"].get("storageClass", "standard") == storage_class]
        lowest = max((rule["rulePriority"] for rule in of_class), default=None)
        selections = [rule["selection"] for rule in of_class]
        for rule in of_class:
            if rule["selection"]["tagStatus"] == "any" and rule["rulePriority"] != lowest:
                raise _invalid("Rule for tagStatus=ANY must have the lowest priority per storage class.")
        if [one["tagStatus"] for one in selections].count("untagged") > 1:
            raise _invalid("Only one rule can select Untagged images per storage class.")
        chosen = [(name, frozenset(one[name])) for one in selections for name in _TAG_LISTS if name in one]
        if len(set(chosen)) != len(chosen):
            raise _invalid("Duplicate tag prefixes or patterns in multiple rules per storage class.")


def _check_members(given: Mapping[str, Any], *, required: Iterable[str], allowed: Iterable[str]) -> None:
    missing = sorted(set(required) - set(given))
    if missing:
        raise _invalid(f"object has missing required properties ({_listed(missing)})")
    unknown = sorted(set(given) - set(allowed))
    if unknown:
        raise _invalid(f"object instance has properties which are not allowed by the schema: ({_listed(unknown)})")


def _check_value(value: Any, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise _invalid(f"instance value ({json.dumps(value)}) not found in enum (possible values: {_listed(allowed)})")


def _check_number(value: Any, least: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        raise _wrong_type(value, "integer")
    if value < least:
        raise _invalid(f"numeric instance is lower than the required minimum (minimum: {least}, found: {value})")
    if value > MAX_INTEGER:
        raise _invalid(_UNMAPPED)


def _typed(value: Any, expected: type, name: str) -> Any:
    if not isinstance(value, expected):
        raise _wrong_type(value, name)
    return value


def _wrong_type(value: Any, allowed: str) -> EcrError:
    names = {dict: "object", list: "array", str: "string", bool: "boolean", int: "integer", float: "number"}
    found = names.get(type(value), "null")
    return _invalid(f'instance type ({found}) does not match any allowed primitive type (allowed: ["{allowed}"])')


def _listed(values: Iterable[str]) -> str:
    return json.dumps(list(values), separators=(",", ":"))


def _no_schema(what: str) -> EcrError:
    return _invalid(f"instance failed to match exactly one schema (matched 0 out of 2): {what}")


def _invalid(reason: str) -> EcrError:
    return invalid_parameter("LifecyclePolicyText", f"Lifecycle policy validation failure: {reason}")
