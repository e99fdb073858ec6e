"""One place, one source: which copies must not be made, since they would meet others, come back, or run away.

Where two repositories are copied to one place, an image tag of both would be moved to and fro by each sweep. Where a
copy is copied on in a circle, or under a longer name each time, nothing comes to rest. And what arrives in another
account or region goes no further unless a rule names that account or region as a source.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property, lru_cache
from typing import Final

from ecr_steward.domain.asked_copies import Asked, AskedCopies, leaves_unnamed_account, names
from ecr_steward.domain.names import AnyRepository, OtherRepository, RegistryRef, RepositoryRef
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
    SEVERAL_SOURCES = auto()
    COMES_BACK = auto()
    TOO_LONG = auto()
    """It would be one copy too many after each other."""


@dataclass(frozen=True)
class Objection:
    """Why a copy is not made."""

    fault: Fault
    why: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.why}; expected {self.way_out}"


@dataclass(frozen=True)
class OneSource:
    """Finds what speaks against a copy, from the rules alone: whether other sources are there is not asked."""

    rules: Rules
    homes: tuple[RegistryRef, ...]
    """The registries that images are copied from."""

    def objection(
        self, rule: Rule, replication: ReplicationRules, source: RepositoryRef, to: AnyRepository
    ) -> Objection | None:
        """Why nothing is copied from a repository to a place by an entry of a rule; ``None`` where nothing is wrong."""
        if unnamed := _unnamed_account(rule, source, to):
            return unnamed
        if chain := self._chain(source, replication, to):
            why = f"nothing is copied to {to}: it would come back there, by {_spelled(chain)}"
            return Objection(Fault.COMES_BACK, why, f"a `match` without one of them, {_EXEMPT}")
        for origin in self._origins(source, replication):
            if key := _key_that_names(rule, origin.registry, source.registry):
                why = f"nothing is copied on from {source}, where {origin} is copied to"
                return Objection(Fault.REPLICA_NOT_NAMED, why, f"`match.{key}` that names it, where it is to go on")
        if rival := next(self._rivals(source, replication, to), None):
            why = f"nothing is copied to {to}: {rival} goes to the same place"
            way_out = "one account and region in `match`, and a place of its own for each source"
            return Objection(Fault.SEVERAL_SOURCES, why, way_out)
        if chain := self._chain(source, replication):
            why = f"nothing is copied on from {source}: more than {LONGEST_CHAIN} copies, by {_spelled(chain)}"
            return Objection(
                Fault.TOO_LONG, why, "a `match` without its own destination, or a rule above that exempts it"
            )
        return None

    def asked_of(self, source: RepositoryRef) -> Iterator[Asked]:
        """The destinations that a repository may have, by the rules that may decide for it."""
        return self._asked.of(source)

    def _origins(self, place: AnyRepository, replication: ReplicationRules) -> tuple[RepositoryRef, ...]:
        """The repositories that are copied to a place, and that may bring an image tag which this entry speaks of."""
        return tuple(dict.fromkeys(source for source, asked in self._into(place) if asked.may_share_a_tag(replication)))

    @cached_property
    def _into(self) -> Callable[[AnyRepository], tuple[tuple[RepositoryRef, Asked], ...]]:
        @lru_cache(maxsize=8192)
        def into(place: AnyRepository) -> tuple[tuple[RepositoryRef, Asked], ...]:
            return tuple(self._asked.into(place))

        return into

    def _rivals(
        self, source: RepositoryRef, replication: ReplicationRules, to: AnyRepository
    ) -> Iterator[RepositoryRef]:
        """Other sources of a place. A rule that names no region is about those of one: of each steward its own."""
        into = self._asked.into if isinstance(to, OtherRepository) else self._into
        for rival, asked in into(to):
            if rival == source or not asked.may_share_a_tag(replication):
                continue
            is_near = rival.registry.region == source.registry.region or asked.names_regions
            origins = self._origins(rival, replication)
            if is_near and not any(self._stops_at(rival, origin.registry) for origin in origins):
                yield rival

    def _stops_at(self, replica: RepositoryRef, origin: RegistryRef) -> bool:
        """Whether no rule copies on what arrives there from another registry."""
        return all(_key_that_names(rule, origin, replica.registry) for rule in self._asked.deciding(replica))

    def _chain(
        self, source: RepositoryRef, replication: ReplicationRules, to: AnyRepository | None = None
    ) -> list[RepositoryRef]:
        """The repositories that an image passes from one place to a source, or as many as are too many; else none."""
        chains = [[source]]
        seen: set[AnyRepository] = {source}
        for _ in range(LONGEST_CHAIN):
            longer: list[list[RepositoryRef]] = []
            for chain in chains:
                for origin in self._origins(chain[-1], replication):
                    if origin == to:
                        return [*chain, origin]
                    if origin not in seen:
                        seen.add(origin)
                        longer.append([*chain, origin])
            chains = longer
        return chains[0] if chains and to is None else []

    @cached_property
    def _asked(self) -> AskedCopies:
        return AskedCopies(self.rules, self.homes)


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


def _spelled(chain: list[RepositoryRef]) -> str:
    places = [str(place) for place in reversed(chain)]
    if len(places) > 3:
        places[2:-1] = ["..."]
    return " -> ".join(places)
