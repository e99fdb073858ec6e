"""Lifecycle policies and repositories to hypothesise about: of all the grammar, in few words, so that they meet."""

import hashlib
from dataclasses import replace
from datetime import timedelta

from hypothesis import assume
from hypothesis import strategies as st

from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.lifecycle.policy import (
    Action,
    CountType,
    ImageSelection,
    LifecyclePolicy,
    LifecycleRule,
    StorageClass,
    TagStatus,
)
from ecr_steward.domain.lifecycle.simulation import StoredImage
from ecr_steward.domain.names import Digest, ImageTag

TAGS = ("dev-1", "dev-2", "prod-1", "prod-2", "v1", "latest")
PATTERNS = ("dev*", "prod*", "prod-*", "*1", "*-*", "latest", "v*", "*")
PREFIXES = ("dev", "prod", "prod-", "v", "latest")
_MOMENTS = st.integers(0, 200).map(lambda days: NOON - timedelta(days=days))


@st.composite
def selections(draw: st.DrawFn, storage_class: StorageClass = StorageClass.STANDARD) -> ImageSelection:
    """A selection with a few patterns or prefixes, or without."""
    status = draw(st.sampled_from(TagStatus))
    if status is not TagStatus.TAGGED:
        return ImageSelection(status, storage_class=storage_class)
    if draw(st.booleans()):
        patterns = tuple(draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2)))
        return ImageSelection(status, patterns=patterns, storage_class=storage_class)
    prefixes = tuple(draw(st.lists(st.sampled_from(PREFIXES), min_size=1, max_size=2)))
    return ImageSelection(status, prefixes=prefixes, storage_class=storage_class)


@st.composite
def rules(draw: st.DrawFn, priority: int) -> LifecycleRule:
    """A rule that ECR would take alone."""
    count_type = draw(st.sampled_from(CountType))
    is_of_archive = count_type is CountType.ARCHIVED
    selection = draw(selections(StorageClass.ARCHIVE if is_of_archive else StorageClass.STANDARD))
    actions = {CountType.PULLED: [Action.ARCHIVE], CountType.ARCHIVED: [Action.EXPIRE]}.get(count_type, list(Action))
    number = draw(st.integers(90, 120) if is_of_archive else st.integers(1, 3) | st.integers(1, 150))
    return LifecycleRule(priority, selection, count_type, number, draw(st.sampled_from(actions)))


@st.composite
def policies(draw: st.DrawFn, most_rules: int = 5) -> LifecyclePolicy:
    """A policy that can be read; ECR would not take each."""
    priorities = draw(st.lists(st.integers(1, 20), min_size=1, max_size=most_rules, unique=True))
    return LifecyclePolicy(tuple(draw(rules(priority)) for priority in priorities))


_ACCEPTED = (
    ImageSelection(TagStatus.UNTAGGED),
    *(ImageSelection(TagStatus.TAGGED, patterns=(pattern,)) for pattern in PATTERNS),
    ImageSelection(TagStatus.TAGGED, patterns=("dev*", "*1")),
    *(ImageSelection(TagStatus.TAGGED, prefixes=(prefix,)) for prefix in PREFIXES),
    ImageSelection(TagStatus.TAGGED, prefixes=("v", "latest")),
)


@st.composite
def accepted_policies(draw: st.DrawFn) -> LifecyclePolicy:
    """A policy that ECR takes: selections that differ, and those for any image last in their storage class."""
    selections = draw(st.lists(st.sampled_from(_ACCEPTED), max_size=3, unique=True))
    selections += draw(st.sampled_from([[], [ImageSelection(TagStatus.ANY)]]))
    of_archive = draw(st.lists(st.sampled_from(_ACCEPTED), max_size=1)) + draw(
        st.sampled_from([[], [ImageSelection(TagStatus.ANY)]])
    )
    found: list[LifecycleRule] = []
    for priority, selection in enumerate(selections, start=1):
        count_type = draw(st.sampled_from([CountType.IMAGES, CountType.PUSHED, CountType.PULLED]))
        action = Action.ARCHIVE if count_type is CountType.PULLED else draw(st.sampled_from(Action))
        number = draw(st.integers(1, 2) if count_type is CountType.IMAGES else st.integers(1, 150))
        found.append(LifecycleRule(priority, selection, count_type, number, action))
    for priority, selection in enumerate(of_archive, start=11):
        archived = replace(selection, storage_class=StorageClass.ARCHIVE)
        found.append(LifecycleRule(priority, archived, CountType.ARCHIVED, draw(st.integers(90, 120))))
    assume(found)
    return LifecyclePolicy(tuple(found))


@st.composite
def repositories(draw: st.DrawFn, least_images: int = 0, most_images: int = 10) -> tuple[StoredImage, ...]:
    """Images of all ages with their tags; some are indexes that list earlier ones, some refer to an earlier one.

    No two came at the same moment: of such ECR does not say which is older.
    """
    count = draw(st.integers(least_images, most_images))
    holders = draw(st.lists(st.integers(0, most_images - 1), min_size=len(TAGS), max_size=len(TAGS)))
    images: list[StoredImage] = []
    for number in range(count):
        is_archived = draw(st.integers(0, 3)) == 3
        earlier = [image.digest for image in images]
        minute = timedelta(minutes=number + 1)
        images.append(
            StoredImage(
                digest=Digest(f"sha256:{hashlib.sha256(str(number).encode()).hexdigest()}"),
                pushed_at=draw(_MOMENTS) - minute,
                image_tags=frozenset(
                    ImageTag(tag) for tag, holder in zip(TAGS, holders, strict=True) if holder == number
                ),
                last_pulled_at=draw(st.none() | _MOMENTS),
                storage_class=StorageClass.ARCHIVE if is_archived else StorageClass.STANDARD,
                archived_at=draw(_MOMENTS) - minute if is_archived else None,
                restored_at=draw(st.none() | _MOMENTS.map(lambda at, minute=minute: at - minute)),  # type: ignore[misc]
                is_being_restored=is_archived and draw(st.integers(0, 9)) == 0,
                subject=draw(st.sampled_from(earlier)) if earlier and draw(st.integers(0, 4)) == 0 else None,
                children=frozenset(draw(st.sets(st.sampled_from(earlier), max_size=2)) if earlier else ()),
            )
        )
    return tuple(images)
