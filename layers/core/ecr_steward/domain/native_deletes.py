"""What ECR's own replication takes along: whose replicas lose what their source loses."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ecr_steward.domain.repositories import Document


def newly_deleting(before: Document | None, after: Document, names: Iterable[str]) -> frozenset[str]:
    """Repositories whose deletions are replicated to a destination by this configuration, and not by the one before."""
    listed = list(names)
    return frozenset(name for name, _ in _deleting(after, listed) - _deleting(before or {}, listed))


def _deleting(configuration: Document, names: Iterable[str]) -> frozenset[tuple[str, tuple[str, str]]]:
    """Each repository with each destination that loses what it loses."""
    rules = [one for one in configuration.get("rules", []) if one.get("deleteReplication", {}).get("enabled")]
    return frozenset(
        (name, place) for name in names for rule in rules if _covers(rule, name) for place in _destinations(rule)
    )


def _covers(rule: Mapping[str, Any], name: str) -> bool:
    """A filter of another type than a prefix may choose any repository."""
    filters = rule.get("repositoryFilters", [])
    prefixes = tuple(str(one.get("filter")) for one in filters if one.get("filterType") == "PREFIX_MATCH")
    return len(prefixes) < len(filters) or not filters or name.startswith(prefixes)


def _destinations(rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for one in rule.get("destinations", []):
        yield one.get("registryId", ""), one.get("region", "")
