"""Replicas: which repositories are copied into another one, by the steward or by ECR itself."""

from collections.abc import Iterable, Iterator

from ecr_steward.domain.names import AnyRepository, RegistryRef, RepositoryRef
from ecr_steward.domain.registry_rules import governing_registry
from ecr_steward.domain.rules import Destination, OtherDestination, ReplicationRules, Rules
from ecr_steward.errors import InvalidNameError

type Place = tuple[Destination | OtherDestination, AnyRepository | InvalidNameError]
"""A destination, and the repository that it means for a source, or why no repository can have such a name."""
_ANY_REGION = ("us-east-1", "us-west-2")
_ANY_ACCOUNT = "000000000000"


def places(replication: ReplicationRules, source: RepositoryRef) -> Iterator[Place]:
    """Where an entry copies a repository to; a name that ``{name}`` makes too long costs that destination alone."""
    for destination in replication.everywhere:
        try:
            yield destination, destination.of(source)
        except InvalidNameError as cause:
            what = f"{source} is not copied to `{destination.repository}`"
            yield destination, InvalidNameError(f"{what}: {cause}. Choose a shorter name in `to`, or exclude it")


def impossible_places(replications: Iterable[ReplicationRules], source: RepositoryRef) -> list[InvalidNameError]:
    """The destinations that cannot exist for a repository, as errors to report."""
    return [to for each in replications for _, to in places(each, source) if isinstance(to, InvalidNameError)]


def sources_of(rules: Rules, replica: RepositoryRef, registries: Iterable[RegistryRef]) -> Iterator[RepositoryRef]:
    """The repositories of these registries that the rulebook has copied there, whether they are there or not.

    Where many are copied under one name none is its source: whose settings should it have?
    """
    for registry in registries:
        if registry != replica.registry and _is_replicated_by_ecr(rules, replica, registry):
            yield replica.in_registry(registry)
        for rule in rules.rules:
            for destination in (to for replication in rule.replicate or () for to in replication.to):
                source = _source(destination, replica, registry)
                if source is not None and source != replica and rule.match.may_cover(source):
                    yield source


def may_be_sources(rules: Rules, replica: RepositoryRef, homes: Iterable[RegistryRef]) -> Iterator[RepositoryRef]:
    """Repositories that may be copied there, by this steward or by one that has the same rulebook elsewhere.

    More than ``sources_of``: of all accounts and regions that a pattern covers some are tried, and ``defaults`` copy,
    too. Where a destination has a fixed name, each of many repositories may be its source: none is named then.
    """
    known = tuple(homes)
    regions = {*_ANY_REGION, *(home.region for home in known), *_spelled(rules, "regions")}
    accounts = {_ANY_ACCOUNT, *(home.account for home in known), *_spelled(rules, "accounts")}
    registries = [RegistryRef(account, region) for account in sorted(accounts) for region in sorted(regions)]
    yield from sources_of(rules, replica, registries)
    copied = rules.defaults.replicate if rules.defaults else None
    for registry in registries:
        for destination in (to for replication in copied or () for to in replication.to):
            source = _source(destination, replica, registry)
            if source is not None and source != replica and rules.may_govern(source):
                yield source


def _spelled(rules: Rules, what: str) -> Iterator[str]:
    """The accounts or regions that rules name in full."""
    for rule in rules.rules:
        for pattern in getattr(rule.match, what):
            if "*" not in pattern.spelling:
                yield pattern.spelling


def is_source(source: RepositoryRef, replica: RepositoryRef, rules: Rules) -> bool:
    """Whether a repository is the one whose copy another is."""
    return source in sources_of(rules, replica, [source.registry])


def native_destinations(rules: Rules, registry: RegistryRef) -> frozenset[RegistryRef]:
    """The registries that the rulebook has ECR itself replicate to from this one."""
    return frozenset(
        destination
        for governing in governing_registry(rules.registries, registry)
        if governing.wanted.replication
        for rule in governing.wanted.replication.rules
        for destination in rule.destinations
    )


def _is_replicated_by_ecr(rules: Rules, replica: RepositoryRef, registry: RegistryRef) -> bool:
    return any(
        replica.registry in rule.destinations and rule.covers(replica.name)
        for governing in governing_registry(rules.registries, registry)
        if governing.wanted.replication
        for rule in governing.wanted.replication.rules
    )


def _source(destination: Destination, replica: RepositoryRef, registry: RegistryRef) -> RepositoryRef | None:
    """The repository of a registry whose copy a replica is, if this destination makes it one."""
    before, name, after = (destination.repository or "{name}").partition("{name}")
    fits = replica.name.startswith(before) and replica.name.endswith(after)
    if not name or not fits or destination.registry(registry) != replica.registry:
        return None
    try:
        return RepositoryRef(registry, replica.name[len(before) : len(replica.name) - len(after)])
    except InvalidNameError:
        return None
