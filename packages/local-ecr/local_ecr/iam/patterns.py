"""Texts of a policy that stand for several: with wildcards, and with variables that a request fills.

Source: IAM user guide, "IAM JSON policy elements: Resource", "IAM policy elements: Variables and tags" and "IAM JSON
policy elements: Condition operators" (ARN operators).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, wraps

from local_ecr.expressions import escape, whole_match
from local_ecr.iam.calls import UNKNOWN, Context, UnsupportedPolicyError

Matcher = Callable[[str, Context], bool]
"""Whether a value is meant, given the request's condition keys in lower case."""

Piece = tuple[str, bool]
"""Some text, and whether it stands for itself: what fills a variable has no wildcards."""

Build = Callable[[tuple[Piece, ...]], Callable[[str], bool]]
"""Makes of a text with wildcards what says whether another text is meant."""

_VARIABLE = re.compile(r"\$\{(?:(?P<sign>[*?$])|(?P<key>[^{}',]++)(?:,\s*'(?P<default>[^']*)'\s*)?)\}")


MAX_REMEMBERED = 2_048  # characters; an ARN has fewer


@dataclass(frozen=True)
class Variable:
    """`${aws:PrincipalTag/team, 'none'}`."""

    key: str
    default: str | None

    def value(self, keys: Context) -> str | None:
        """What the request has for it; None when it has nothing. Raises UnsupportedPolicyError."""
        found = keys.get(self.key.lower())
        if found is None:
            return self.default
        if found is UNKNOWN or not isinstance(found, str):
            what = "is not known here" if found is UNKNOWN else "has several values"
            raise UnsupportedPolicyError(f"{self.key} {what} and cannot fill a policy variable")
        return found


class Template:
    """A text of a policy with its variables taken apart. Raises UnsupportedPolicyError for a variable without an end.

    `has_variables` is False for policies of a version before 2012-10-17, where a variable stands for itself.
    """

    def __init__(self, text: str, *, has_variables: bool) -> None:
        self._parts: list[Piece | Variable] = []
        begin = 0
        for found in _VARIABLE.finditer(text) if has_variables else ():
            self._add(text[begin : found.start()])
            begin = found.end()
            sign, key = found["sign"], found["key"]
            self._parts.append((sign, True) if sign else Variable(key.strip(), found["default"]))
        self._add(text[begin:], is_strict=has_variables)

    def _add(self, text: str, *, is_strict: bool = True) -> None:
        if is_strict and "${" in text:
            raise UnsupportedPolicyError(f"not a policy variable: {text[text.index('${') :][:80]}")
        if text:
            self._parts.append((text, False))

    @property
    def is_fixed(self) -> bool:
        """Whether it has no variable that a request fills."""
        return not any(isinstance(part, Variable) for part in self._parts)

    def filled(self, keys: Context) -> tuple[Piece, ...] | None:
        """The text for one request; None when a variable has no value, which then is like no value at all."""
        pieces: list[Piece] = []
        for part in self._parts:
            if isinstance(part, Variable):
                value = part.value(keys)
                if value is None:
                    return None
                pieces.append((value, True))
            else:
                pieces.append(part)
        return tuple(pieces)


def matcher(text: str, build: Build, *, has_variables: bool) -> Matcher:
    """A text of a policy, ready to be compared in the way that `build` does."""
    template = Template(text, has_variables=has_variables)
    if template.is_fixed:
        fixed = build(template.filled({}) or ())
        return lambda value, keys: fixed(value)

    def matches(value: str, keys: Context) -> bool:
        pieces = template.filled(keys)
        return pieces is not None and build(pieces)(value)

    return matches


def remembered(build: Build) -> Build:
    """Build each text once, unless it is long: what a request fills variables with is its sender's, and may be large.

    Such a text is built only for a value that is as long, since wildcards alone can stand for nothing.
    """
    known = lru_cache(maxsize=1024)(build)

    @wraps(build)
    def built(pieces: tuple[Piece, ...]) -> Callable[[str], bool]:
        if sum(len(text) for text, _ in pieces) <= MAX_REMEMBERED:
            return known(pieces)
        least = sum(len(text) if is_exact else len(text.replace("*", "")) for text, is_exact in pieces)
        return lambda value: len(value) >= least and build(pieces)(value)

    return built


def equal(pieces: tuple[Piece, ...]) -> Callable[[str], bool]:
    """Every character stands for itself."""
    wanted = _plain(pieces)
    return lambda value: value == wanted


def equal_in_any_case(pieces: tuple[Piece, ...]) -> Callable[[str], bool]:
    """The same, in any case."""
    wanted = _plain(pieces).casefold()
    return lambda value: value.casefold() == wanted


@remembered
def like(pieces: tuple[Piece, ...]) -> Callable[[str], bool]:
    """`*` stands for any number of characters, `?` for one."""
    if pieces == (("*", False),):
        return lambda value: True
    wild = {"*": ".*", "?": "."}
    return whole_match("".join(wild[one] if is_wild else escape(one) for one, is_wild in _characters(pieces)))


@remembered
def like_resource(pieces: tuple[Piece, ...]) -> Callable[[str], bool]:
    """The same for the Resource element: only a `*` that ends a part of an ARN goes on beyond the colon behind it."""
    if pieces == (("*", False),):
        return lambda value: True
    expression: list[str] = []
    ends = True
    for one, is_wild in reversed(_characters(pieces)):
        wild = {"*": ".*" if ends else "[^:]*", "?": "[^:]"}
        expression.append(wild[one] if is_wild else escape(one))
        if not (one == "*" and is_wild):
            ends = one == ":"
    return whole_match("".join(reversed(expression)))


@remembered
def like_arn(pieces: tuple[Piece, ...]) -> Callable[[str], bool]:
    """The same for the ARN operators: each of the six parts is compared with its own."""
    parts: list[list[Piece]] = [[]]
    for one, is_wild in _characters(pieces):
        if one == ":" and len(parts) < 6:
            parts.append([])
        else:
            parts[-1].append((one, not is_wild))
    wanted = [like(tuple(part)) for part in parts]

    def matches(value: str) -> bool:
        found = value.split(":", 5)
        return len(wanted) == len(found) == 6 and all(
            is_like(part) for is_like, part in zip(wanted, found, strict=True)
        )

    return matches


def _characters(pieces: tuple[Piece, ...]) -> list[tuple[str, bool]]:
    """Each character, and whether it is a wildcard."""
    return [(one, one in "*?" and not is_exact) for text, is_exact in pieces for one in text]


def _plain(pieces: tuple[Piece, ...]) -> str:
    return "".join(text for text, _ in pieces)
