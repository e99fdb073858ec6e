"""One statement of a policy, read once and then asked about many calls.

Source: IAM user guide, "IAM JSON policy elements reference".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local_ecr.iam.calls import Call, Context, UnsupportedPolicyError
from local_ecr.iam.conditions import Test, as_list, read_conditions
from local_ecr.iam.naming import Naming, PrincipalElement, read_principals
from local_ecr.iam.patterns import Matcher, like, like_resource, matcher

KNOWN_ELEMENTS = frozenset(
    ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"]
)
_VERSIONS = ("2008-10-17", "2012-10-17")
"""Of the policy language; the second has variables."""


@dataclass(frozen=True)
class Element:
    """Action or Resource, or its opposite. Texts without a wildcard are looked up, the others tried one by one."""

    name: str
    texts: tuple[str, ...]
    exact: frozenset[str]
    matchers: tuple[Matcher, ...]

    @property
    def is_opposite(self) -> bool:
        """Whether it is NotAction or NotResource."""
        return self.name.startswith("Not")

    def matches(self, value: str, keys: Context) -> bool:
        """Whether the statement is about this action or resource. Raises UnsupportedPolicyError."""
        is_listed = value in self.exact or any(matches(value, keys) for matches in self.matchers)
        return is_listed is not self.is_opposite


@dataclass(frozen=True)
class Statement:
    """Of a policy: what it allows or denies, to whom, and on which conditions."""

    name: str
    """Its Sid, or without one its number in the policy."""
    is_deny: bool
    principals: PrincipalElement | None
    actions: Element
    resources: Element | None
    """None: the resource that the policy belongs to."""
    tests: tuple[Test, ...]
    needs_keys: bool
    """Whether it asks for anything else about the request: a condition key, or what fills a variable."""

    def naming(self, call: Call, *, is_of_identity: bool) -> Naming:
        """NOBODY when the statement is not about this call, else how it names the caller; DIRECTLY for an identity's.

        Raises UnsupportedPolicyError.
        """
        self.check_kind(is_of_identity=is_of_identity)
        keys = call.keys if self.needs_keys else {}
        if not self.actions.matches(call.folded_action, keys):
            return Naming.NOBODY
        if self.resources is not None and not self.resources.matches(call.resource, keys):
            return Naming.NOBODY
        naming = Naming.DIRECTLY
        if not is_of_identity and call.principal is not None and self.principals is not None:
            naming = self.principals.naming(call.principal)
        return naming if naming and all(test.holds(keys) for test in self.tests) else Naming.NOBODY

    def check_kind(self, *, is_of_identity: bool) -> None:
        """Whether it has what statements of its kind of policy need. Raises UnsupportedPolicyError."""
        if is_of_identity and self.resources is None:
            raise UnsupportedPolicyError("a statement of an identity policy names no Resource")
        if is_of_identity and self.principals is not None:
            raise UnsupportedPolicyError("a statement of an identity policy names a principal")
        if not is_of_identity and self.principals is None:
            raise UnsupportedPolicyError("a statement of a resource policy names no Principal")


def read_statements(document: Mapping[str, Any]) -> tuple[Statement, ...]:
    """The statements of a policy document. Raises UnsupportedPolicyError for what is not known here."""
    if unknown := document.keys() - {"Version", "Id", "Statement"}:
        raise UnsupportedPolicyError(f"policy elements {', '.join(sorted(unknown))} are not evaluated here")
    version = document.get("Version", _VERSIONS[0])
    if version not in _VERSIONS:
        raise UnsupportedPolicyError(f"Version {version!r} is none of {', '.join(_VERSIONS)}")
    if "Statement" not in document:
        raise UnsupportedPolicyError("a policy has no Statement")
    return tuple(
        _statement(written, str(number), has_variables=version == _VERSIONS[1])
        for number, written in enumerate(as_list(document["Statement"]), start=1)
    )


def _statement(written: Any, number: str, *, has_variables: bool) -> Statement:
    if not isinstance(written, Mapping):
        raise UnsupportedPolicyError("a statement is no JSON object")
    if unknown := written.keys() - KNOWN_ELEMENTS:
        raise UnsupportedPolicyError(f"statement elements {', '.join(sorted(unknown))} are not evaluated here")
    if written.get("Effect") not in ("Allow", "Deny"):
        raise UnsupportedPolicyError(f"Effect {written.get('Effect')!r} is neither Allow nor Deny")
    actions = _element(written, "Action", _action)
    if actions is None:
        raise UnsupportedPolicyError("a statement names no Action")
    principals = read_principals(written)
    completes = principals is None
    resources = _element(
        written, "Resource", lambda text: _resource(text, has_variables=has_variables, completes=completes)
    )
    tests = read_conditions(written.get("Condition", {}), has_variables=has_variables)
    return Statement(
        name=str(written.get("Sid") or number),
        is_deny=written["Effect"] == "Deny",
        principals=principals,
        actions=actions,
        resources=resources,
        tests=tests,
        needs_keys=bool(tests) or any("${" in text for text in (resources.texts if resources else ())),
    )


def _element(written: Mapping[str, Any], name: str, read: Callable[[str], Matcher | None]) -> Element | None:
    """The element, or its opposite; None when the statement has neither."""
    names = [one for one in (name, f"Not{name}") if one in written]
    if len(names) > 1:
        raise UnsupportedPolicyError(f"a statement has both {name} and Not{name}")
    if not names:
        return None
    texts = tuple(as_list(written[names[0]]))
    if not texts or not all(isinstance(one, str) for one in texts):
        raise UnsupportedPolicyError(f"{names[0]} is not one text or several: {str(written[names[0]])[:100]}")
    matchers = {text: read(text) for text in texts}
    exact = (text.lower() if name == "Action" else text for text, found in matchers.items() if found is None)
    return Element(names[0], texts, frozenset(exact), tuple(found for found in matchers.values() if found is not None))


def _action(text: str) -> Matcher | None:
    if "${" in text:
        raise UnsupportedPolicyError(f"an Action has no policy variables: {text}")
    folded = text.lower()
    return matcher(folded, like, has_variables=False) if "*" in folded or "?" in folded else None


def _resource(text: str, *, has_variables: bool, completes: bool) -> Matcher | None:
    """`completes`: in an identity policy an ARN without all of its six parts has wildcards for the missing ones.

    Source: IAM user guide, "IAM identifiers", on incomplete ARNs.
    """
    if completes and text.startswith("arn:"):
        text += ":*" * (5 - text.count(":"))
    if has_variables and "${" in ":".join(text.split(":", 5)[:5]) and text.startswith("arn:"):
        raise UnsupportedPolicyError(f"only the last part of an ARN may have a policy variable: {text}")
    if not ("*" in text or "?" in text or (has_variables and "${" in text)):
        return None
    return matcher(text, like_resource, has_variables=has_variables)
