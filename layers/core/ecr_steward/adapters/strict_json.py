"""JSON that every reader understands alike, or none at all."""

import json
import re
from collections.abc import Mapping
from typing import Any

_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)


def read_object(content: bytes) -> Mapping[str, Any]:
    """Read an object. Raises ValueError: no JSON, a key that occurs twice, half of a character, nested without end."""
    try:
        document = json.loads(content.decode(), object_pairs_hook=_unambiguous, parse_constant=_no_constant)
        _require_characters(content, document)
    except RecursionError as cause:
        raise ValueError("it is nested too deeply") from cause
    if not isinstance(document, dict):
        raise ValueError(f"it is a {type(document).__name__}")
    return document


def values_of(content: bytes) -> int:
    """How many values a document has at most, found out without reading it: a byte of one can be thirty in memory."""
    bare = _TEXT.sub(b"", content)
    return bare.count(b",") + bare.count(b"[") + bare.count(b"{")


def texts(value: object) -> dict[str, str]:
    """An object whose values are texts, such as annotations and labels; ``null`` is an empty one, as Go reads it.

    Raises ValueError for anything else.
    """
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"a {type(value).__name__} instead of keys and texts")
    for key, text in value.items():
        if not isinstance(text, str):
            raise ValueError(f"the value of {key[:100]!r} is no text")
    return value


def misspelt(document: Mapping[str, Any], *keys: str) -> str | None:
    """A key of the document that Go's reader, which folds the case, takes for one of these, and others do not."""
    folded = {key.lower() for key in keys}
    return next((key for key in document if key.lower() in folded and key not in keys), None)


def _unambiguous(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key occurs twice")
    return document


def _require_characters(content: bytes, document: object) -> None:
    """Whether all texts are of whole characters: some readers replace what is half of one, and others refuse it."""
    if b"\\u" not in content:
        return
    left = [document]
    while left:
        match left.pop():
            case str() as text:
                _require_whole(text)
            case dict() as members:
                left += [*members, *members.values()]
            case list() as members:
                left += members


def _require_whole(text: str) -> None:
    try:
        text.isascii() or text.encode()
    except UnicodeEncodeError as cause:
        raise ValueError("a text holds half of a character") from cause


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
