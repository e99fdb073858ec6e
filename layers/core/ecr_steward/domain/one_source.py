"""One place, one source: which copies must not be made, since they would meet others, come back, or run away.

Where two repositories are copied to one place, an image tag of both would be moved to and fro by each sweep. Where a
copy is copied on in a circle, or under a longer name each time, nothing comes to rest. And what arrives in another
account or region goes no further unless a rule names that account or region as a source.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from functools import cached_property, lru_cache
from typing import Final

from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.names import AnyRepository, OtherRepository, RegistryRef, RepositoryRef
from ecr_steward.domain.rules import Destination, OtherDestination, ReplicationRules, Rule, Rules
from ecr_steward.errors import InvalidNameError

LONGEST_CHAIN: Final = 4
"""How many copies may follow each other: from a team to a release, to an account, to a region, and one more."""
_BEGIN: Final = re.compile("[a-z0-9/_-]*")
"""What of a pattern stands for itself, whatever follows: of a regular expression, too."""
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
class Asked:
    """One destination that a rule may ask for: it decides, if repositories carry the right resource tags."""

    rule: Rule
    replication: ReplicationRules
    destination: Destination | OtherDestination

    def arrival(self, source: RepositoryRef) -> AnyRepository | None:
        """Where it copies a repository to; ``None`` where no repository can have such a name."""
        try:
            return self.destination.of(source)
        except InvalidNameError:
            return None


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
        for rule in self._deciding(source):
            yield from _destinations(rule)

    def _origins(self, place: AnyRepository, replication: ReplicationRules) -> tuple[RepositoryRef, ...]:
        """The repositories that are copied to a place, and that may bring an image tag which this entry speaks of."""
        return tuple(
            dict.fromkeys(
                source for source, asked in self._into(place) if _may_share_a_tag(asked.replication, replication)
            )
        )

    @cached_property
    def _into(self) -> Callable[[AnyRepository], tuple[tuple[RepositoryRef, Asked], ...]]:
        @lru_cache(maxsize=8192)
        def into(place: AnyRepository) -> tuple[tuple[RepositoryRef, Asked], ...]:
            return tuple(self._sources_of(place))

        return into

    def _sources_of(self, place: AnyRepository) -> Iterator[tuple[RepositoryRef, Asked]]:
        for home in self.homes:
            for name in dict.fromkeys(self._names_before(place.name)):
                with suppress(InvalidNameError):
                    source = RepositoryRef(home, name)
                    for asked in self.asked_of(source) if source != place else ():
                        if asked.arrival(source) == place and _unnamed_account(asked.rule, source, place) is None:
                            yield source, asked

    def _names_before(self, name: str) -> Iterator[str]:
        """The names under which repositories may be that are copied to one of this name; of many, two each."""
        for before, after in self._templates:
            if len(before) + len(after) < len(name) and name.startswith(before) and name.endswith(after):
                yield name[len(before) : len(name) - len(after)]
        for rule in self._fixed.get(name, ()):
            for pattern in rule.match.repositories:
                yield from samples(pattern.spelling)

    @cached_property
    def _templates(self) -> Collection[tuple[str, str]]:
        """What destinations put before and after the name of a source."""
        found = ((asked.destination.repository or "{name}").partition("{name}") for asked in self._asked)
        return frozenset((before, after) for before, name, after in found if name)

    @cached_property
    def _fixed(self) -> Mapping[str, Sequence[Rule]]:
        """The rules that copy to one name, whatever the source's."""
        found: dict[str, list[Rule]] = {}
        for asked in self._asked:
            if (name := asked.destination.repository) and "{name}" not in name:
                found.setdefault(name, []).append(asked.rule)
        return found

    def _rivals(
        self, source: RepositoryRef, replication: ReplicationRules, to: AnyRepository
    ) -> Iterator[RepositoryRef]:
        """Other sources of a place. A rule that names no region is about those of one: of each steward its own."""
        for rival, asked in self._into(to):
            if rival == source or not _may_share_a_tag(asked.replication, replication):
                continue
            is_near = rival.registry.region == source.registry.region or asked.rule.match.regions
            origins = self._origins(rival, replication)
            if is_near and not any(self._stops_at(rival, origin.registry) for origin in origins):
                yield rival

    def _stops_at(self, replica: RepositoryRef, origin: RegistryRef) -> bool:
        """Whether no rule copies on what arrives there from another registry."""
        return all(_key_that_names(rule, origin, replica.registry) for rule in self._deciding(replica))

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
    def _asked(self) -> tuple[Asked, ...]:
        rules = (*self.rules.rules, *([self.rules.defaults] if self.rules.defaults else []))
        return tuple(asked for rule in rules for asked in _destinations(rule))

    @cached_property
    def _deciding(self) -> Callable[[RepositoryRef], tuple[Rule, ...]]:
        @lru_cache(maxsize=8192)
        def deciding(source: RepositoryRef) -> tuple[Rule, ...]:
            return tuple(self._may_decide(source))

        return deciding

    def _may_decide(self, source: RepositoryRef) -> Iterator[Rule]:
        is_covered = False
        begins = (self._by_begin.get(source.name[:length], ()) for length in range(self._longest_begin + 1))
        for position in sorted({position for each in begins for position in each}):
            rule = self.rules.rules[position]
            if rule.match.may_cover(source):
                is_covered = True
                yield rule
                if (rule.is_final or rule.replicate is not None) and not rule.match.resource_tags:
                    return
        if is_covered and self.rules.defaults:
            yield self.rules.defaults

    @cached_property
    def _by_begin(self) -> Mapping[str, Sequence[int]]:
        """Where rules stand, by what the names begin with that a pattern of theirs matches."""
        found: dict[str, list[int]] = {}
        for position, rule in enumerate(self.rules.rules):
            for begin in {_BEGIN.match(pattern.spelling)[0] for pattern in rule.match.repositories}:  # type: ignore[index]
                found.setdefault(begin, []).append(position)
        return found

    @cached_property
    def _longest_begin(self) -> int:
        return max(map(len, self._by_begin), default=0)


def _destinations(rule: Rule) -> Iterator[Asked]:
    for replication in rule.replicate or ():
        for destination in replication.everywhere:
            yield Asked(rule, replication, destination)


def _unnamed_account(rule: Rule, source: RepositoryRef, to: AnyRepository) -> Objection | None:
    """Who may push to a connected account chooses nothing of what another account holds, but by a rule that says so."""
    if isinstance(to, OtherRepository) or source.registry.account == to.registry.account or _names(rule.match.accounts):
        return None
    why = f"nothing is copied to {to}: it is in another account, and `match` names none to copy from"
    return Objection(Fault.ACCOUNT_NOT_NAMED, why, f'`accounts: ["{source.registry.account}"]` in `match`')


def _key_that_names(rule: Rule, origin: RegistryRef, source: RegistryRef) -> str | None:
    """The key of ``match`` by which a rule would have to name a registry that another's images arrive in."""
    if origin.account != source.account and not _names(rule.match.accounts):
        return "accounts"
    if origin.region != source.region and not _names(rule.match.regions):
        return "regions"
    return None


def _names(patterns: tuple[Matcher, ...]) -> bool:
    return bool(patterns) and all(pattern.spelling != "*" for pattern in patterns)


def _may_share_a_tag(one: ReplicationRules, other: ReplicationRules) -> bool:
    """Whether two entries may copy one image tag."""
    return not one.tags or not other.tags or any(_may_meet(mine, its) for mine in one.tags for its in other.tags)


def _may_meet(one: Matcher, other: Matcher) -> bool:
    """Whether some text may fit two patterns. Of regular expressions and schemes only texts are known not to fit."""
    for literal, pattern in ((one, other), (other, one)):
        if is_text(literal):
            return pattern.matches(literal.spelling)
    if _is_plain(one) and _is_plain(other):
        return _agree(one.spelling, other.spelling) and _agree(one.spelling[::-1], other.spelling[::-1])
    return True


def is_text(pattern: Matcher) -> bool:
    """Whether a pattern is a text that only itself fits."""
    return "*" not in pattern.spelling and _is_plain(pattern)


def _is_plain(pattern: Matcher) -> bool:
    """Whether a pattern is a text in which ``*`` stands for anything, and neither a scheme nor a regular expression."""
    text = pattern.spelling.replace("*", "Z")
    return pattern.matches(text) and ("." not in text or not pattern.matches(text.replace(".", "x")))


def _agree(one: str, other: str) -> bool:
    """Whether what stands before the first ``*`` of two patterns can begin one text."""
    mine, its = one.partition("*")[0], other.partition("*")[0]
    return mine.startswith(its) or its.startswith(mine)


def samples(pattern: str) -> list[str]:
    """Repository names that a pattern matches: the one, or two of many."""
    return sorted({pattern.replace("**", f"{letter}/{letter}").replace("*", letter) for letter in "ab"})


def _spelled(chain: list[RepositoryRef]) -> str:
    places = [str(place) for place in reversed(chain)]
    if len(places) > 3:
        places[2:-1] = ["..."]
    return " -> ".join(places)
