"""A lifecycle policy, as ECR's grammar has it ("Lifecycle policy properties", ECR user guide).

The types hold what can be read; ``refusals`` says what of it ECR would not take.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MOST_RULES: Final = 50
"""Rules in a policy (service quotas)."""
MOST_WILDCARDS: Final = 4
"""``*`` in one pattern."""
LEAST_DAYS_ARCHIVED: Final = 90


class TagStatus(StrEnum):
    """Which images a rule selects by their image tags."""

    TAGGED = "tagged"
    UNTAGGED = "untagged"
    ANY = "any"


class StorageClass(StrEnum):
    """Where an image is stored. Nobody can pull what is in the archive."""

    STANDARD = "standard"
    ARCHIVE = "archive"


class CountType(StrEnum):
    """What a rule counts: images, or days."""

    IMAGES = "imageCountMoreThan"
    """The oldest go that are more than so many."""
    PUSHED = "sinceImagePushed"
    PULLED = "sinceImagePulled"
    """Where an image was never pulled, since it was pushed."""
    ARCHIVED = "sinceImageTransitioned"


class Action(StrEnum):
    """What a rule does with the images that it marks."""

    EXPIRE = "expire"
    ARCHIVE = "transition"


@dataclass(frozen=True)
class ImageSelection:
    """Which images a rule sees."""

    tag_status: TagStatus
    patterns: tuple[str, ...] = ()
    """In which ``*`` stands for any characters or none. An image needs an image tag for each of them."""
    prefixes: tuple[str, ...] = ()
    """Of the grammar before patterns; never together with these. Likewise, each of them."""
    storage_class: StorageClass = StorageClass.STANDARD

    def selects(self, image_tags: Collection[str]) -> bool:
        """Whether an image with these image tags meets the tagging requirements."""
        if self.tag_status is TagStatus.ANY:
            return True
        if self.tag_status is TagStatus.UNTAGGED:
            return not image_tags
        return (
            bool(image_tags)
            and all(any(tag.startswith(prefix) for tag in image_tags) for prefix in self.prefixes)
            and all(any(matches(pattern, tag) for tag in image_tags) for pattern in self.patterns)
        )

    def __str__(self) -> str:
        tags = " and ".join((*self.patterns, *(f"{prefix}*" for prefix in self.prefixes)))
        of = {TagStatus.ANY: "all images", TagStatus.UNTAGGED: "untagged images"}.get(self.tag_status, tags)
        return f"archived {of}" if self.storage_class is StorageClass.ARCHIVE else of


@dataclass(frozen=True)
class LifecycleRule:
    """One rule: the selected images that are beyond a number, or older than some days, expire or are archived."""

    priority: int
    """The lowest number is applied first."""
    selection: ImageSelection
    count_type: CountType
    count_number: int
    """Images, or days."""
    action: Action = Action.EXPIRE
    description: str | None = None

    def __str__(self) -> str:
        does = "expire" if self.action is Action.EXPIRE else "archive"
        match self.count_type:
            case CountType.IMAGES:
                return f"{does} {self.selection} but the newest {self.count_number}"
            case CountType.PUSHED:
                return f"{does} {self.selection} {_days(self.count_number)} after their push"
            case CountType.PULLED:
                return f"{does} {self.selection} not pulled for {_days(self.count_number)}"
            case CountType.ARCHIVED:
                return f"{does} {self.selection} {_days(self.count_number)} after they were archived"


@dataclass(frozen=True)
class LifecyclePolicy:
    """The rules of a repository. Without any it stands for a repository without a policy, since ECR takes none such."""

    rules: tuple[LifecycleRule, ...] = ()

    @property
    def in_order(self) -> tuple[LifecycleRule, ...]:
        """The rules, the first to be applied first."""
        return tuple(sorted(self.rules, key=lambda rule: rule.priority))


def matches(pattern: str, image_tag: str) -> bool:
    """Whether the whole image tag fits a pattern. In linear time for a pattern as short as ECR takes."""
    first, *others = pattern.split("*")
    if not others:
        return image_tag == pattern
    *middle, last = others
    if len(image_tag) < len(first) + len(last) or not (image_tag.startswith(first) and image_tag.endswith(last)):
        return False
    at, end = len(first), len(image_tag) - len(last)
    for part in middle:
        found = image_tag.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


def refusals(policy: LifecyclePolicy) -> tuple[str, ...]:
    """Why ECR would refuse this policy: what is wrong, where, and what to do. Empty when it would take it."""
    return tuple(_refusals(policy))


def _refusals(policy: LifecyclePolicy) -> Iterator[str]:
    if not policy.rules:
        yield "the policy has no rules: ECR takes 1 to 50; to have none, delete the policy"
    if len(policy.rules) > MOST_RULES:
        yield f"the policy has {len(policy.rules)} rules: ECR takes at most {MOST_RULES}"
    for priority, times in Counter(rule.priority for rule in policy.rules).items():
        if times > 1:
            yield f"rulePriority {priority} is given {times} times: number each rule otherwise"
    for rule in policy.in_order:
        yield from (f"the rule with rulePriority {rule.priority}: {fault}" for fault in _faults(rule))
    for storage_class in StorageClass:
        yield from _among([rule for rule in policy.in_order if rule.selection.storage_class is storage_class])


def _faults(rule: LifecycleRule) -> Iterator[str]:
    selection, days = rule.selection, rule.count_type is CountType.ARCHIVED
    if rule.priority < 1:
        yield "a priority is 1 or more"
    least = LEAST_DAYS_ARCHIVED if days else 1
    if rule.count_number < least:
        yield f"countNumber {rule.count_number} is too small: {rule.count_type} takes {least} or more"
    if selection.patterns and selection.prefixes:
        yield "it has tagPatternList and tagPrefixList: keep one of them"
    if selection.tag_status is not TagStatus.TAGGED and (selection.patterns or selection.prefixes):
        yield f"tagStatus {selection.tag_status} takes no list of image tags: write tagged, or drop the list"
    if selection.tag_status is TagStatus.TAGGED and not (selection.patterns or selection.prefixes):
        yield 'tagStatus tagged needs a tagPatternList: ["*"] selects every tagged image'
    for pattern in selection.patterns:
        if pattern.count("*") > MOST_WILDCARDS:
            yield f"the pattern {pattern} has more than {MOST_WILDCARDS} wildcards"
    if (selection.storage_class is StorageClass.ARCHIVE) != days:
        yield "sinceImageTransitioned goes with the storageClass archive, and no other countType does"
    if rule.count_type is CountType.PULLED and rule.action is not Action.ARCHIVE:
        yield "ECR archives by sinceImagePulled and expires nothing by it: let the action be transition"
    if days and rule.action is not Action.EXPIRE:
        yield "what is archived cannot be archived: let the action be expire"


def _among(rules: list[LifecycleRule]) -> Iterator[str]:
    """Faults between rules of one storage class."""
    for rule in rules[:-1]:
        if rule.selection.tag_status is TagStatus.ANY:
            yield f"the rule with rulePriority {rule.priority} selects any image: give it the highest number"
    if sum(rule.selection.tag_status is TagStatus.UNTAGGED for rule in rules) > 1:
        yield "more than one rule selects untagged images of one storage class: keep one of them"
    lists = Counter(
        (name, frozenset(tags))
        for rule in rules
        for name, tags in (("patterns", rule.selection.patterns), ("prefixes", rule.selection.prefixes))
        if tags
    )
    for (name, tags), times in lists.items():
        if times > 1:
            yield f"{times} rules select by the same {name} ({', '.join(sorted(tags))}): keep one of them"


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"
