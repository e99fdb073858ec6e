"""JSON as we store it: text that is JSON, reads in one way only, and can be written again as UTF-8."""

from __future__ import annotations

import json
import math
from typing import Any

MAX_DEPTH = 100


class InvalidJsonError(ValueError):
    """Why a text is refused; fit for the sender."""


def read_json(text: str | bytes) -> Any:
    """Raises InvalidJsonError: for what is no JSON or no UTF-8, and for what other readers would take otherwise."""
    try:
        decoded = text.decode("utf-8") if isinstance(text, bytes) else text
        document = json.loads(
            decoded, object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_read_finite
        )
    except InvalidJsonError:
        raise
    except (ValueError, RecursionError) as cause:
        raise InvalidJsonError("Invalid JSON syntax") from cause
    if not _is_plain(decoded):
        _check(document)
    return document


def read_object(text: str) -> dict[str, Any] | None:
    """A JSON object, or None for anything else."""
    try:
        document = read_json(text)
    except InvalidJsonError:
        return None
    return document if isinstance(document, dict) else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise InvalidJsonError("an object with the same key twice")
    return document


def _refuse_constant(name: str) -> None:
    raise InvalidJsonError(f"{name} is no JSON number")


def _read_finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):  # it would be written again as Infinity, which is no JSON
        raise InvalidJsonError("a number that is too large")
    return number


def _is_plain(text: str) -> bool:
    """Whether a text is one that _check takes, by a look at it alone: most are."""
    return text.isascii() and "\\u" not in text and text.count("{") + text.count("[") < MAX_DEPTH


def _check(document: Any) -> None:
    """Refuse half a surrogate pair, which an escape can write and UTF-8 cannot, and nesting that nobody needs."""
    waiting = [(document, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            raise InvalidJsonError(f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(value, str):
            if not value.isascii():
                _check_text(value)
        elif isinstance(value, dict):
            waiting += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, list):
            waiting += [(item, depth + 1) for item in value]


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as cause:
        raise InvalidJsonError("a string that is not Unicode text") from cause
