"""What ECR's tag filters cover, against trying texts out."""

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.domain import tag_rules
from ecr_steward.rulebook.tag_filters import covered_release, covers, overlaps, propose_filter
from ecr_steward.rulebook.versions import SCHEMES

numbers = st.sampled_from([0, 1, 2, 10, 12, 112, 1001])
filters = st.text("12.*v-l", min_size=1, max_size=8)
shapes = st.lists(st.sampled_from(["{major}", "{minor}", ".", "-l", "v", "1"]), min_size=1, max_size=5).map("".join)


def fill(shape, *numbers):
    return tag_rules.fill(shape, dict(zip(("major", "minor", "patch"), map(str, numbers), strict=True)))


@given(filters, shapes, numbers, numbers)
def test_a_filter_overlaps_a_shape_when_it_matches_a_text_of_it(tag_filter, shape, major, minor):
    if fnmatch.fnmatchcase(fill(shape, major, minor, 0), tag_filter):
        assert overlaps(tag_filter, shape)


@given(filters, shapes, numbers, numbers)
def test_a_filter_matches_every_text_of_a_shape_when_it_covers_it(tag_filter, shape, major, minor):
    if covers(tag_filter, shape):
        assert fnmatch.fnmatchcase(fill(shape, major, minor, 0), tag_filter)
        assert overlaps(tag_filter, shape)


@given(st.text("1.*v", min_size=1, max_size=5))
def test_a_filter_matches_some_release_when_it_covers_one(tag_filter):
    alphabet = [0, 1, 11, 111, 1111, 11111]
    shapes = SCHEMES["semver"].releases
    releases = [fill(shape, a, b, c) for shape in shapes for a in alphabet for b in alphabet for c in alphabet]

    covered = covered_release(tag_filter, ["semver"]) is not None

    assert covered == any(fnmatch.fnmatchcase(text, tag_filter) for text in releases)


@pytest.mark.parametrize(
    ("tag_filter", "schemes", "example"),
    [
        ("*-latest", ["semver", "calver"], None),
        ("latest*", ["semver", "calver"], None),
        ("1.2", ["semver"], None),
        ("*", ["semver"], "1.4.2"),
        ("v*", ["semver"], "1.4.2"),
        ("1.*.3", ["semver"], "1.4.2"),
        ("*.4*", ["semver"], "1.4.2"),
        ("2026*", ["calver"], "2026.11"),
        ("2026.11", ["calver"], "2026.11"),
        ("*", ["git_sha"], None),
    ],
)
def test_releases_are_seen_when_a_filter_covers_them(tag_filter, schemes, example):
    assert covered_release(tag_filter, schemes) == example


@given(shapes, st.lists(st.sampled_from(list(SCHEMES)), unique=True))
def test_a_proposal_covers_the_alias_and_no_release_when_there_is_one(shape, schemes):
    proposed = propose_filter(shape, schemes)
    if proposed is not None:
        assert covers(proposed, shape)
        assert covered_release(proposed, schemes) is None
