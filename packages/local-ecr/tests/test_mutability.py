"""Which tags may move, against a plain reading of the rules."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local_ecr.images.mutability import Mutability, matches_wildcard

tags = st.text("ab1.-_", min_size=1, max_size=8)
patterns = st.text("ab1.-_*", min_size=1, max_size=8)


def as_expression(pattern: str) -> str:
    return ".*".join(re.escape(piece) for piece in pattern.split("*"))


@given(pattern=patterns, image_tag=tags)
def test_a_wildcard_covers_the_whole_tag_and_only_the_star_is_special(pattern, image_tag):
    expected = re.fullmatch(as_expression(pattern), image_tag) is not None
    assert matches_wildcard(pattern, image_tag) == expected


@pytest.mark.parametrize(
    ("pattern", "image_tag", "covered"),
    [
        ("dev-*", "dev-1", True),
        ("dev-*", "deva", False),
        ("latest", "latest2", False),
        ("latest", "my-latest", False),
        ("v1.*", "v1x0", False),
        ("*-latest", "1.4-latest", True),
        ("*-latest", "1.4-latest-2", False),
        ("*", "anything", True),
        ("a*a", "a", False),
        ("a**b", "ab", True),
        ("[ab]", "a", False),
        ("?", "a", False),
    ],
)
def test_a_wildcard_is_anchored_at_both_ends(pattern, image_tag, covered):
    assert matches_wildcard(pattern, image_tag) == covered


def test_a_hostile_wildcard_takes_no_time():
    assert not matches_wildcard("a*" * 64 + "b", "a" * 300)


@given(image_tag=tags, filters=st.lists(patterns, min_size=1, max_size=5))
def test_the_two_exclusion_modes_are_each_others_opposite(image_tag, filters):
    immutable = Mutability("IMMUTABLE_WITH_EXCLUSION", tuple(filters))
    mutable = Mutability("MUTABLE_WITH_EXCLUSION", tuple(filters))
    assert immutable.protects(image_tag) != mutable.protects(image_tag)
    assert Mutability("IMMUTABLE").protects(image_tag)
    assert not Mutability("MUTABLE").protects(image_tag)
