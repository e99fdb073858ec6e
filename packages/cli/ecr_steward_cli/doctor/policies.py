"""Policy documents in one form, so that two that say the same are equal: a service does not always answer with the
words that it was given.

A single value is a list of one, order does not matter, an account as principal is its root, and names of condition
operators and keys are the same in small letters. IAM user guide, "IAM JSON policy elements reference".
"""

import re
from collections.abc import Mapping
from typing import Any, Final

_LISTED: Final = frozenset({"Action", "NotAction", "Resource", "NotResource"})


def normal_policy(document: Any) -> Any:
    """A policy document in that form; anything else as it is."""
    if not isinstance(document, Mapping) or "Statement" not in document:
        return document
    statements = document["Statement"]
    listed = statements if isinstance(statements, list) else [statements]
    return {"Statement": sorted((normal_statement(one) for one in listed), key=repr)}


def normal_statement(statement: Mapping[str, Any]) -> Mapping[str, Any]:
    """One statement in that form."""
    return {name: _element(name, value) for name, value in sorted(statement.items())}


def _element(name: str, value: Any) -> Any:
    if name in _LISTED:
        return _sorted(value)
    if name in {"Principal", "NotPrincipal"}:
        return _principal(value)
    if name == "Condition":
        return {
            operator.lower(): {key.lower(): _sorted(one) for key, one in sorted(keys.items())}
            for operator, keys in sorted(value.items())
        }
    return value


def _principal(value: Any) -> Any:
    """``"*"`` and ``{"AWS": "*"}`` are the same."""
    if not isinstance(value, Mapping):
        return {"AWS": _sorted(value)}
    return {kind: _sorted([_root(one) for one in _list(names)]) for kind, names in sorted(value.items())}


def _root(name: str) -> str:
    """An account's id for the ARN of its root, in whatever partition."""
    match = re.fullmatch(r"arn:[a-z-]+:iam::([0-9]{12}):root", name)
    return match[1] if match else name


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _sorted(value: Any) -> list[str]:
    return sorted(str(one).lower() if isinstance(one, bool) else str(one) for one in _list(value))
