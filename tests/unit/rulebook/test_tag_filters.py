"""What ECR's tag filters cover, against trying texts out."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.domain.tag_rules import fill
from ecr_steward.rulebook.tag_filters import RELEASES, covers, covers_a_release, overlaps, propose_filter

numbers = st.sampled_from([0, 1, 2, 10, 12, 112, 1001])
filters = st.text("12.*v-l", min_size=1, max_size=8)
shapes = st.lists(st.sampled_from(["{major}", "{minor}", ".", "-l", "v", "1"]), min_size=1, max_size=5).map("".join)


@given(filters, shapes, numbers, numbers)
def test_a_filter_overlaps_a_shape_when_it_matches_a_text_of_it(tag_filter, shape, major, minor):
    if fnmatch.fnmatchcase(fill(shape, major, minor, 0), tag_filter):
        assert overlaps(tag_filter, shape)


@given(filters, shapes, numbers, numbers)
def test_a_filter_matches_every_text_of_a_shape_when_it_covers_it(tag_filter, shape, major, minor):
    if covers(tag_filter, shape):
        assert fnmatch.fnmatchcase(fill(shape, major, minor, 0), tag_filter)
        assert overlaps(tag_filter, shape)


@given(st.text("1.*v", min_size=1, max_size=6))
def test_a_filter_matches_some_release_when_it_covers_one(tag_filter):
    alphabet = [0, 1, 11, 111, 1111]
    releases = [fill(shape, a, b, c) for shape in RELEASES for a in alphabet for b in alphabet for c in alphabet]

    assert covers_a_release(tag_filter) == any(fnmatch.fnmatchcase(text, tag_filter) for text in releases)


@pytest.mark.parametrize(
    ("tag_filter", "covered"),
    [
        ("*-latest", False),
        ("latest*", False),
        ("1.2", False),
        ("*", True),
        ("v*", True),
        ("1.*.3", True),
        ("*.4*", True),
    ],
)
def test_releases_are_seen_when_a_filter_covers_them(tag_filter, covered):
    assert covers_a_release(tag_filter) is covered


@given(shapes)
def test_a_proposal_covers_the_alias_and_no_release_when_there_is_one(shape):
    proposed = propose_filter(shape)
    if proposed is not None:
        assert covers(proposed, shape)
        assert not covers_a_release(proposed)
