"""The Principal and NotPrincipal elements: how closely a statement of a resource policy names who calls.

Source: IAM user guide, "AWS JSON policy elements: Principal" and "AWS JSON policy elements: NotPrincipal".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from local_ecr.iam.calls import Principal, UnsupportedPolicyError
from local_ecr.iam.conditions import as_list

KINDS = ("AWS", "Service", "Federated", "CanonicalUser")

_AWS_NAME = re.compile(r"\*|[0-9]{12}|arn:[a-z-]+:(iam|sts)::[^*]+|A[A-Z0-9]{15,}")
"""Everybody, an account, an ARN, or the id that stands for a user or role that was deleted."""

_ACCOUNT = re.compile(r"[0-9]{12}|arn:[a-z-]+:iam::([0-9]{12}):root")


class Naming(IntEnum):
    """How a principal is named; the greater is the closer."""

    NOBODY = 0
    ACCOUNT = 1
    """By its account, which leaves the decision to that account's identity policies."""
    ROLE = 2
    """A session by its role: a permission boundary still limits what is allowed so."""
    DIRECTLY = 3
    """A user, a session, a root or a service by itself, or everybody: no boundary limits what is allowed so."""


@dataclass(frozen=True)
class PrincipalElement:
    """Principal, or its opposite."""

    is_opposite: bool
    names: Mapping[str, frozenset[str]]
    """By kind; an account is written as its 12 digits."""

    def naming(self, principal: Principal) -> Naming:
        """How the statement names a principal."""
        named = self._named(principal)
        if not self.is_opposite:
            return named
        return Naming.NOBODY if self._is_excepted(principal, named) else Naming.DIRECTLY

    def _named(self, principal: Principal) -> Naming:
        names = self.names.get(principal.kind, frozenset())
        if "*" in self.names.get("AWS", ()) or principal.name in names:
            return Naming.DIRECTLY
        if principal.kind != "AWS":
            return Naming.NOBODY
        if principal.role_arn in names:
            return Naming.ROLE
        if principal.account in names:
            return Naming.DIRECTLY if principal.name.endswith(":root") else Naming.ACCOUNT
        return Naming.NOBODY

    def _is_excepted(self, principal: Principal, named: Naming) -> bool:
        """Whether NotPrincipal leaves a principal alone: the account must be listed, and the user or role as well.

        Nobody who has a permission boundary is left alone, whatever is listed.
        """
        names = self.names["AWS"]
        if principal.is_bounded:
            return False
        if principal.kind != "AWS" or "*" in names:
            return named > Naming.NOBODY
        is_root = principal.name.endswith(":root")
        return principal.account in names and (is_root or (principal.role_arn or principal.name) in names)

    def __str__(self) -> str:
        told = [name for kind in KINDS for name in sorted(self.names.get(kind, ()))]
        return ("everybody but " if self.is_opposite else "") + ", ".join(told)


def read_principals(statement: Mapping[str, Any]) -> PrincipalElement | None:
    """The element of a statement; None when it has neither. Raises UnsupportedPolicyError."""
    if "Principal" not in statement and "NotPrincipal" not in statement:
        return None
    is_opposite = "NotPrincipal" in statement
    if is_opposite and ("Principal" in statement or statement.get("Effect") != "Deny"):
        raise UnsupportedPolicyError("NotPrincipal stands alone and with the effect Deny only")
    written = statement["NotPrincipal" if is_opposite else "Principal"]
    if written == "*":
        return PrincipalElement(is_opposite, {"AWS": frozenset("*")})
    if not isinstance(written, Mapping) or not written or set(written) - set(KINDS):
        raise UnsupportedPolicyError(f"not a principal: {str(written)[:100]}")
    names = {"AWS": frozenset[str](), **{kind: frozenset(map(_name, as_list(some))) for kind, some in written.items()}}
    if not any(names.values()):
        raise UnsupportedPolicyError("a principal names nobody")
    for kind, some in names.items():
        for name in some:
            if "*" in name and (name != "*" or kind != "AWS"):
                raise UnsupportedPolicyError(f"a wildcard cannot match part of a principal: {name[:100]}")
            if kind == "AWS" and not _AWS_NAME.fullmatch(name):
                raise UnsupportedPolicyError(f"neither an account nor an ARN of a principal: {name[:100]}")
    return PrincipalElement(is_opposite, names)


def _name(written: Any) -> str:
    if not isinstance(written, str):
        raise UnsupportedPolicyError(f"not a principal: {str(written)[:100]}")
    account = _ACCOUNT.fullmatch(written)
    return (account[1] or written) if account else written
