"""What holds for a repository: the rules, and the resource tags where rules ask for them."""

from collections.abc import Callable, Mapping, Sequence, Set
from typing import Final

from ecr_steward.domain.governance import needed_parts, needs_registry_scanning
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.replicas import is_source, sources_of
from ecr_steward.domain.repositories import Part, Repository
from ecr_steward.domain.rules import UNGOVERNED, Governing, Rule, Rules
from ecr_steward.errors import RepositoryNotFoundError
from ecr_steward.ports.registry import Registry

NONE: Final = frozenset[Part]()


def governing_rules(repository: RepositoryRef, rules: Rules, registry: Registry) -> Governing:
    """What the rules say about a repository. Its resource tags are read only where something depends on them.

    Raises RepositoryNotFoundError where they are.
    """
    governing, _ = governed(Repository.unread(repository), rules, registry)
    return governing


def tags_to_match(repository: RepositoryRef, rules: Rules, registry: Registry) -> Mapping[str, str]:
    """The resource tags of a repository, where rules ask for any; else nothing is read.

    Raises RepositoryNotFoundError where they do.
    """
    return registry.resource_tags(repository) if rules.needs_resource_tags(repository) else {}


def governed(
    repository: Repository, rules: Rules, registry: Registry, homes: Sequence[RegistryRef] = ()
) -> tuple[Governing, Repository]:
    """What the rules say about a repository, and what has been read of it for that.

    One that no rule covers has the settings of its source, where it is a replica of a repository of these homes.
    """
    if rules.may_govern(repository.ref):
        if not rules.needs_resource_tags(repository.ref):
            return rules.governing(repository.ref, {}), repository
        repository = repository.carrying(registry.resource_tags(repository.ref))
        governing = rules.governing(repository.ref, repository.settings.resource_tags)
        if governing.names:
            return governing, repository
    for source in sources_of(rules, repository.ref, homes):
        try:
            resource_tags = tags_to_match(source, rules, registry)
            if not rules.needs_resource_tags(source):
                registry.repository(source, {Part.DESCRIPTION})
        except RepositoryNotFoundError:
            continue
        governing, repository = _settings_of_source(source, resource_tags, repository, rules, registry)
        if governing.settings:
            return governing, repository
    return UNGOVERNED, repository


def _settings_of_source(
    source: RepositoryRef, resource_tags: Mapping[str, str], replica: Repository, rules: Rules, registry: Registry
) -> tuple[Governing, Repository]:
    """What holds for a replica by the rules of its source, which has these resource tags."""
    governing = rules.governing_replica(source, resource_tags, replica.ref)
    if not rules.infrastructure_code or not governing.settings:
        return governing, replica
    replica = replica.carrying(registry.resource_tags(replica.ref))
    if rules.is_owned_by_code(replica.settings.resource_tags):
        return governing.observing(rules.code_owns), replica
    return governing, replica


def governing_new(
    ref: RepositoryRef,
    source: RepositoryRef | None,
    rules: Rules,
    resource_tags: Callable[[RepositoryRef], Mapping[str, str]],
) -> Governing:
    """What will hold for a repository that is not there yet: what its rules say, or its source's where none covers it.

    A new repository carries no resource tag; those of the source are read as ``tags_to_match`` does.
    """
    governing = rules.governing(ref, {})
    if governing.names or source is None or not is_source(source, ref, rules):
        return governing
    return rules.governing_replica(source, resource_tags(source), ref)


def read_settings(rules: Sequence[Rule], known: Repository, registry: Registry, parts: Set[Part] = NONE) -> Repository:
    """Read of a repository what these rules speak of, and these parts. Raises RepositoryNotFoundError."""
    actual = registry.repository(known, needed_parts(rules, known.ref) | parts)
    if needs_registry_scanning(rules, actual):
        return registry.repository(actual, {Part.REGISTRY_SCANNING})
    return actual


def governed_settings(
    ref: RepositoryRef, rules: Rules, registry: Registry, source: RepositoryRef
) -> tuple[Governing, Repository]:
    """The rules of a repository, or of the source that is copied there, with what they speak of, and its description.

    Raises RepositoryNotFoundError.
    """
    governing, known = governed(Repository.unread(ref), rules, registry)
    if not governing.names and is_source(source, ref, rules):
        governing, known = _settings_of_source(source, tags_to_match(source, rules, registry), known, rules, registry)
    return governing, read_settings(governing.settings, known, registry, {Part.DESCRIPTION})
