"""The limits of a rulebook, and what reading one costs at them."""

import json
from typing import Any

import pytest

from ecr_steward.rulebook import patterns
from ecr_steward.rulebook.load import parse_compiled


def compiled(rules: list[dict[str, Any]], **more: Any) -> bytes:
    return json.dumps({"format": 1, "rulebook": {"version": 1, "rules": rules, **more}}).encode()


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
