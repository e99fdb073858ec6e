"""One place, one source: which copies must not be made, since they would meet others, come back, or run away.

Where two repositories are copied to one place, an image tag of both would be moved to and fro by each sweep. Where a
copy is copied on in a circle, or under a longer name each time, nothing comes to rest. And what arrives in another
account or region goes no further unless a rule names that account or region as a source.

What ECR itself replicates, as ``registries`` has it, counts as what the steward copies does, whatever the mode of the
entry. ECR asks no rule, and it replicates what is pushed (by the steward, too), but never what it has replicated.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property, lru_cache
from typing import Final

from ecr_steward.domain.asked_copies import Asked, AskedCopies, leaves_unnamed_account, names
from ecr_steward.domain.names import AnyRepository, OtherRepository, RegistryRef, RepositoryRef
from ecr_steward.domain.native_sources import NativeSources, Replicated
from ecr_steward.domain.rules import ReplicationRules, Rule, Rules

LONGEST_CHAIN: Final = 4
"""How many copies may follow each other: from a team to a release, to an account, to a region, and one more."""
_EXEMPT: Final = "or a rule above that exempts it"


class Fault(Enum):
    """What is wrong with a copy."""

    ACCOUNT_NOT_NAMED = auto()
    """It leaves its account, and the rule does not name that account as a source."""
    REPLICA_NOT_NAMED = auto()
    """Its source is a copy from another account or region, and the rule does not name where that arrives."""
    REPLICATED_IN_A_CIRCLE = auto()
    """The same, where ECR replicates from there, too, and back: of what is pushed to any of them nothing is copied."""
    SEVERAL_SOURCES = auto()
    COMES_BACK = auto()
    TOO_LONG = auto()
    """It would be one copy too many after each other, not counting what ECR replicates in between."""


@dataclass(frozen=True)
class Objection:
    """Why a copy is not made."""

    fault: Fault
    why: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.why}; expected {self.way_out}"


type Way = Asked | Replicated
"""How images get from a repository to another one."""


@dataclass(frozen=True)
class _Passed:
    """A repository that an image passes, and how it leaves it; the last one's is the copy that is looked at."""

    place: RepositoryRef
    leaves: Way | None = None

    @property
    def is_left_by_ecr(self) -> bool:
        return isinstance(self.leaves, Replicated)


@dataclass(frozen=True)
class OneSource:
    """Finds what speaks against a copy, from the rules alone: whether other sources are there is not asked."""

    rules: Rules
    homes: tuple[RegistryRef, ...]
    """The registries that images are copied from."""
    most_by_ecr: int | None = None
    """How many destinations of registries are looked at that ECR replicates to; ``None``: all."""

    def objection(
        self, rule: Rule, replication: ReplicationRules, source: RepositoryRef, to: AnyRepository
    ) -> Objection | None:
        """Why nothing is copied from a repository to a place by an entry of a rule; ``None`` where nothing is wrong."""
        if unnamed := _unnamed_account(rule, source, to):
            return unnamed
        if chain := self._chain(source, replication, to):
            why = f"nothing is copied to {to}: it would come back there, by {_spelled(chain)}"
            return Objection(Fault.COMES_BACK, why, f"a `match` without one of them, {_EXEMPT}")
        if replica := self._replica_not_named(rule, replication, source):
            return replica
        if rival := next(self._rivals(source, replication, to), None):
            return _several_sources(*rival, to)
        if chain := self._chain(source, replication):
            why = f"nothing is copied on from {source}: more than {LONGEST_CHAIN} copies, by {_spelled(chain)}"
            return Objection(
                Fault.TOO_LONG, why, "a `match` without its own destination, or a rule above that exempts it"
            )
        return None

    def asked_of(self, source: RepositoryRef) -> Iterator[Asked]:
        """The destinations that a repository may have, by the rules that may decide for it."""
        return self._asked.of(source)

    def _origins(self, place: AnyRepository, replication: ReplicationRules) -> Iterator[tuple[RepositoryRef, Way]]:
        """The repositories that are copied to a place, and that may bring an image tag which this entry speaks of."""
        return ((source, way) for source, way in self._into(place) if way.may_share_a_tag(replication))

    @cached_property
    def _into(self) -> Callable[[AnyRepository], tuple[tuple[RepositoryRef, Way], ...]]:
        @lru_cache(maxsize=8192)
        def into(place: AnyRepository) -> tuple[tuple[RepositoryRef, Way], ...]:
            return (*self._asked.into(place), *self._native.into(place))

        return into

    def _replica_not_named(self, rule: Rule, replication: ReplicationRules, source: RepositoryRef) -> Objection | None:
        found = None
        for origin, way in self._origins(source, replication):
            if not (key := _key_that_names(rule, origin.registry, source.registry)):
                continue
            if isinstance(way, Asked):
                why = f"nothing is copied on from {source}, where {origin} is copied to"
            elif self._native.leads_to(source, origin):
                why = f"nothing is copied from {source}: ECR replicates {origin} there, {way}, and the other way round"
                way_out = f"`match.{key}` that names the {key} whose images the rule copies"
                return Objection(Fault.REPLICATED_IN_A_CIRCLE, why, way_out)
            else:
                why = f"nothing is copied on from {source}, where ECR replicates {origin} to, {way}"
            way_out = f"`match.{key}` that names it, where it is to go on"
            found = found or Objection(Fault.REPLICA_NOT_NAMED, why, way_out)
        return found

    def _rivals(
        self, source: RepositoryRef, replication: ReplicationRules, to: AnyRepository
    ) -> Iterator[tuple[RepositoryRef, Way]]:
        """Other sources of a place. A rule that names no region is about those of one: of each steward its own."""
        into = self._asked.into if isinstance(to, OtherRepository) else self._into
        for rival, way in into(to):
            if rival == source or not way.may_share_a_tag(replication):
                continue
            if rival.registry.region != source.registry.region and not way.names_regions:
                continue
            origins = list(self._origins(rival, replication))
            if isinstance(way, Replicated):
                if _brings_others(origins, source, to):
                    yield rival, way
            elif not any(self._stops_at(rival, origin.registry) for origin, _ in origins):
                yield rival, way

    def _stops_at(self, replica: RepositoryRef, origin: RegistryRef) -> bool:
        """Whether no rule copies on what arrives there from another registry."""
        return all(_key_that_names(rule, origin, replica.registry) for rule in self._asked.deciding(replica))

    def _chain(
        self, source: RepositoryRef, replication: ReplicationRules, to: AnyRepository | None = None
    ) -> Sequence[_Passed]:
        """The repositories that an image passes from one place to a source, or as many as are too many; else none."""
        chains = [[_Passed(source)]]
        seen: set[tuple[RepositoryRef, bool]] = {(source, False)}
        for _ in range(LONGEST_CHAIN):
            longer: list[list[_Passed]] = []
            for chain in chains:  # which grows meanwhile, by what ECR replicates
                for origin, way in self._origins(chain[-1].place, replication):
                    passed = _Passed(origin, way)
                    if passed.is_left_by_ecr and chain[-1].is_left_by_ecr:
                        continue  # ECR does not replicate what it has replicated
                    if origin == to:
                        return [*chain, passed]
                    if not seen & {(origin, False), (origin, passed.is_left_by_ecr)}:
                        seen.add((origin, passed.is_left_by_ecr))
                        (chains if passed.is_left_by_ecr else longer).append([*chain, passed])
            chains = longer
        return chains[0] if chains and to is None else []

    @cached_property
    def _asked(self) -> AskedCopies:
        return AskedCopies(self.rules, self.homes)

    @cached_property
    def _native(self) -> NativeSources:
        return NativeSources(self.rules.registries, self.homes, self._asked.regions, self.most_by_ecr)


def _unnamed_account(rule: Rule, source: RepositoryRef, to: AnyRepository) -> Objection | None:
    """Who may push to a connected account chooses nothing of what another account holds, but by a rule that says so."""
    if not leaves_unnamed_account(rule, source, to):
        return None
    why = f"nothing is copied to {to}: it is in another account, and `match` names none to copy from"
    return Objection(Fault.ACCOUNT_NOT_NAMED, why, f'`accounts: ["{source.registry.account}"]` in `match`')


def _key_that_names(rule: Rule, origin: RegistryRef, source: RegistryRef) -> str | None:
    """The key of ``match`` by which a rule would have to name a registry that another's images arrive in."""
    if origin.account != source.account and not names(rule.match.accounts):
        return "accounts"
    if origin.region != source.region and not names(rule.match.regions):
        return "regions"
    return None


def _brings_others(origins: Sequence[tuple[RepositoryRef, Way]], source: RepositoryRef, to: AnyRepository) -> bool:
    """Whether ECR brings from a repository what is neither of the source nor of the place that it replicates to.

    What ECR itself has brought to that repository it replicates no further.
    """
    if copied := [origin for origin, way in origins if isinstance(way, Asked)]:
        return any(origin != source for origin in copied)
    return all(origin != to for origin, _ in origins)


def _several_sources(rival: RepositoryRef, way: Way, to: AnyRepository) -> Objection:
    if isinstance(way, Replicated):
        why = f"nothing is copied to {to}: ECR replicates {rival} to the same place, {way}"
        return Objection(Fault.SEVERAL_SOURCES, why, "a place that ECR does not replicate to, or only from the source")
    why = f"nothing is copied to {to}: {rival} goes to the same place"
    return Objection(
        Fault.SEVERAL_SOURCES, why, "one account and region in `match`, and a place of its own for each source"
    )


def _spelled(chain: Sequence[_Passed]) -> str:
    passed = list(reversed(chain))
    places = [str(each.place) for each in passed]
    if len(places) > 3:
        places[2:-1] = ["..."]
    by_ecr = next((each for each in passed if each.is_left_by_ecr), None)
    return " -> ".join(places) + (f"; ECR replicates {by_ecr.place}, {by_ecr.leaves}" if by_ecr else "")
