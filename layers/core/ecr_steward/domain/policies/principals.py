"""Whom a statement speaks about, in every spelling that AWS takes ("AWS JSON policy elements: Principal", IAM guide).

What is spelled in no way that the guide knows is kept as it is.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

_ACCOUNT = re.compile(r"[0-9]{12}")
_ARN = re.compile(r"arn:(?P<partition>[a-z-]+):(?:iam|sts)::(?P<account>[0-9]{12}):(?P<resource>.+)", re.DOTALL)
_UNIQUE_ID = re.compile(r"A(?:ROA|IDA|GPA|NPA|IPA)[A-Z0-9]{8,28}")


class Kind(StrEnum):
    """What a principal is."""

    EVERYBODY = "everybody"
    ACCOUNT = "account"
    IDENTITY = "identity"
    """A role, a user or a session of one account."""
    DELETED = "deleted principal"
    """A unique id: AWS puts it in place of a role or user that was deleted, and refuses it in a new document."""
    SERVICE = "service"
    FEDERATED = "federated"
    CANONICAL_USER = "canonical user"
    OTHER = "other"
    """Written in no way that the guide knows."""


@dataclass(frozen=True, order=True)
class Principal:
    """One principal; equal where AWS takes both for the same one."""

    kind: Kind
    name: str
    account: str | None = None

    def __str__(self) -> str:
        return "everybody" if self.kind is Kind.EVERYBODY else self.name


EVERYBODY = Principal(Kind.EVERYBODY, "*")


def read_principals(value: Any) -> frozenset[Principal]:
    """The principals that a ``Principal`` or ``NotPrincipal`` names."""
    return frozenset(principal for _, _, principal in _entries(value))


def without(value: Any, unwanted: frozenset[Principal]) -> Any:
    """The same element without some principals; ``None`` where nobody is left."""
    left: dict[str | None, list[Any]] = {}
    for key, text, principal in _entries(value):
        if principal not in unwanted:
            left.setdefault(key, []).append(text)
    if None in left:
        return left[None][0]
    return {key: texts[0] if len(texts) == 1 else texts for key, texts in left.items()} or None


def spelled(principals: frozenset[Principal], *, short: bool) -> Any:
    """An element that names exactly these, which ``read_principals`` gave; ``short`` in as few characters as AWS takes.

    ``None`` where one of them cannot be written anew.
    """
    if principals == {EVERYBODY}:
        return "*"
    keys = {Kind.SERVICE: "Service", Kind.FEDERATED: "Federated", Kind.CANONICAL_USER: "CanonicalUser"}
    element: dict[str, list[str]] = {}
    for principal in sorted(principals):
        if principal.kind is Kind.OTHER or (principal.kind is Kind.ACCOUNT and not short):
            return None
        element.setdefault(keys.get(principal.kind, "AWS"), []).append(principal.name)
    return {key: names[0] if len(names) == 1 else names for key, names in element.items()}


def _entries(value: Any) -> Iterator[tuple[str | None, Any, Principal]]:
    """Each principal with the key and the text under which it is written."""
    if value == "*":
        yield None, value, EVERYBODY
    elif isinstance(value, Mapping):
        for key, names in value.items():
            for name in names if isinstance(names, list | tuple) else [names]:
                yield key, name, _principal(key, name)
    else:
        yield None, value, Principal(Kind.OTHER, _text(value))


def _principal(key: str, name: Any) -> Principal:
    if not isinstance(name, str):
        return Principal(Kind.OTHER, f"{key}: {_text(name)}")
    match key:
        case "AWS":
            return _aws(name)
        case "Service":
            return Principal(Kind.SERVICE, name)
        case "Federated":
            arn = _ARN.fullmatch(name)
            return Principal(Kind.FEDERATED, name, arn["account"] if arn else None)
        case "CanonicalUser":
            return Principal(Kind.CANONICAL_USER, name)
    return Principal(Kind.OTHER, f"{key}: {name}")


def _aws(name: str) -> Principal:
    if name == "*":
        return EVERYBODY
    if _ACCOUNT.fullmatch(name):
        return Principal(Kind.ACCOUNT, name, name)
    if arn := _ARN.fullmatch(name):
        if arn["resource"] == "root":  # the account's id means the same
            return Principal(Kind.ACCOUNT, arn["account"], arn["account"])
        return Principal(Kind.IDENTITY, name, arn["account"])
    if _UNIQUE_ID.fullmatch(name):
        return Principal(Kind.DELETED, name)
    return Principal(Kind.OTHER, f"AWS: {name}")


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
