"""EventBridge event patterns: which events a rule wants.

Follows the EventBridge user guide ("Comparison operators for use in event patterns") and, where the guide is silent,
the matcher that AWS publishes (github.com/aws/event-ruler):

- An event is flattened into (path, scalar) pairs; arrays are crushed out of the path. Two fields of one match never
  come from different elements of one array.
- `exists` sees leaves only: an object or an empty array at the path counts as absent.
- A pattern number equals an event number of the same value (300 and 300.0), never a string or a boolean.
- `anything-but` matches any leaf that is there and is not what it names; on an array, one such element is enough.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

type Scalar = str | int | float | bool | None
type Test = Callable[[Scalar], bool]
type Membership = Mapping[int, int]  # array -> element of it that a field lies in

OPERATORS = (
    "prefix",
    "suffix",
    "equals-ignore-case",
    "wildcard",
    "anything-but",
    "numeric",
    "cidr",
    "exists",
)
NUMERIC_LIMIT = 5e9  # the guide: numeric matching is limited to -5.0e9 .. +5.0e9
MAX_ALTERNATIVES = 1000  # event patterns whose $or expand to more are refused by EventBridge too


class InvalidPatternError(ValueError):
    """EventBridge would refuse this pattern with InvalidEventPatternException."""


@dataclass(frozen=True)
class Leaf:
    """What one field may hold."""

    tests: tuple[Test, ...]
    may_be_absent: bool = False


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern: an event matches when it satisfies all leaves of one alternative."""

    alternatives: tuple[Mapping[str, Leaf], ...]

    @classmethod
    def parse(cls, document: object) -> Pattern:
        """Compile a pattern's JSON document. Raises InvalidPatternError."""
        if not isinstance(document, dict):
            raise InvalidPatternError("the pattern is not a JSON object")
        return cls(tuple(_alternatives(document, "", inside_or=False)))

    def matches(self, event: Mapping[str, Any]) -> bool:
        """Whether a rule with this pattern wants the event."""
        fields = _flatten(event)
        return any(_satisfies(fields, alternative) for alternative in self.alternatives)


# ---------------------------------------------------------------- compiling


def _alternatives(document: Mapping[str, Any], path: str, *, inside_or: bool) -> list[dict[str, Leaf]]:
    if not document:
        raise InvalidPatternError(f"empty objects are not allowed (at {path or 'the top'})")
    found: list[dict[str, Leaf]] = [{}]
    for key, value in document.items():
        at = f"{path}.{key}" if path else key
        if key == "$or":
            branches = _or_branches(value, path)
        elif inside_or and key in OPERATORS:
            raise InvalidPatternError(f"{key} is an operator and cannot be a field inside $or (at {at})")
        elif isinstance(value, dict):
            branches = _alternatives(value, at, inside_or=inside_or)
        elif isinstance(value, list):
            branches = [{at: _leaf(value, at)}]
        else:
            raise InvalidPatternError(f'"{key}" must be an object or an array (at {at})')
        if len(found) * len(branches) > MAX_ALTERNATIVES:
            raise InvalidPatternError(f"the $or combinations expand to more than {MAX_ALTERNATIVES}")
        found = [left | right for left, right in itertools.product(found, branches)]
    return found


def _or_branches(value: object, path: str) -> list[dict[str, Leaf]]:
    if not isinstance(value, list) or len(value) < 2 or not all(isinstance(item, dict) for item in value):
        raise InvalidPatternError(f"$or takes an array of at least two objects (at {path or 'the top'})")
    return [branch for item in value for branch in _alternatives(item, path, inside_or=True)]


def _leaf(values: Sequence[object], at: str) -> Leaf:
    if not values:
        raise InvalidPatternError(f"empty arrays are not allowed (at {at})")
    tests: list[Test] = []
    may_be_absent = False
    for value in values:
        if isinstance(value, dict):
            operator, operand = _only_item(value, at)
            if operator == "exists":
                if not isinstance(operand, bool):
                    raise InvalidPatternError(f"exists takes true or false (at {at})")
                if operand:
                    tests.append(lambda _: True)
                else:
                    may_be_absent = True
            else:
                tests.append(_test(operator, operand, at))
        elif isinstance(value, list):
            raise InvalidPatternError(f"a match value must be a string, number, true, false, null or object (at {at})")
        else:
            tests.append(_equals(value))
    return Leaf(tuple(tests), may_be_absent)


def _only_item(expression: Mapping[str, Any], at: str) -> tuple[str, Any]:
    if len(expression) != 1:
        raise InvalidPatternError(f"only one key is allowed in a match expression (at {at})")
    ((operator, operand),) = expression.items()
    return operator, operand


def _test(operator: str, operand: object, at: str) -> Test:
    match operator:
        case "prefix" | "suffix" | "equals-ignore-case" | "wildcard":
            return _text_test(operator, operand, at)
        case "anything-but":
            return _anything_but(operand, at)
        case "numeric":
            return _numeric(operand, at)
        case "cidr":
            return _cidr(operand, at)
    raise InvalidPatternError(f"unrecognized match type {operator} (at {at}); known: {', '.join(OPERATORS)}")


def _equals(wanted: object) -> Test:
    # bool is an int in Python: without the type test 1 would equal true.
    if isinstance(wanted, bool) or wanted is None:
        return lambda value: value is wanted
    if isinstance(wanted, (int, float)):
        return lambda value: _is_number(value) and value == wanted
    return lambda value: isinstance(value, str) and value == wanted


def _text_test(operator: str, operand: object, at: str) -> Test:
    if operator in ("prefix", "suffix") and isinstance(operand, dict):
        inner, text = _only_item(operand, at)
        if inner != "equals-ignore-case" or not isinstance(text, str):
            raise InvalidPatternError(f"{operator} takes a string or an equals-ignore-case of one (at {at})")
        folded = text.lower()
        if operator == "prefix":
            return lambda value: isinstance(value, str) and value.lower().startswith(folded)
        return lambda value: isinstance(value, str) and value.lower().endswith(folded)
    if not isinstance(operand, str):
        raise InvalidPatternError(f"{operator} takes a string (at {at})")
    text = operand
    if operator == "prefix":
        return lambda value: isinstance(value, str) and value.startswith(text)
    if operator == "suffix":
        return lambda value: isinstance(value, str) and value.endswith(text)
    if operator == "equals-ignore-case":
        return lambda value: isinstance(value, str) and value.lower() == text.lower()
    expression = _wildcard(text, at)
    return lambda value: isinstance(value, str) and expression.fullmatch(value) is not None


def _wildcard(text: str, at: str) -> re.Pattern[str]:
    r"""`*` is any run of characters; `\*` and `\\` are the characters themselves; nothing else may be escaped."""
    parts: list[str] = []
    rest = iter(text)
    for character in rest:
        if character == "\\":
            escaped = next(rest, "")
            if escaped not in ("*", "\\") or not escaped:
                raise InvalidPatternError(rf"wildcard: only \* and \\ may be escaped (at {at})")
            parts.append(re.escape(escaped))
        elif character == "*":
            if parts and parts[-1] == ".*":
                raise InvalidPatternError(f"wildcard: consecutive * are not allowed (at {at})")
            parts.append(".*")
        else:
            parts.append(re.escape(character))
    return re.compile("".join(parts), re.DOTALL)


def _anything_but(operand: object, at: str) -> Test:
    if isinstance(operand, dict):
        operator, inner = _only_item(operand, at)
        if operator not in ("prefix", "suffix", "equals-ignore-case", "wildcard"):
            raise InvalidPatternError(f"anything-but does not take {operator} (at {at})")
        inners = inner if isinstance(inner, list) else [inner]
        if not inners:
            raise InvalidPatternError(f"anything-but takes at least one value (at {at})")
        refused = [_text_test(operator, value, at) for value in inners]
    else:
        values = operand if isinstance(operand, list) else [operand]
        are_texts = [isinstance(value, str) for value in values]
        if not values or not (all(are_texts) or all(_is_number(value) for value in values)):
            raise InvalidPatternError(f"anything-but takes strings only or numbers only (at {at})")
        refused = [_equals(value) for value in values]
    return lambda value: not any(test(value) for test in refused)


_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": lambda left, right: left == right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}


def _numeric(operand: object, at: str) -> Test:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise InvalidPatternError(f"numeric takes one or two comparisons (at {at})")
    pairs = list(itertools.batched(operand, 2, strict=True))
    for operator, number in pairs:
        if operator not in _COMPARISONS:
            raise InvalidPatternError(f"numeric does not know {operator!r} (at {at})")
        if not _is_number(number) or abs(number) > NUMERIC_LIMIT:
            raise InvalidPatternError(f"numeric takes numbers within 5.0e9 of zero (at {at})")
    operators = [operator for operator, _ in pairs]
    if len(pairs) == 2 and not (operators[0] in (">", ">=") and operators[1] in ("<", "<=")):
        raise InvalidPatternError(f"a numeric range is a lower bound followed by an upper one (at {at})")
    if len(pairs) == 2 and pairs[0][1] >= pairs[1][1]:
        raise InvalidPatternError(f"the numeric range is empty: its bottom is not below its top (at {at})")

    def test(value: Scalar) -> bool:
        if not isinstance(value, (int, float)) or isinstance(value, bool):
            return False
        return all(_COMPARISONS[operator](value, number) for operator, number in pairs)

    return test


def _cidr(operand: object, at: str) -> Test:
    try:
        network = ipaddress.ip_network(operand if isinstance(operand, str) else "", strict=False)
    except ValueError as cause:
        raise InvalidPatternError(f"malformed CIDR {operand!r} (at {at})") from cause

    def test(value: Scalar) -> bool:
        try:
            return isinstance(value, str) and ipaddress.ip_address(value) in network
        except ValueError:  # the field holds no address: no match, as in EventBridge
            return False

    return test


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# ---------------------------------------------------------------- matching


def _flatten(event: Mapping[str, Any]) -> dict[str, list[tuple[Scalar, Membership]]]:
    fields: dict[str, list[tuple[Scalar, Membership]]] = {}
    array_ids = itertools.count()

    def visit(value: object, path: str, membership: Membership) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                visit(inner, f"{path}.{key}" if path else key, membership)
        elif isinstance(value, list):
            array = next(array_ids)
            for index, element in enumerate(value):
                is_container = isinstance(element, (dict, list))
                visit(element, path, {**membership, array: index} if is_container else membership)
        else:
            fields.setdefault(path, []).append((value, membership))  # type: ignore[arg-type]

    visit(event, "", {})
    return fields


def _satisfies(fields: Mapping[str, list[tuple[Scalar, Membership]]], alternative: Mapping[str, Leaf]) -> bool:
    choices: list[list[Membership]] = []
    for path, leaf in alternative.items():
        values = fields.get(path, [])
        if not values:
            if leaf.may_be_absent:
                continue
            return False
        memberships = [membership for value, membership in values if any(test(value) for test in leaf.tests)]
        if not memberships:
            return False
        choices.append(memberships)
    # The most constrained field first keeps the search short.
    choices.sort(key=len)
    return any(_consistent_choices(choices, {}))


def _consistent_choices(choices: Sequence[Sequence[Membership]], chosen: Membership) -> Iterator[bool]:
    """One item per way to pick a field per path such that no two lie in different elements of one array."""
    if not choices:
        yield True
        return
    tried: list[Membership] = []
    for membership in choices[0]:
        if membership in tried or any(chosen.get(array, index) != index for array, index in membership.items()):
            continue
        tried.append(membership)
        yield from _consistent_choices(choices[1:], {**chosen, **membership})
