"""What holds for a repository: the rules, and the resource tags where rules ask for them."""

from collections.abc import Sequence, Set
from typing import Final

from ecr_steward.domain.governance import needed_parts, needs_registry_scanning
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.repositories import Part, Repository
from ecr_steward.domain.rules import Governing, Rule, Rules
from ecr_steward.ports.registry import Registry

NONE: Final = frozenset[Part]()


def governing_rules(repository: RepositoryRef, rules: Rules, registry: Registry) -> Governing:
    """What the rules say about a repository. Its resource tags are read only where something depends on them.

    Raises RepositoryNotFoundError where they are.
    """
    governing, _ = governed(Repository.unread(repository), rules, registry)
    return governing


def governed(repository: Repository, rules: Rules, registry: Registry) -> tuple[Governing, Repository]:
    """What the rules say about a repository, and what has been read of it for that."""
    if not rules.needs_resource_tags(repository.ref):
        return rules.governing(repository.ref, {}), repository
    carrying = repository.carrying(registry.resource_tags(repository.ref))
    return rules.governing(repository.ref, carrying.settings.resource_tags), carrying


def read_settings(rules: Sequence[Rule], known: Repository, registry: Registry, parts: Set[Part] = NONE) -> Repository:
    """Read of a repository what these rules speak of, and these parts. Raises RepositoryNotFoundError."""
    actual = registry.repository(known, needed_parts(rules, known.ref) | parts)
    if needs_registry_scanning(rules, actual):
        return registry.repository(actual, {Part.REGISTRY_SCANNING})
    return actual


def governed_settings(ref: RepositoryRef, rules: Rules, registry: Registry) -> tuple[Governing, Repository]:
    """The rules of a repository with what they speak of, and its description. Raises RepositoryNotFoundError."""
    governing, known = governed(Repository.unread(ref), rules, registry)
    return governing, read_settings(governing.settings, known, registry, {Part.DESCRIPTION})
