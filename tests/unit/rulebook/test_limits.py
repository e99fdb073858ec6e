"""The limits of a rulebook, and what reading one costs at them."""

import json
from typing import Any

import pytest

from ecr_steward.errors import InvalidRulebookError
from ecr_steward.rulebook import glob_meeting, patterns
from ecr_steward.rulebook.load import parse_compiled


def compiled(rules: list[dict[str, Any]], **more: Any) -> bytes:
    return json.dumps({"format": 1, "rulebook": {"version": 1, "rules": rules, **more}}).encode()


@pytest.mark.parametrize(
    ("rulebook", "reason"),
    [
        (compiled([{"name": f"r{n}", "match": {"repositories": ["a"]}} for n in range(1_001)]), "at most 1000 entries"),
        (compiled([{"match": {"repositories": [f"r{n}" for n in range(201)]}}]), "at most 200 entries"),
        (compiled([{"image_tags": {"allow": [{"regex": "x{1,900}"}] * 1_001}}]), "there are 1001 regular expressions"),
        (compiled([{"a": ["text"] * 10_001}]), "there are 10001 texts in lists"),
        (compiled([1] * 50_001), "there are too many values; expected at most 50000"),
        (b" " * (1024 * 1024 + 1), "has 1048577 bytes; a compiled rulebook has at most 1048576"),
    ],
    ids=["rules", "patterns of a list", "regexes", "patterns of all", "values", "bytes"],
)
def test_a_rulebook_is_refused_when_it_is_over_a_limit(rulebook: bytes, reason: str) -> None:
    """attacks M11"""
    with pytest.raises(InvalidRulebookError, match=reason):
        parse_compiled(rulebook, "here")


def test_at_most_a_hundred_problems_are_reported_when_the_file_is_something_else() -> None:
    """attacks M11"""
    with pytest.raises(InvalidRulebookError) as refused:
        parse_compiled(b'{"format": 1, "rulebook": {"version": 1, "rules": [' + b"1," * 900 + b"1]}}", "here")

    assert str(refused.value).count("ES106") == 100


def test_each_pattern_is_compiled_once_when_there_are_more_than_four_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    """attacks M12"""
    spelled: list[str] = []

    def compile_regex(pattern: str) -> Any:
        spelled.append(pattern)
        return original(pattern)

    original = patterns.compile_regex
    monkeypatch.setattr(patterns, "compile_regex", compile_regex)
    patterns.repository_matcher.cache_clear()
    rules = [
        {"name": f"r{n}", "match": {"repositories": [f"team-*/{n}/{each}/**" for each in range(10)]}, "final": True}
        for n in range(450)
    ]

    parse_compiled(compiled(rules), "here")

    assert len(spelled) == len(set(spelled)) == 450 * 11  # each glob, and for each rule any of its globs


def test_rules_that_copy_are_compared_with_few_others_when_all_their_globs_begin_with_a_wildcard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """attacks M11: each name was matched with each glob of each rule, and each glob compared with each other."""
    names: list[str] = []
    compared: list[str] = []

    def full_match(pattern: str) -> Any:
        matches = original(pattern)
        return lambda name: names.append(name) or matches(name)

    def one_begins(one: str, other: str) -> bool:
        compared.append(one)
        return one.startswith(other) or other.startswith(one)

    original = patterns._full_match
    monkeypatch.setattr(patterns, "_full_match", full_match)
    monkeypatch.setattr(glob_meeting, "_one_begins", one_begins)
    caches = (patterns.repository_matcher, patterns.any_repository_matcher)
    rules = [
        {
            "name": f"r{n}",
            "match": {"repositories": [f"*-{n}-{each}" for each in range(10)], "regions": ["us-east-1"]},
            "replicate": [{"to": [{"region": "eu-west-1"}]}],
        }
        for n in range(40)
    ]

    for cache in caches:
        cache.cache_clear()
    parse_compiled(compiled(rules), "here")
    for cache in caches:
        cache.cache_clear()  # of matchers that count

    assert len(names) <= 40 * 40 * 3
    assert len(compared) <= 10 * len(rules)
