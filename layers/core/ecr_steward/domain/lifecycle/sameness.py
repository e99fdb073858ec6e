"""When two lifecycle policies do the same, however they are written.

The answer is yes only where it can be shown: of two policies that are called the same, each does to every image of
every repository, at every moment, what the other does. That some are not called the same which are costs a write.

The reasoning, from "Lifecycle policy evaluation rules" of the ECR user guide: an image is acted on by the first rule
that selects it, and each rule ranks all images that it selects, whatever other rules do. So what happens to tagged
images of a storage class hangs on the rules of this class that can select one, in their order; likewise for untagged
images. A rule that selects only what rules before it select never acts.
"""

from collections.abc import Iterator
from typing import NamedTuple

from ecr_steward.domain.lifecycle.policy import (
    Action,
    CountType,
    LifecyclePolicy,
    LifecycleRule,
    StorageClass,
    TagStatus,
    matches,
)

_NEVER_IN_A_TAG = "*"
_MANY = 64
"""Patterns in one list that are not looked at one against the other: a text of ECR's length could hold thousands."""


class _Effect(NamedTuple):
    """A rule without what has no effect: its number, its description, and how its list is written."""

    tag_status: TagStatus
    patterns: frozenset[str]
    count_type: CountType
    count_number: int
    action: Action


def same_effect(one: LifecyclePolicy, other: LifecyclePolicy) -> bool:
    """Whether both do the same to every image, as far as that can be shown. No rules do the same as no policy."""
    return _effects(one) == _effects(other)


def _effects(policy: LifecyclePolicy) -> list[list[_Effect]]:
    return [
        _acting([_effect(rule) for rule in _of_class(policy, storage_class) if rule.selection.tag_status in statuses])
        for storage_class in StorageClass
        for statuses in ((TagStatus.TAGGED, TagStatus.ANY), (TagStatus.UNTAGGED, TagStatus.ANY))
    ]


def _of_class(policy: LifecyclePolicy, storage_class: StorageClass) -> Iterator[LifecycleRule]:
    return (rule for rule in policy.in_order if rule.selection.storage_class is storage_class)


def _effect(rule: LifecycleRule) -> _Effect:
    selection = rule.selection
    if selection.tag_status is not TagStatus.TAGGED:
        patterns = frozenset[str]()
    else:
        # A prefix with a star in it, which no image tag has, selects nothing; as a pattern it would.
        prefixes = {prefix if _NEVER_IN_A_TAG not in prefix else f"\0{prefix}" for prefix in selection.prefixes}
        patterns = _needed({*map(_shortest, selection.patterns), *(f"{prefix}*" for prefix in prefixes)} or {"*"})
    return _Effect(selection.tag_status, patterns, rule.count_type, rule.count_number, rule.action)


def _acting(effects: list[_Effect]) -> list[_Effect]:
    """The rules that can act on an image, of those that can select one of a kind (tagged, or untagged)."""
    acting: list[_Effect] = []
    for effect in effects:
        if not any(_selects_all_of(before, effect) for before in acting):
            acting.append(effect)
    return acting


def _selects_all_of(before: _Effect, effect: _Effect) -> bool:
    """Whether a rule selects every image of the kind in question that another one selects."""
    if before.tag_status is not TagStatus.TAGGED:
        return True  # among tagged images, any; among untagged ones, any and untagged: all of them
    # Against a rule for any image, the pattern that every tagged image has an image tag for.
    wanted = effect.patterns if effect.tag_status is TagStatus.TAGGED else frozenset({"*"})
    if before.patterns <= wanted:
        return True
    return max(len(wanted), len(before.patterns)) <= _MANY and all(
        any(_covers(pattern, narrower) for narrower in wanted) for pattern in before.patterns
    )


def _needed(patterns: set[str]) -> frozenset[str]:
    """The patterns that say something, where all must match: not one that follows from another of them."""
    if len(patterns) > _MANY:
        return frozenset(patterns)
    return frozenset(
        pattern for pattern in patterns if not any(_covers(pattern, other) for other in patterns - {pattern})
    )


def _covers(pattern: str, narrower: str) -> bool:
    """Whether every image tag that fits the narrower pattern fits the other: its stars can only be met by stars."""
    return matches(pattern, narrower)


def _shortest(pattern: str) -> str:
    while "**" in pattern:
        pattern = pattern.replace("**", "*")
    return pattern
