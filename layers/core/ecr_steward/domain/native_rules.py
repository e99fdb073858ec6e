"""A rule of ECR's own replication, as its API has it."""

from collections.abc import Mapping
from typing import Any


def prefixes_of(rule: Mapping[str, Any]) -> frozenset[str] | None:
    """What it chooses repositories by; ``None`` where it does so in a way that the rulebook cannot say."""
    filters = rule.get("repositoryFilters", [])
    if any(one.get("filterType") != "PREFIX_MATCH" for one in filters):
        return None
    return frozenset(one["filter"] for one in filters)


def place_of(destination: Mapping[str, Any]) -> tuple[str, str]:
    """Account and region of a destination."""
    return destination.get("registryId", ""), destination.get("region", "")
