"""The grammar of repository and registry policies, as strict as ECR's, and how they are read back."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from local_ecr.errors import EcrError, invalid_parameter
from local_ecr.strict_json import read_object

_STATEMENT_KEYS = frozenset(
    {"Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_ALL_ACTIONS = frozenset({"*", "ecr:*"})
_OF_NO_REPOSITORY = "ecr:getauthorizationtoken"
"""An action that ECR takes in no repository policy (github.com/cloudposse/terraform-aws-ecr/pull/67)."""
_PRINCIPALS = {
    "AWS": re.compile(
        r"\*|[0-9]{12}|arn:[a-z-]+:iam::[0-9]{12}:(root|(user|role)/[\w+=,.@/-]+)"
        r"|arn:[a-z-]+:sts::[0-9]{12}:(assumed-role|federated-user)/[\w+=,.@/-]+",
        re.ASCII,
    ),
    "Service": re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?"),
}


def check_repository_policy(text: str, *, reformat: bool) -> str:
    """The policy as it will be read back. Raises EcrError InvalidParameterException."""
    document, statements = _read(text)
    if document is None or not statements or not all(_is_repository_statement(statement) for statement in statements):
        raise invalid_parameter("PolicyText", "Invalid repository policy provided")
    _require_principals(statements)
    return pretty(without_lists_of_one(document)) if reformat else text


def check_registry_policy(text: str, *, actions: Collection[str] | None, reformat: bool) -> str:
    """The same for a registry, whose statements name resources. `actions`: all that it knows; None for any of ECR's.

    Raises EcrError InvalidParameterException, in ECR's words (repost.aws/questions/QUotxPDrRVT2ikDhEV92zQwA).
    """
    document, statements = _read(text)
    if (
        document is None
        or not statements
        or not all(_is_registry_statement(statement, actions) for statement in statements)
    ):
        raise invalid_parameter("PolicyText", "Invalid registry policy provided")
    _require_principals(statements)
    return pretty(document) if reformat else text


def _read(text: str) -> tuple[dict[str, Any] | None, Sequence[Any]]:
    """The policy and its statements; None for what is no policy."""
    document = read_object(text)
    if (
        document is None
        or not set(document) <= {"Version", "Id", "Statement"}
        or document.get("Version", "2008-10-17") not in ("2008-10-17", "2012-10-17")
        or not isinstance(document.get("Id", ""), str)
    ):
        return None, []
    statements = document.get("Statement")
    if isinstance(statements, dict):
        return document, [statements]
    return document, statements if isinstance(statements, list) else []


def _is_repository_statement(statement: Any) -> bool:
    return _is_statement(statement) and all(action.lower() != _OF_NO_REPOSITORY for action in _actions(statement))


def _is_registry_statement(statement: Any, actions: Collection[str] | None) -> bool:
    if not _is_statement(statement) or ("Resource" in statement) == ("NotResource" in statement):
        return False
    return actions is None or all(action in actions or action in _ALL_ACTIONS for action in _actions(statement))


def _is_statement(statement: Any) -> bool:
    if not isinstance(statement, dict) or not set(statement) <= _STATEMENT_KEYS:
        return False
    if statement.get("Effect") not in ("Allow", "Deny") or not isinstance(statement.get("Sid", ""), str):
        return False
    if ("Action" in statement) == ("NotAction" in statement):
        return False
    if ("Principal" in statement) == ("NotPrincipal" in statement):
        return False
    actions = _actions(statement)
    resources = [statement[element] for element in ("Resource", "NotResource") if element in statement]
    return (
        bool(actions)
        and all(action == "*" or action.startswith("ecr:") for action in actions)
        and _is_principal(statement.get("Principal", statement.get("NotPrincipal")))
        and all(_texts(resource) for resource in resources)
        and _is_condition(statement.get("Condition", {}))
    )


def _actions(statement: Mapping[str, Any]) -> list[str]:
    return _texts(statement.get("Action", statement.get("NotAction")))


def _require_principals(statements: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a principal that nobody can be. In ECR's words: github.com/hashicorp/terraform-provider-aws/issues/39064.

    Whether a user or role of this name exists is not asked: ECR asks IAM, which is not here.
    """
    for statement in statements:
        principals = statement.get("Principal", statement.get("NotPrincipal"))
        for kind, names in principals.items() if isinstance(principals, dict) else ():
            form = _PRINCIPALS.get(kind)
            if form is not None and not all(form.fullmatch(name) for name in _texts(names)):
                raise _principal_not_found()


def _principal_not_found() -> EcrError:
    return invalid_parameter("PolicyText", "Principal not found")


def _texts(value: Any) -> list[str]:
    """A text or a list of texts; empty for anything else."""
    listed = value if isinstance(value, list) else [value]
    return listed if all(isinstance(one, str) for one in listed) else []


def _is_principal(value: Any) -> bool:
    return value == "*" or (isinstance(value, dict) and len(value) > 0 and all(map(_texts, value.values())))


def _is_condition(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(block, dict) and all(map(_is_wanted, block.values())) for block in value.values()
    )


def _is_wanted(value: Any) -> bool:
    """A value to compare with, or a list of them; JSON's booleans and numbers may stand without quotes."""
    listed = value if isinstance(value, list) else [value]
    return len(listed) > 0 and all(isinstance(one, (str, bool, int, float)) for one in listed)


def without_lists_of_one(document: dict[str, Any]) -> dict[str, Any]:
    """A policy in AWS's canonical form: a list of one text in a statement is the text; statements stay a list."""
    statements = document.get("Statement")
    if not isinstance(statements, list):
        return document
    return {**document, "Statement": [_without_lists_of_one(one) for one in statements]}


def _without_lists_of_one(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_lists_of_one(inner) for key, inner in value.items()}
    return value[0] if isinstance(value, list) and len(value) == 1 else value


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
