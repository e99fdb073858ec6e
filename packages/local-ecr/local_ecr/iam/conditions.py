"""The Condition element of a policy statement.

Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context
keys".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local_ecr.iam.calls import UNKNOWN, Context, UnsupportedPolicyError
from local_ecr.iam.operators import OPERATORS, OPPOSITES
from local_ecr.iam.patterns import Matcher

SET_OPERATORS = ("ForAllValues", "ForAnyValue")

_SEVERAL = frozenset(
    f"aws:{name}"
    for name in (
        "calledvia",
        "principalorgpaths",
        "principalservicenameslist",
        "resourceorgpaths",
        "sourceorgpaths",
        "tagkeys",
        "vpceorgpaths",
    )
)
"""Keys that have several values by their definition: they need a set operator."""


@dataclass(frozen=True)
class Test:
    """One operator on one key."""

    __test__ = False  # for pytest, which takes every class of this name for its own

    operator: str
    """As written: `ForAnyValue:StringLikeIfExists`."""
    key: str
    wanted: tuple[str, ...]
    matchers: tuple[Matcher, ...]
    over: str | None
    is_opposite: bool
    if_exists: bool

    def holds(self, keys: Context) -> bool:
        """Whether the request's condition keys, in lower case, pass. Raises UnsupportedPolicyError."""
        value = keys.get(self.key.lower())
        if self.operator == "Null":
            return str(not value and value != "").lower() in self.wanted
        if value is UNKNOWN:
            raise UnsupportedPolicyError(f"it is not known here what {self.key} is")
        if value is None:
            # Nothing to compare: true for IfExists, for all of no values, and for what is not to be equal.
            return self.if_exists or self.over == "ForAllValues" or (self.over is None and self.is_opposite)
        if self.over is None:
            if not isinstance(value, str):
                raise _needs_set_operator(self.key, self.operator)
            return self._matches(value, keys)
        values = [one for one in ([value] if isinstance(value, str) else value) if one]
        return (all if self.over == "ForAllValues" else any)(self._matches(one, keys) for one in values)

    def _matches(self, value: str, keys: Context) -> bool:
        return any(matches(value, keys) for matches in self.matchers) is not self.is_opposite


def read_conditions(conditions: Any, *, has_variables: bool) -> tuple[Test, ...]:
    """The Condition element, of which every test must hold. Raises UnsupportedPolicyError for what is not known."""
    return tuple(
        _test(operator, key, _texts(operator, key, wanted), has_variables=has_variables)
        for operator, block in _block("Condition", conditions).items()
        for key, wanted in _block(operator, block).items()
    )


def _block(name: str, written: Any) -> Mapping[str, Any]:
    if not isinstance(written, Mapping):
        raise UnsupportedPolicyError(f"{name} is no JSON object")
    return written


def _texts(operator: str, key: str, written: Any) -> tuple[str, ...]:
    """The values that are wanted: texts, or JSON's booleans and numbers, which may stand without quotes."""
    values = as_list(written)
    if not values or not all(isinstance(one, (str, bool, int, float)) for one in values):
        raise UnsupportedPolicyError(f"{operator} {key}: not one value or several: {str(written)[:100]}")
    return tuple(str(one).lower() if isinstance(one, bool) else str(one) for one in values)


def _test(operator: str, key: str, wanted: tuple[str, ...], *, has_variables: bool) -> Test:
    if operator == "Null":
        folded = tuple(text.lower() for text in wanted)
        if not set(folded) <= {"true", "false"}:
            raise UnsupportedPolicyError(f"Null {key}: {wanted} is neither true nor false")
        return Test(operator, key, folded, (), None, is_opposite=False, if_exists=False)
    over, _, name = operator.rpartition(":")
    plain = name.removesuffix("IfExists")
    compare = OPERATORS.get(OPPOSITES.get(plain, plain))
    if (over and over not in SET_OPERATORS) or compare is None:
        raise UnsupportedPolicyError(f"condition operator {operator} is not evaluated here")
    if not over and key.lower() in _SEVERAL:
        raise _needs_set_operator(key, operator)
    return Test(
        operator,
        key,
        wanted,
        tuple(compare(text, has_variables) for text in wanted),
        over or None,
        is_opposite=plain in OPPOSITES,
        if_exists=plain != name,
    )


def _needs_set_operator(key: str, operator: str) -> UnsupportedPolicyError:
    return UnsupportedPolicyError(f"{key} has several values: {operator} needs ForAllValues or ForAnyValue")


def as_list(value: Any) -> Sequence[Any]:
    """A policy may leave out the brackets around one element."""
    return list(value) if isinstance(value, (list, tuple)) else [value]
