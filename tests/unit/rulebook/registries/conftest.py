"""Rulebooks with entries for whole registries."""

from collections.abc import Callable
from typing import Any

import pytest

type Build = Callable[..., dict[str, Any]]


@pytest.fixture
def with_registries() -> Build:
    """A rulebook with a rule and these entries; an entry without a name is called ``all``."""

    def build(*entries: dict[str, Any], **keys: Any) -> dict[str, Any]:
        rule = {
            "name": "services",
            "match": {"repositories": ["**"]},
            "repository": {"policy": {"pull": ["account"]}, "mutability": {"immutable": True}},
        }
        return {"version": 1, "rules": [rule], "registries": [{"name": "all"} | entry for entry in entries], **keys}

    return build
