"""What lifecycle entries say against each other, and what of them ECR would not take."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Self

from ecr_steward.domain.lifecycle.document import lifecycle_text
from ecr_steward.domain.lifecycle.policy import MOST_RULES
from ecr_steward.domain.matching import Matcher
from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.compile_lifecycle import compile_lifecycle
from ecr_steward.rulebook.image_tags import TagPattern
from ecr_steward.rulebook.lifecycle import LifecycleEntry
from ecr_steward.rulebook.problems import Path, Problem

LIFECYCLE_LIMIT: Final = 30_720
"""Characters in a lifecycle policy (``lifecyclePolicyText`` in the PutLifecyclePolicy API reference)."""


def lifecycle_fits(entries: Sequence[LifecycleEntry], at: Path, protect: Iterable[Matcher] = ()) -> Iterator[Problem]:
    """Entries that never have a say, that nobody can carry out, or that ECR would find too many.

    ``protect`` are the image tags that the same rule protects. What another one protects is not known here.
    """
    yield from _every_entry_decides(entries, at)
    lifecycle = compile_lifecycle(entries, protect)
    for refused in lifecycle.refused:
        yield Problem(
            (*at, refused.position, entries[refused.position].key), refused.why, refused.expected, code=refused.code
        )
    if (length := len(lifecycle_text(lifecycle.native))) > LIFECYCLE_LIMIT:
        yield Problem(
            at,
            f"the lifecycle policy has {length} characters",
            f"at most {LIFECYCLE_LIMIT}, as ECR takes them",
            code=Code.LIFECYCLE_TOO_LONG,
        )
    if (number := len(lifecycle.native.rules)) > MOST_RULES:
        yield Problem(
            at,
            f"the lifecycle policy has {number} rules, one for each pattern",
            f"at most {MOST_RULES}, as ECR takes them",
            code=Code.LIFECYCLE_TOO_MANY_RULES,
        )


def _every_entry_decides(entries: Sequence[LifecycleEntry], at: Path) -> Iterator[Problem]:
    """The first entry that selects an image decides: one below it that selects no other image has no say."""
    for archived in (False, True):
        of_class = [
            (number, entry)
            for number, entry in enumerate(entries)
            if not entry.protects and entry.selects_archived is archived
        ]
        seen: list[_Selected] = []
        for number, entry in of_class:
            selected = _Selected.by(entry)
            if any(selected.is_within(one) for one in seen):
                yield Problem(
                    (*at, number, entry.key),
                    "an entry above selects the same images, so this one has no say",
                    "one entry for them",
                    code=Code.LIFECYCLE_SAME_SELECTION,
                )
            seen.append(selected)
            if selected == _Selected() and number != of_class[-1][0]:
                yield Problem(
                    (*at, number, entry.key),
                    "this selects all images, so no entry below it has a say",
                    "it at the end",
                    code=Code.LIFECYCLE_SELECTS_ALL,
                )


@dataclass(frozen=True)
class _Selected:
    """What an entry selects, by the words that it is written in."""

    tags: frozenset[TagPattern] = frozenset()
    all_tags: frozenset[TagPattern] = frozenset()
    untagged: bool = False

    @classmethod
    def by(cls, entry: LifecycleEntry) -> Self:
        half = entry.half
        return cls(frozenset(half.tags or ()), frozenset(half.all_tags or ()), bool(half.untagged))

    def is_within(self, other: Self) -> bool:
        """Whether this selects nothing that the other does not. An entry for all images is told something else."""
        return self == other or (bool(self.tags) and self.tags <= other.tags)
