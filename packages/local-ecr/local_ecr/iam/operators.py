"""The condition operators: what each makes of a text of the policy.

Source: IAM user guide, "IAM JSON policy elements: Condition operators".
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from local_ecr.iam.calls import UnsupportedPolicyError
from local_ecr.iam.patterns import Matcher, equal, equal_in_any_case, like, like_arn, matcher

Operator = Callable[[str, bool], Matcher]
"""Reads a text of the policy (and whether it may have variables). Raises UnsupportedPolicyError."""


def _of_text(build: Any) -> Operator:
    """An operator on strings or ARNs: only these may have policy variables."""
    return lambda wanted, has_variables: matcher(wanted, build, has_variables=has_variables)


def _of_value(read: Callable[[str], Any], holds: Callable[[Any, Any], bool]) -> Operator:
    """An operator that holds for (value, wanted), both read in the same way."""

    def operator(wanted: str, has_variables: bool) -> Matcher:
        if has_variables and "${" in wanted:
            raise UnsupportedPolicyError(f"only string and ARN operators take policy variables, not this: {wanted}")
        known = read(wanted)
        return lambda value, keys: holds(read(value), known)

    return operator


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation as cause:
        raise UnsupportedPolicyError(f"{text!r} is no number") from cause
    if not number.is_finite():
        raise UnsupportedPolicyError(f"{text!r} is no number")
    return number


def _moment(text: str) -> datetime:
    """A date of ISO 8601, or seconds since 1970."""
    try:
        moment = datetime.fromtimestamp(float(text), UTC) if text.isdecimal() else datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError) as cause:
        raise UnsupportedPolicyError(f"{text!r} is no date") from cause
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as cause:
        raise UnsupportedPolicyError(f"{text!r} is not base64") from cause


def _range(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """An address, or a range of them in CIDR form."""
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError as cause:
        raise UnsupportedPolicyError(f"{text!r} is no IP address or range") from cause


def _boolean(wanted: str, has_variables: bool) -> Matcher:
    if wanted.lower() not in ("true", "false"):
        raise UnsupportedPolicyError(f"{wanted!r} is neither true nor false")
    return lambda value, keys: value.lower() == wanted.lower()


def _is_within(value: Any, wanted: Any) -> bool:
    return value.version == wanted.version and bool(value.subnet_of(wanted))


_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "Equals": lambda value, wanted: bool(value == wanted),
    "LessThan": lambda value, wanted: bool(value < wanted),
    "LessThanEquals": lambda value, wanted: bool(value <= wanted),
    "GreaterThan": lambda value, wanted: bool(value > wanted),
    "GreaterThanEquals": lambda value, wanted: bool(value >= wanted),
}

OPERATORS: Mapping[str, Operator] = {
    "StringEquals": _of_text(equal),
    "StringEqualsIgnoreCase": _of_text(equal_in_any_case),
    "StringLike": _of_text(like),
    "ArnEquals": _of_text(like_arn),
    "ArnLike": _of_text(like_arn),
    "Bool": _boolean,
    "BinaryEquals": _of_value(_bytes, _COMPARISONS["Equals"]),
    "IpAddress": _of_value(_range, _is_within),
    **{f"Numeric{name}": _of_value(_number, holds) for name, holds in _COMPARISONS.items()},
    **{f"Date{name}": _of_value(_moment, holds) for name, holds in _COMPARISONS.items()},
}
"""Every operator that compares and is not the opposite of another."""

OPPOSITES: Mapping[str, str] = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
    "NotIpAddress": "IpAddress",
}
"""Operators that hold when another holds for none of the wanted values."""
