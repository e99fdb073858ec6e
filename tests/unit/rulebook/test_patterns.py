"""Patterns: what they match, against two independent matchers, and that none can hang."""

import fnmatch
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wcmatch import glob

from ecr_steward.rulebook.image_tags import RegexPattern
from ecr_steward.rulebook.patterns import any_repository_matcher, repository_matcher, star_matcher, tag_matcher
from ecr_steward.rulebook.versions import read_calendar_version
from ecr_steward.rulebook.words import REGEX_CHARACTERS, WrongWordError, compile_regex

GLOB_FLAGS = glob.GLOBSTAR | glob.FORCEUNIX | glob.DOTGLOB | glob.CASE
segments = st.sampled_from(["**", "*", "a", "a*", "*b", "ab", "a*b", "*a*", "a.b", "*.b", "a-*", "_a"])
globs = st.lists(segments, min_size=1, max_size=5).map("/".join)
folders = st.text("ab", min_size=1, max_size=3) | st.sampled_from(["a.b", "a-b", ".b", "_a"])
names = st.lists(folders, min_size=1, max_size=5).map("/".join)


@given(globs, names)
def test_a_glob_matches_as_wcmatch_does_when_it_is_one_that_we_accept(pattern, name):
    assert repository_matcher(pattern).matches(name) == bool(glob.globmatch(name, pattern, flags=GLOB_FLAGS))


@given(st.lists(globs, min_size=1, max_size=4).map(tuple), names)
def test_several_globs_match_at_once_what_one_of_them_matches(patterns, name):
    one_matches = any(repository_matcher(pattern).matches(name) for pattern in patterns)

    assert any_repository_matcher(patterns).matches(name) == one_matches


def test_several_globs_match_when_they_are_too_large_for_one_expression():
    patterns = tuple(f"{'*a' * 120}{number}" for number in range(200))
    with pytest.raises(WrongWordError):
        compile_regex("|".join(pattern.replace("*", "[^/]*") for pattern in patterns))

    assert any_repository_matcher(patterns).matches(f"{'a' * 120}7")
    assert not any_repository_matcher(patterns).matches("a")


def test_the_oracle_cannot_be_the_matcher_since_what_it_translates_to_is_not_for_re2():
    translated, _ = glob.translate("team-*/**", flags=GLOB_FLAGS)

    with pytest.raises(ValueError, match="invalid perl operator"):
        compile_regex(translated[0])


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


@pytest.mark.parametrize(
    "image_tag",
    [
        "2026.11.26",  # YYYY.MM.DD
        "2026.4",  # YYYY.MM, as pytz
        "2015.04.28",  # YYYY.0M.0D, as certifi
        "2026.11.1205",  # YYYY.MM.MICRO
        "26.04",  # YY.0M, as Ubuntu
        "24.11.0",  # YY.MM.MICRO, as Twisted
        "v2026.11",
        "2026.11-rc1",
        "2026.11.1.dev2",
        "2026.11b1",
        "26.04-arm64",
    ],
)
def test_calver_takes_the_common_forms_of_calver_org_when_it_matches(image_tag):
    assert tag_matcher("calver").matches(image_tag)


@pytest.mark.parametrize(
    "image_tag",
    [
        "2026",
        "1.4.2",
        "2026.13",
        "2026.0",
        "1999.11",
        "2026-11-26",
        "20261126",
        "2026.11.26.3",
        "9.04",
        "2026.11\n",
        "2026.1٢",
    ],
)
def test_calver_leaves_other_forms_when_it_matches(image_tag):
    assert not tag_matcher("calver").matches(image_tag)


@pytest.mark.parametrize(
    ("image_tag", "matches"),
    [
        ("ad132f5", True),
        ("sha-ad132f5", True),
        ("git-ad132f5", True),
        ("0123456789" * 4, True),
        ("ad132f", False),
        ("0123456789" * 4 + "a", False),
        ("AD132F5", False),
        ("sha-main", False),
        ("commit-ad132f5", False),
        ("ad132f5\n", False),
    ],
)
def test_git_sha_takes_names_of_commits_when_it_matches(image_tag, matches):
    assert tag_matcher("git_sha").matches(image_tag) is matches


def test_calendar_versions_are_ordered_by_the_calendar_when_read_from_image_tags():
    in_order = ["2024.4", "24.11", "24.11.1", "2025.2-rc1", "2025.2-rc2", "2025.2", "2025.10.9", "2025.10.10", "v26.1"]
    versions = [read_calendar_version(text) for text in in_order]

    for lower, higher in itertools.pairwise(versions):
        assert lower.order < higher.order
        assert not higher.order < lower.order
    assert [version.is_prerelease for version in versions] == [False] * 3 + [True] * 2 + [False] * 4
    assert versions[1].parts == {"year": "24", "month": "11"}


def test_a_pattern_is_refused_when_it_would_compile_to_more_than_a_megabyte():
    with pytest.raises(ValueError, match="pattern too large"):
        tag_matcher(RegexPattern.model_construct(regex="(\\pL{500}){2}"))


def test_a_regex_has_characters_up_to_its_limit():
    assert tag_matcher(RegexPattern(regex="a" * REGEX_CHARACTERS)).matches("a" * REGEX_CHARACTERS)
    with pytest.raises(ValueError, match="at most 1000"):
        RegexPattern(regex="a" * (REGEX_CHARACTERS + 1))


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
    assert not matcher.matches(text)


def test_a_matcher_says_its_pattern_when_asked():
    assert [tag_matcher("semver").spelling, tag_matcher(RegexPattern(regex="a+")).spelling] == ["semver", "a+"]
