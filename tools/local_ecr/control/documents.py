"""The grammar of a repository policy, as strict as ECR's, and how it is read back."""

from __future__ import annotations

import json
from typing import Any

from local_ecr.errors import invalid_parameter
from local_ecr.strict_json import read_object

_STATEMENT_KEYS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)


def check_repository_policy(text: str, *, reformat: bool) -> str:
    """The policy as it will be read back. Raises EcrError InvalidParameterException."""
    document = read_object(text)
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
