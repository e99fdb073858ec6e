"""Patterns: what they match, against two independent matchers, and that none can hang."""

import fnmatch
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcmatch import glob

from ecr_steward.rulebook.image_tags import RegexPattern
from ecr_steward.rulebook.patterns import repository_matcher, star_matcher, tag_matcher

GLOB_FLAGS = glob.GLOBSTAR | glob.FORCEUNIX | glob.DOTGLOB | glob.CASE
segments = st.sampled_from(["**", "*", "a", "a*", "*b", "ab", "a*b", "*a*"])
globs = st.lists(segments, min_size=1, max_size=4).map("/".join)
names = st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=4).map("/".join)


@given(globs, names)
def test_a_glob_matches_as_wcmatch_does_when_it_is_one_that_we_accept(pattern, name):
    assert repository_matcher(pattern).matches(name) == bool(glob.globmatch(name, pattern, flags=GLOB_FLAGS))


@given(st.text("a1.*-", min_size=1, max_size=8), st.text("a1.-", max_size=8))
def test_a_star_matches_as_fnmatch_does_when_it_is_the_only_wildcard(pattern, text):
    assert star_matcher(pattern).matches(text) == fnmatch.fnmatchcase(text, pattern)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("team-*/**", "team-a/api", True),
        ("team-*/**", "team-a/api/v2", True),
        ("team-*/**", "team-a", False),
        ("team-*/**", "x/team-a/api", False),
        ("team-a/*", "team-a/api/v2", False),
        ("**", "anything/at/all", True),
        ("**/api", "api", True),
        ("a.c/*", "abc/x", False),
    ],
)
def test_a_glob_knows_slashes_when_it_matches(pattern, name, matches):
    assert repository_matcher(pattern).matches(name) is matches


@pytest.mark.parametrize(
    ("image_tag", "matches"),
    [
        ("1.4.2", True),
        ("v1.4.2", True),
        ("1.4.2-rc.1", True),
        ("1.4", False),
        ("vv1.4.2", False),
        ("01.4.2", False),
        ("1.4.2.1", False),
        ("latest", False),
        ("1.4.٢", False),  # an Arabic digit
        ("1.4.2\n", False),
    ],
)
def test_semver_takes_whole_versions_when_it_matches(image_tag, matches):
    assert tag_matcher("semver").matches(image_tag) is matches


def test_a_regex_must_match_the_whole_image_tag_when_it_matches():
    matcher = tag_matcher(RegexPattern(regex="sha-[0-9a-f]{7}|main"))

    assert [matcher.matches(tag) for tag in ("sha-0123abc", "main", "sha-0123abcd", "xmain", "main\n")] == [
        True,
        True,
        False,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("matcher", "text"),
    [
        (tag_matcher(RegexPattern(regex="(a+)+b")), "a" * 300),
        (tag_matcher(RegexPattern(regex="(a|aa)*c")), "a" * 300),
        (star_matcher("*a" * 60 + "b"), "a" * 300),
        (repository_matcher("**/a/" * 40 + "b"), "a/" * 127 + "c"),
    ],
)
def test_no_pattern_hangs_when_it_explodes_elsewhere(matcher, text):
    before = time.process_time()

    assert not matcher.matches(text)
    assert time.process_time() - before < 0.5


def test_a_matcher_says_its_pattern_when_asked():
    assert [tag_matcher("semver").spelling, tag_matcher(RegexPattern(regex="a+")).spelling] == ["semver", "a+"]
