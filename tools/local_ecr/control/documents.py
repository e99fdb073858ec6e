"""The grammar of the two documents that a repository carries, as strict as ECR's, and how they are read back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from local_ecr.errors import EcrError, invalid_parameter
from local_ecr.strict_json import InvalidJsonError, read_json

MAX_RULES = 50
MAX_WILDCARDS = 4
# a tuple, as every list of values here: what is asked for may be a list or an object, which no set can be asked for
_COUNT_TYPES = ("imageCountMoreThan", "sinceImagePushed", "sinceImagePulled", "sinceImageTransitioned")
_STATEMENT_KEYS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_RULE_KEYS = frozenset({"rulePriority", "description", "selection", "action"})
_SELECTION_KEYS = frozenset(
    {"tagStatus", "tagPatternList", "tagPrefixList", "storageClass", "countType", "countUnit", "countNumber"}
)


def check_repository_policy(text: str, *, reformat: bool) -> str:
    """The policy as it will be read back. Raises EcrError InvalidParameterException."""
    document = _read_object(text)
    statements = document.get("Statement") if document else None
    if isinstance(statements, dict):
        statements = [statements]
    valid = (
        document is not None
        and set(document) <= {"Version", "Id", "Statement"}
        and document.get("Version", "2008-10-17") in ("2008-10-17", "2012-10-17")
        and isinstance(statements, list)
        and len(statements) > 0
        and all(_is_statement(statement) for statement in statements)
    )
    if not valid:
        raise invalid_parameter("PolicyText", "Invalid repository policy provided")
    return pretty(document) if reformat else text


def _is_statement(statement: Any) -> bool:
    if not isinstance(statement, dict) or not set(statement) <= _STATEMENT_KEYS:
        return False
    if statement.get("Effect") not in ("Allow", "Deny"):
        return False
    if ("Action" in statement) == ("NotAction" in statement):
        return False
    if ("Principal" in statement) == ("NotPrincipal" in statement):
        return False
    actions = _texts(statement.get("Action", statement.get("NotAction")))
    resources = [statement[element] for element in ("Resource", "NotResource") if element in statement]
    return (
        bool(actions)
        and all(action == "*" or action.startswith("ecr:") for action in actions)
        and _is_principal(statement.get("Principal", statement.get("NotPrincipal")))
        and all(_texts(resource) for resource in resources)
        and _is_condition(statement.get("Condition", {}))
    )


def _texts(value: Any) -> list[str]:
    """A text or a list of texts; empty for anything else."""
    listed = value if isinstance(value, list) else [value]
    return listed if all(isinstance(one, str) for one in listed) else []


def _is_principal(value: Any) -> bool:
    return value == "*" or (isinstance(value, dict) and len(value) > 0 and all(map(_texts, value.values())))


def _is_condition(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(block, dict) for block in value.values())


def pretty(value: Any, indent: int = 0) -> str:
    """JSON in the white space of ECR's policies: `"Key" : value`, two blanks a level, lists on one line."""
    if isinstance(value, dict) and value:
        pad = "  " * (indent + 1)
        members = (f"{pad}{json.dumps(key)} : {pretty(item, indent + 1)}" for key, item in value.items())
        return "{\n" + ",\n".join(members) + "\n" + "  " * indent + "}"
    if isinstance(value, list) and value:
        return "[ " + ", ".join(pretty(item, indent) for item in value) + " ]"
    if value in ({}, []):
        return "{ }" if isinstance(value, dict) else "[ ]"
    return json.dumps(value, ensure_ascii=False)


def check_lifecycle_policy(text: str) -> str:
    """The policy as it will be read back. Raises EcrError InvalidParameterException with the first fault."""
    document = _read_object(text)
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


def _read_object(text: str) -> dict[str, Any] | None:
    try:
        document = read_json(text)
    except InvalidJsonError:
        return None
    return document if isinstance(document, dict) else None


def _invalid_lifecycle(reason: str) -> EcrError:
    return invalid_parameter("LifecyclePolicyText", f"Lifecycle policy validation failure: {reason}")
