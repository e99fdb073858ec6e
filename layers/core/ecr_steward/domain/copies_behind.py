"""How many copies have brought a repository's images where they are: noted on each repository made for copies.

Within one rulebook that is known from the rulebook itself. A steward with another one, elsewhere, knows it from a
resource tag of the repository that the copy made: without it two of them could copy each other's copies under ever
longer names.
"""

from collections.abc import Mapping
from typing import Final

from ecr_steward.domain.one_source import LONGEST_CHAIN

RESOURCE_TAG: Final = "ecr-steward:copies"


def copies_behind(resource_tags: Mapping[str, str]) -> int:
    """The number that a repository's resource tags say; anything but a number counts as the largest allowed."""
    said = resource_tags.get(RESOURCE_TAG)
    if said is None:
        return 0
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 3 else LONGEST_CHAIN


def resource_tags_of_copies(of_source: Mapping[str, str]) -> Mapping[str, str]:
    """What a repository carries that is made for copies of one with these resource tags."""
    return {RESOURCE_TAG: str(copies_behind(of_source) + 1)}


def is_too_far(of_source: Mapping[str, str]) -> bool:
    """Whether no repository is to be made for copies of one with these resource tags."""
    return copies_behind(of_source) >= LONGEST_CHAIN
