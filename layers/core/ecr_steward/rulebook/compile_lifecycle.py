"""The entries of ``repository.lifecycle``, divided between those who carry them out: ECR, and the steward's sweep.

An entry goes to ECR's own lifecycle policy where ECR's grammar can say it and ECR, which knows of no keep that wins,
provably takes no image by it that

* a keep of the rulebook protects, or
* an entry above it, which the sweep carries out, selects.

Every other entry is the sweep's, whole. Why so: docs/adr/0018-what-ecr-cannot-expire-the-sweep-does.md.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ecr_steward.domain.lifecycle.policy import (
    MOST_WILDCARDS,
    Action,
    CountType,
    ImageSelection,
    LifecyclePolicy,
    LifecycleRule,
    StorageClass,
    TagStatus,
)
from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.retention_rules import ExpireRule, ProtectingKeep, RetentionRules, Selection, Use
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.image_tags import TagPattern
from ecr_steward.rulebook.lifecycle import Archive, Expire, Keep, LifecycleEntry
from ecr_steward.rulebook.patterns import tag_matcher
from ecr_steward.rulebook.versions import SCHEMES
from ecr_steward.rulebook.words import TAG_FILTER


@dataclass(frozen=True)
class Refused:
    """An entry that only ECR could carry out, and ECR cannot."""

    position: int
    why: str
    expected: str
    code: Code


@dataclass(frozen=True)
class Lifecycle:
    """Who does what."""

    native: LifecyclePolicy
    """For ECR; without rules, no policy."""
    retention: RetentionRules
    """For the sweep. Keeps are here also where it expires nothing."""
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True)
class _Reason:
    """Why ECR cannot carry out an entry."""

    why: str
    expected: str
    code: Code


@dataclass
class _Above:
    """What was met of the entries above, and is not archived."""

    everything: list[Selection] = field(default_factory=list)
    swept: list[Selection] = field(default_factory=list)


def compile_lifecycle(entries: Sequence[LifecycleEntry], protect: Iterable[Matcher] = ()) -> Lifecycle:
    """Divide the entries; the order of the rulebook is the order in which they decide.

    ``protect`` are the image tags that nothing removes: ECR knows as little of those as of keeps.
    """
    keeps = tuple(_keep(entry.keep) for entry in entries if entry.keep is not None and entry.protects)
    keeps += tuple(ProtectingKeep(f"protect {tags.spelling}", Selection(tags=(tags,))) for tags in protect)
    native: list[LifecycleRule] = []
    expires: list[ExpireRule] = []
    refused: list[Refused] = []
    above = _Above()
    for position, entry in enumerate(entries):
        if entry.protects:
            continue
        selection = _selection(entry.half)
        reason = _why_not_native(entry, selection, keeps, above)
        if reason is None:
            native += _native_rules(entry, native)
        elif entry.archive is not None or entry.selects_archived:
            refused.append(Refused(position, reason.why, reason.expected, reason.code))
        else:
            expires.append(_swept(entry.half, selection, above))
            above.swept.append(selection)
        if not entry.selects_archived:
            above.everything.append(selection)
    policy = LifecyclePolicy(tuple(_numbered(native)))
    return Lifecycle(policy, RetentionRules(keeps, tuple(expires)), tuple(refused))


def _selection(half: Keep | Expire | Archive) -> Selection:
    """Which images an entry selects."""
    return Selection(
        tags=tuple(map(tag_matcher, half.tags or ())),
        all_tags=tuple(map(tag_matcher, half.all_tags or ())),
        untagged=bool(half.untagged),
    )


# ------------------------------------------------------------------ can ECR do it?


def _why_not_native(
    entry: LifecycleEntry, selection: Selection, keeps: Iterable[ProtectingKeep], above: _Above
) -> _Reason | None:
    half = entry.half
    if isinstance(half, Expire) and half.not_pulled_for is not None:
        return _Reason("ECR expires nothing by its last pull", "", Code.OTHER_VALUE)
    for pattern in (*(half.tags or ()), *(half.all_tags or ())):
        if not _is_ecrs(pattern):
            return _Reason(
                f"ECR itself does this, and cannot say `{tag_matcher(pattern).spelling}`",
                f"letters, digits, `.`, `_`, `-` and at most {MOST_WILDCARDS} `*`",
                Code.LIFECYCLE_WILDCARDS,
            )
    if len(half.tags or ()) > 1 and _counts_images(half):
        return _Reason(
            "ECR itself does this, and cannot count images of several patterns together",
            "one pattern, or an entry for each",
            Code.LIFECYCLE_SEVERAL_PATTERNS,
        )
    for keep in keeps:
        if not selection.is_apart_from(keep.selection):
            return _Reason(
                f"ECR itself does this, and would also do it to what `{keep.spelling}` protects",
                "images that no keep can protect, such as `untagged: true` beside a keep of image tags",
                Code.LIFECYCLE_ARCHIVES_KEPT,
            )
    for one in above.swept if not entry.selects_archived else ():
        if not selection.is_apart_from(one):
            return _Reason(
                "ECR itself does this, and would not leave alone what an entry above selects that ECR cannot carry out",
                "it above that entry",
                Code.LIFECYCLE_ARCHIVES_KEPT,
            )
    return None


def _is_ecrs(pattern: TagPattern) -> bool:
    return (
        isinstance(pattern, str)
        and pattern not in SCHEMES
        and re.fullmatch(TAG_FILTER, pattern) is not None
        and pattern.count("*") <= MOST_WILDCARDS
    )


def _counts_images(half: Keep | Expire | Archive) -> bool:
    return isinstance(half, Keep) or (isinstance(half, Archive) and half.all_but_newest is not None)


# ------------------------------------------------------------------ what ECR does


def _native_rules(entry: LifecycleEntry, before: Iterable[LifecycleRule]) -> Iterator[LifecycleRule]:
    """The rules that say an entry, each without its number.

    Several patterns, of which one is enough, become a rule each. ECR takes no pattern twice; a second rule for it would
    never act.
    """
    half = entry.half
    storage_class = StorageClass.ARCHIVE if entry.selects_archived else StorageClass.STANDARD
    lists: list[tuple[str, ...]] = [(str(pattern),) for pattern in half.tags or ()]
    if half.all_tags:
        lists = [tuple(map(str, half.all_tags))]
    taken = {frozenset(rule.selection.patterns) for rule in before if rule.selection.storage_class is storage_class} - {
        frozenset()
    }
    status = TagStatus.UNTAGGED if half.untagged else TagStatus.TAGGED if lists else TagStatus.ANY
    count_type, number = _count(half)
    action = Action.ARCHIVE if entry.archive is not None else Action.EXPIRE
    for patterns in lists or [()]:
        if frozenset(patterns) in taken:
            continue
        taken.add(frozenset(patterns))
        selection = ImageSelection(status, patterns, storage_class=storage_class)
        rule = LifecycleRule(0, selection, count_type, number, action)
        yield LifecycleRule(0, selection, count_type, number, action, f"ecr-steward: {_native_spelling(rule)}")


def _native_spelling(rule: LifecycleRule) -> str:
    if rule.count_type is CountType.IMAGES and rule.action is Action.EXPIRE:
        return f"keep the newest {rule.count_number} of {rule.selection}"
    return str(rule)


def _count(half: Keep | Expire | Archive) -> tuple[CountType, int]:
    """What an entry counts, and how many."""
    counts = (
        ("newest", CountType.IMAGES),
        ("all_but_newest", CountType.IMAGES),
        ("after", CountType.PUSHED),
        ("not_pulled_for", CountType.PULLED),
        ("archived_for", CountType.ARCHIVED),
    )
    return next((kind, number) for key, kind in counts if (number := getattr(half, key, None)) is not None)


def _numbered(rules: Sequence[LifecycleRule]) -> Iterator[LifecycleRule]:
    """Rules with their priorities. Those for any image come last, though only in their storage class have they to."""
    ordered = sorted(rules, key=lambda rule: rule.selection.tag_status is TagStatus.ANY)
    for priority, rule in enumerate(ordered, start=1):
        yield LifecycleRule(priority, rule.selection, rule.count_type, rule.count_number, rule.action, rule.description)


# ------------------------------------------------------------------ what the sweep does


def _keep(keep: Keep) -> ProtectingKeep:
    in_use = frozenset(map(Use, keep.in_use or ()))
    spelling = f"keep {_which(keep)}"
    if keep.pulled_within is not None:
        spelling += f" pulled within {_days(keep.pulled_within)}"
    if in_use:
        spelling += f" in use by {' or '.join(sorted(in_use))}"
    return ProtectingKeep(spelling, _selection(keep), keep.pulled_within, in_use)


def _swept(half: Keep | Expire | Archive, selection: Selection, above: _Above) -> ExpireRule:
    count_type, number = _count(half)
    spared = tuple(above.everything)
    match count_type:
        case CountType.IMAGES:
            spelling = f"keep the newest {number} of {_which(half)}"
            return ExpireRule(spelling, selection, newest=number, above=spared)
        case CountType.PULLED:
            spelling = f"expire {_which(half)} not pulled for {_days(number)}"
            return ExpireRule(spelling, selection, not_pulled_for=number, above=spared)
        case _:
            spelling = f"expire {_which(half)} {_days(number)} after their push"
            return ExpireRule(spelling, selection, after=number, above=spared)


def _which(half: Keep | Expire | Archive) -> str:
    if half.untagged:
        return "untagged images"
    if half.tags:
        return " or ".join(tag_matcher(pattern).spelling for pattern in half.tags)
    if half.all_tags:
        return " and ".join(tag_matcher(pattern).spelling for pattern in half.all_tags)
    return "all images"


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"
