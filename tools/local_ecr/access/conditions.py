"""The Condition element of a policy statement.

Source: IAM user guide, "IAM JSON policy elements: Condition operators" and "Set operators for multivalued context
keys".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

type Context = Mapping[str, str | Sequence[str]]
"""Condition keys, such as aws:SourceArn, in any case. A key that may have several values has a list of them."""

SET_OPERATORS = ("ForAllValues", "ForAnyValue")


class UnsupportedPolicyError(ValueError):
    """A policy uses something that this evaluation does not know; it is refused rather than guessed."""


def all_hold(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    """Whether every operator holds for every key. Raises UnsupportedPolicyError."""
    if not conditions:
        return True
    folded = {name.lower(): value for name, value in context.items()}
    return all(
        _holds(operator, folded.get(key.lower()), as_list(wanted), key)
        for operator, block in conditions.items()
        for key, wanted in block.items()
    )


def check_conditions(conditions: Mapping[str, Mapping[str, Any]]) -> None:
    """Find out at once what all_hold() would stumble over later. Raises UnsupportedPolicyError."""
    for operator, block in conditions.items():
        over, name, _ = _parts(operator)
        for key, wanted in block.items():
            if over is None and name != "Null" and key.lower() == "aws:tagkeys":
                raise UnsupportedPolicyError(f"{key} has several values: {operator} needs ForAllValues or ForAnyValue")
            for text in as_list(wanted):
                _without_variables(str(text))
                if name.startswith(("Numeric", "Date")):
                    _comparable(name)(str(text))


def _holds(operator: str, value: str | Sequence[str] | None, wanted: list[Any], key: str) -> bool:
    over, name, if_exists = _parts(operator)
    if name == "Null":
        return any(str(text).lower() == str(value is None).lower() for text in wanted)
    if value is None:
        # Nothing to compare: true for IfExists, for all of no values, and for what is not to be equal.
        return if_exists or over == "ForAllValues" or (over is None and name in _NEGATED)
    texts = [_without_variables(str(text)) for text in wanted]
    if over is None:
        if not isinstance(value, str):
            raise UnsupportedPolicyError(f"{key} has several values: {operator} needs ForAllValues or ForAnyValue")
        return _matches(name, texts, value)
    values = [value] if isinstance(value, str) else value
    return (all if over == "ForAllValues" else any)(_matches(name, texts, one) for one in values)


def _matches(name: str, wanted: Sequence[str], value: str) -> bool:
    if name in _NEGATED:
        return not any(_OPERATORS[_NEGATED[name]](text, value) for text in wanted)
    return any(_OPERATORS[name](text, value) for text in wanted)


def _parts(operator: str) -> tuple[str | None, str, bool]:
    """`ForAnyValue:StringLikeIfExists` in its three parts. Raises UnsupportedPolicyError."""
    over, _, name = operator.rpartition(":")
    plain = name.removesuffix("IfExists")
    if (over and over not in SET_OPERATORS) or plain not in {*_OPERATORS, *_NEGATED, "Null"}:
        raise UnsupportedPolicyError(f"condition operator {operator} is not evaluated here")
    return over or None, plain, plain != name


def like(wanted: str, value: str) -> bool:
    """Whether a value matches a text with `*` and `?`. Raises UnsupportedPolicyError."""
    return wildcards(wanted).fullmatch(value) is not None


@lru_cache(maxsize=1024)
def wildcards(text: str) -> re.Pattern[str]:
    """A text with `*` and `?` as a regular expression. Raises UnsupportedPolicyError for a policy variable."""
    known = _without_variables(text)
    escaped = "".join({"*": ".*", "?": "."}.get(character, re.escape(character)) for character in known)
    return re.compile(escaped, re.DOTALL)


@lru_cache(maxsize=1024)
def resource_wildcards(text: str) -> re.Pattern[str]:
    """The same for an ARN: only a `*` that ends one of its parts goes on beyond the colon behind it.

    IAM user guide, "IAM JSON policy elements: Resource". Raises UnsupportedPolicyError.
    """
    known = _without_variables(text)
    ending = re.sub(r"\*+(?=:|$)", "\0", known)
    escaped = "".join({"\0": ".*", "*": "[^:]*", "?": "[^:]"}.get(one, re.escape(one)) for one in ending)
    return re.compile(escaped, re.DOTALL)


def _without_variables(text: str) -> str:
    if "${" in text:
        raise UnsupportedPolicyError(f"policy variables are not evaluated here: {text}")
    return text


def _arn_like(wanted: str, value: str) -> bool:
    """The six parts of an ARN are compared one by one: `*` never reaches over a colon before the last part."""
    wanted_parts, value_parts = wanted.split(":", 5), value.split(":", 5)
    return len(wanted_parts) == len(value_parts) == 6 and all(map(like, wanted_parts, value_parts))


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation as cause:
        raise UnsupportedPolicyError(f"{text!r} is no number") from cause


def _moment(text: str) -> datetime:
    """A date of ISO 8601, or seconds since 1970."""
    try:
        moment = datetime.fromtimestamp(float(text), UTC) if text.isdecimal() else datetime.fromisoformat(text)
    except (ValueError, OverflowError) as cause:
        raise UnsupportedPolicyError(f"{text!r} is no date") from cause
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _comparable(operator: str) -> Callable[[str], Any]:
    return _number if operator.startswith("Numeric") else _moment


def _comparing(read: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> Callable[[str, str], bool]:
    """An operator that holds for (value, wanted)."""
    return lambda wanted, value: holds(read(value), read(wanted))


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda value, wanted: value == wanted,
    "LessThan": lambda value, wanted: value < wanted,
    "LessThanEquals": lambda value, wanted: value <= wanted,
    "GreaterThan": lambda value, wanted: value > wanted,
    "GreaterThanEquals": lambda value, wanted: value >= wanted,
}
_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda wanted, value: wanted == value,
    "StringEqualsIgnoreCase": lambda wanted, value: wanted.lower() == value.lower(),
    "StringLike": like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
    "Bool": lambda wanted, value: wanted.lower() == value.lower(),
    **{
        kind + name: _comparing(_comparable(kind), holds)
        for kind in ("Numeric", "Date")
        for name, holds in _COMPARISONS.items()
    },
}
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}


def as_list(value: Any) -> list[Any]:
    """A policy may leave out the brackets around one element."""
    return list(value) if isinstance(value, (list, tuple)) else [value]
