"""What ECR's own replication takes along: whose replicas lose what their source loses."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from ecr_steward.domain.native_rules import place_of, prefixes_of
from ecr_steward.domain.repositories import Document


def newly_deleting(before: Document | None, after: Document, names: Iterable[str]) -> frozenset[str]:
    """Repositories whose deletions are replicated to a destination by this configuration, and not by the one before."""
    listed = list(names)
    return frozenset(name for name, _ in _deleting(after, listed) - _deleting(before or {}, listed))


def _deleting(configuration: Document, names: Collection[str]) -> frozenset[tuple[str, tuple[str, str]]]:
    """Each repository with each destination that loses what it loses."""
    rules = [one for one in configuration.get("rules", []) if one.get("deleteReplication", {}).get("enabled")]
    return frozenset(
        (name, place_of(to))
        for rule in rules
        for name in names
        if _covers(rule, name)
        for to in rule.get("destinations", [])
    )


def _covers(rule: Mapping[str, Any], name: str) -> bool:
    """A filter of another type than a prefix may choose any repository."""
    prefixes = prefixes_of(rule)
    return not prefixes or name.startswith(tuple(prefixes))
