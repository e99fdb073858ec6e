"""Rulebooks to begin a test with."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ecr_steward.rulebook.inheritance import SECTIONS
from ecr_steward.rulebook.validate import validate

EXAMPLE_FILE = Path(__file__).parents[3] / "docs" / "rulebook" / "example" / "ecr-steward.yaml"
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
        },
        {
            "name": "payments",
            "match": {"repositories": ["payments/**"], "accounts": ["111122223333"]},
            "scan": {"fail_on": {"severity": "HIGH"}, "unscannable": "pass"},
            "replicate": [
                {"to": [{"account": "222233334444", "repository": "release/{name}"}], "when": ["scan_passed"]}
            ],
        },
    ],
    "waivers": [
        {
            "finding": "CVE-2026-12345",
            "repositories": ["payments/**"],
            "until": "2027-01-31",
            "reason": "the service never parses foreign XML",
            "owner": "team-payments",
        }
    ],
    "credentials": [
        {
            "name": "on-prem-cluster",
            "registries": [{"region": "us-east-1"}, {"account": "222233334444"}],
            "sinks": [{"secretsmanager": "ecr-steward/on-prem-cluster", "format": "dockerconfigjson"}],
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
    """A rulebook with one rule that has these keys, and one that hurts nobody where none of them is a section."""

    def build(**keys: Any) -> dict[str, Any]:
        said = {} if keys.keys() & {*SECTIONS, "final", "extends"} - {"mode"} else {"image_tags": {"deny": ["nightly"]}}
        return {"version": 1, "rules": [{"name": "services", "match": {"repositories": ["**"]}} | said | keys]}

    return build


@pytest.fixture
def with_waiver() -> Callable[..., dict[str, Any]]:
    """A rulebook with one waiver, changed by these keys; ``None`` takes a key away."""
    return lambda **keys: _with_entry("waivers", keys)


@pytest.fixture
def with_credential() -> Callable[..., dict[str, Any]]:
    """A rulebook with one credential, changed by these keys; ``None`` takes a key away."""
    return lambda **keys: _with_entry("credentials", keys)


def _with_entry(key: str, changes: dict[str, Any]) -> dict[str, Any]:
    data = copy.deepcopy(EXAMPLE)
    entry = data[key][0] | changes
    data[key] = [{name: value for name, value in entry.items() if value is not None}]
    return data


@pytest.fixture
def problems_of() -> Callable[[Any], list[str]]:
    """What is wrong with a rulebook, as text."""
    return lambda data: [str(problem) for problem in validate(data)[1]]
