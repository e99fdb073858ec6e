"""Rulebooks to begin a test with."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecr_steward.rulebook.validate import validate

EXAMPLE_FILE = Path(__file__).parents[3] / "layers" / "rulebook" / "ecr-steward.yaml"
EXAMPLE: dict[str, Any] = {
    "version": 1,
    "rules": [
        {
            "name": "services",
            "match": {"repositories": ["team-*/**"]},
            "mode": "enforce",
            "image_tags": {
                "allow": ["semver"],
                "deny": ["latest"],
                "aliases": {"from": "semver", "add": ["{major}.{minor}-latest", "{major}-latest"]},
                "on_violation": "quarantine",
            },
            "repository": {
                "policy": {"pull": ["account"]},
                "lifecycle": [
                    {"keep": {"newest": 30, "tags": ["*.*.*"]}},
                    {"expire": {"untagged": True, "after": "14d"}},
                ],
                "mutability": {"immutable": True, "except": ["*-latest"]},
                "scanning": "on_push",
                "resource_tags": {"managed-by": "ecr-steward"},
            },
            "replicate": [{"to": [{"region": "eu-west-1"}], "referrers": True}],
        }
    ],
}


@pytest.fixture
def example() -> dict[str, Any]:
    """The example rulebook as data: a fresh copy every time."""
    return copy.deepcopy(EXAMPLE)


@pytest.fixture
def example_file() -> Path:
    """The example rulebook as its file."""
    return EXAMPLE_FILE


@pytest.fixture
def with_rule() -> Callable[..., dict[str, Any]]:
    """A rulebook with one rule that has these keys."""

    def build(**keys: Any) -> dict[str, Any]:
        return {"version": 1, "rules": [{"name": "services", "match": {"repositories": ["**"]}} | keys]}

    return build


@pytest.fixture
def problems_of() -> Callable[[Any], list[str]]:
    """What is wrong with a rulebook, as text."""
    return lambda data: [str(problem) for problem in validate(data)[1]]
