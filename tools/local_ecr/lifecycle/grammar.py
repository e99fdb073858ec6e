"""The grammar of a lifecycle policy, as strict as ECR's, and how it is read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local_ecr.errors import EcrError, invalid_parameter
from local_ecr.strict_json import read_object

MAX_RULES = 50
MAX_WILDCARDS = 4
# a tuple, as every list of values here: what is asked for may be a list or an object, which no set can be asked for
_COUNT_TYPES = ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
_RULE_KEYS = frozenset({"rulePriority", "description", "selection", "action"})
_SELECTION_KEYS = frozenset(
    {"tagStatus", "tagPatternList", "tagPrefixList", "storageClass", "countType", "countUnit", "countNumber"}
)


def check_lifecycle_policy(text: str) -> str:
    """The policy as it will be read back. Raises EcrError InvalidParameterException with the first fault."""
    document = read_object(text)
    rules = document.get("rules") if document else None
    if document is None or not isinstance(rules, list) or set(document) != {"rules"}:
        raise _invalid_lifecycle("the policy is not a JSON object with 'rules' alone")
    if not 1 <= len(rules) <= MAX_RULES:
        raise _invalid_lifecycle(f"a policy has 1 to {MAX_RULES} rules")
    priorities = set()
    for rule in rules:
        _check_rule(rule)
        priorities.add(rule["rulePriority"])
    if len(priorities) != len(rules):
        raise _invalid_lifecycle("rulePriority is not unique")
    whole = [rule["rulePriority"] for rule in rules if rule["selection"]["tagStatus"] == "any"]
    if whole and max(whole) != max(priorities):
        raise _invalid_lifecycle("a rule with tagStatus 'any' must have the highest rulePriority")
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def _check_rule(rule: Any) -> None:
    if not isinstance(rule, dict) or not set(rule) <= _RULE_KEYS:
        raise _invalid_lifecycle(f"a rule has only {', '.join(sorted(_RULE_KEYS))}")
    if not _is_count(rule.get("rulePriority")):
        raise _invalid_lifecycle("rulePriority is not an integer of 1 or more")
    if not isinstance(rule.get("description", ""), str):
        raise _invalid_lifecycle("description is not a string")
    selection = rule.get("selection")
    if not isinstance(selection, dict) or not set(selection) <= _SELECTION_KEYS:
        raise _invalid_lifecycle(f"a selection has only {', '.join(sorted(_SELECTION_KEYS))}")
    _check_selected_tags(selection)
    _check_count(selection, _check_action(rule.get("action")))


def _check_action(action: Any) -> str:
    if action == {"type": "expire"}:
        return "expire"
    if action == {"type": "transition", "targetStorageClass": "archive"}:
        return "transition"
    raise _invalid_lifecycle("action is neither expire nor transition to archive")


def _check_selected_tags(selection: Mapping[str, Any]) -> None:
    status = selection.get("tagStatus")
    if status not in ("tagged", "untagged", "any"):
        raise _invalid_lifecycle("tagStatus is not tagged, untagged or any")
    given = [key for key in ("tagPatternList", "tagPrefixList") if key in selection]
    if status != "tagged":
        if given:
            raise _invalid_lifecycle(f"{given[0]} needs tagStatus tagged")
        return
    if len(given) != 1:
        raise _invalid_lifecycle("tagStatus tagged needs one of tagPatternList and tagPrefixList")
    values = selection[given[0]]
    if not isinstance(values, list) or not values or not all(isinstance(value, str) and value for value in values):
        raise _invalid_lifecycle(f"{given[0]} is not a list of strings")
    if given[0] == "tagPatternList" and any(value.count("*") > MAX_WILDCARDS for value in values):
        raise _invalid_lifecycle(f"a tag pattern has at most {MAX_WILDCARDS} '*'")


def _check_count(selection: Mapping[str, Any], action: str) -> None:
    count_type = selection.get("countType")
    if count_type not in _COUNT_TYPES:
        raise _invalid_lifecycle(f"countType is not one of {', '.join(sorted(_COUNT_TYPES))}")
    if not _is_count(selection.get("countNumber")):
        raise _invalid_lifecycle("countNumber is not an integer of 1 or more")
    unit = selection.get("countUnit")
    if count_type == "imageCountMoreThan" and unit is not None:
        raise _invalid_lifecycle("countUnit goes with a countType that counts days")
    if count_type != "imageCountMoreThan" and unit != "days":
        raise _invalid_lifecycle("countUnit is not days")
    if count_type == "sinceImagePulled" and action != "transition":
        raise _invalid_lifecycle("sinceImagePulled works only with a transition")
    storage_class = selection.get("storageClass", "standard")
    if storage_class not in ("standard", "archive"):
        raise _invalid_lifecycle("storageClass is not standard or archive")
    if (count_type == "sinceImageTransitioned") != (storage_class == "archive"):
        raise _invalid_lifecycle("sinceImageTransitioned goes with storageClass archive")


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _invalid_lifecycle(reason: str) -> EcrError:
    return invalid_parameter("LifecyclePolicyText", f"Lifecycle policy validation failure: {reason}")
