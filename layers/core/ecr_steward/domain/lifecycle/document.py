"""Lifecycle policies as AWS writes them, in JSON.

Reading takes what ECR has taken over the years, by hand and by tools: prefix lists (the only lists before patterns),
no storage class, no description, ``null`` for what is left out, numbers in quotes. What it does not know it refuses:
a policy that is half understood would be half kept.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any

from ecr_steward.domain.lifecycle.policy import (
    Action,
    CountType,
    ImageSelection,
    LifecyclePolicy,
    LifecycleRule,
    StorageClass,
    TagStatus,
)
from ecr_steward.domain.repositories import Document
from ecr_steward.errors import InvalidLifecyclePolicyError

_DAYS = ("days", "day")


def lifecycle_document(policy: LifecyclePolicy) -> Document:
    """The document that says this, in the order in which the rules are applied; equal policies make equal documents."""
    return {"rules": [_rule_document(rule) for rule in policy.in_order]}


def lifecycle_text(policy: LifecyclePolicy) -> str:
    """The document as the text that ECR takes, without spaces."""
    return json.dumps(lifecycle_document(policy), separators=(",", ":"), ensure_ascii=False)


def parse_lifecycle_text(text: str) -> LifecyclePolicy:
    """Read a policy from its JSON text. Raises InvalidLifecyclePolicyError."""
    try:
        document = json.loads(text, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as cause:
        raise InvalidLifecyclePolicyError(
            f"the lifecycle policy is not JSON: {cause or type(cause).__name__}"
        ) from cause
    return read_lifecycle_policy(document)


def read_lifecycle_policy(document: object) -> LifecyclePolicy:
    """Read a policy from its document. Raises InvalidLifecyclePolicyError, which says where and what was expected."""
    members = _members(document, "the lifecycle policy", ("rules",))
    rules = members.get("rules")
    if not isinstance(rules, Sequence) or isinstance(rules, str):
        raise _wrong("rules", rules, "a list of rules")
    return LifecyclePolicy(tuple(_rule(rule, f"rules[{number}]") for number, rule in enumerate(rules)))


def _rule_document(rule: LifecycleRule) -> dict[str, Any]:
    selection = rule.selection
    selected: dict[str, Any] = {"tagStatus": selection.tag_status.value}
    if selection.patterns:
        selected["tagPatternList"] = list(selection.patterns)
    if selection.prefixes:
        selected["tagPrefixList"] = list(selection.prefixes)
    if selection.storage_class is StorageClass.ARCHIVE:
        selected["storageClass"] = selection.storage_class.value
    selected["countType"] = rule.count_type.value
    if rule.count_type is not CountType.IMAGES:
        selected["countUnit"] = "days"
    selected["countNumber"] = rule.count_number
    action = {"type": rule.action.value}
    if rule.action is Action.ARCHIVE:
        action["targetStorageClass"] = StorageClass.ARCHIVE.value
    described = {} if rule.description is None else {"description": rule.description}
    return {"rulePriority": rule.priority, **described, "selection": selected, "action": action}


def _rule(value: object, at: str) -> LifecycleRule:
    members = _members(value, at, ("rulePriority", "description", "selection", "action"))
    description = members.get("description")
    if description is not None and not isinstance(description, str):
        raise _wrong(f"{at}.description", description, "a text")
    here = f"{at}.selection"
    selected = _members(
        members.get("selection"),
        here,
        ("tagStatus", "tagPatternList", "tagPrefixList", "storageClass", "countType", "countUnit", "countNumber"),
    )
    if (unit := selected.get("countUnit")) is not None and str(unit).lower() not in _DAYS:
        raise _wrong(f"{here}.countUnit", unit, "days")
    return LifecycleRule(
        priority=_number(members.get("rulePriority"), f"{at}.rulePriority"),
        selection=ImageSelection(
            tag_status=_word(TagStatus, selected.get("tagStatus"), f"{here}.tagStatus"),
            patterns=_texts(selected.get("tagPatternList"), f"{here}.tagPatternList"),
            prefixes=_texts(selected.get("tagPrefixList"), f"{here}.tagPrefixList"),
            storage_class=_word(
                StorageClass, selected.get("storageClass", StorageClass.STANDARD.value), f"{here}.storageClass"
            ),
        ),
        count_type=_word(CountType, selected.get("countType"), f"{here}.countType"),
        count_number=_number(selected.get("countNumber"), f"{here}.countNumber"),
        action=_action(members.get("action"), f"{at}.action"),
        description=description,
    )


def _action(value: object, at: str) -> Action:
    if value is None:
        return Action.EXPIRE  # which was the only one for eight years
    members = _members(value, at, ("type", "targetStorageClass"))
    action = _word(Action, members.get("type", Action.EXPIRE.value), f"{at}.type")
    target = members.get("targetStorageClass")
    if action is Action.EXPIRE and target is not None:
        raise _wrong(f"{at}.targetStorageClass", target, "nothing: what expires goes nowhere")
    if target is not None and _word(StorageClass, target, f"{at}.targetStorageClass") is StorageClass.STANDARD:
        raise _wrong(f"{at}.targetStorageClass", target, "archive")
    return action


def _members(value: object, at: str, known: Iterable[str]) -> Mapping[str, Any]:
    """The members of an object that are there; ``null`` is not."""
    if not isinstance(value, Mapping):
        raise _wrong(at, value, f"an object with {', '.join(known)}")
    if unknown := sorted(str(name) for name in value if name not in known):
        raise InvalidLifecyclePolicyError(f"{at}: `{unknown[0]}` is not known here; expected {', '.join(known)}")
    return {name: member for name, member in value.items() if member is not None}


def _texts(value: object, at: str) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise _wrong(at, value, "a list of texts")
    for number, text in enumerate(value):
        if not isinstance(text, str) or not text:
            raise _wrong(f"{at}[{number}]", text, "a text")
    return tuple(value)


def _number(value: object, at: str) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
        return int(value)
    raise _wrong(at, value, "a whole number")


def _word[Word: StrEnum](words: type[Word], value: object, at: str) -> Word:
    known = {word.value.lower(): word for word in words}
    if isinstance(value, str) and value.lower() in known:
        return known[value.lower()]
    raise _wrong(at, value, f"one of {', '.join(map(str, known.values()))}")


def _wrong(at: str, value: object, expected: str) -> InvalidLifecyclePolicyError:
    found = "nothing is" if value is None else f"`{str(value)[:80]}` is"
    return InvalidLifecyclePolicyError(f"{at}: {found} written; expected {expected}")


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"`{next(name for name in names if names.count(name) > 1)}` is written twice")
    return members
