"""Repositories that stand for all that the rules of a rulebook may copy."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Final

from ecr_steward.domain.asked_copies import RulesByName, samples
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.native_sources import SOME_REGIONS, regions_of
from ecr_steward.domain.rules import Destination, Rule
from ecr_steward.errors import InvalidNameError
from ecr_steward.rulebook.glob_meeting import Glob, common_names, pairs
from ecr_steward.rulebook.patterns import star_matcher
from ecr_steward.rulebook.registries import NativeDestination, NativeReplication, Registry

SOME_ACCOUNT: Final = "000000000000"
_MOST_PAIRS: Final = 1_000
"""Of globs that are compared."""
_MOST_REGIONS: Final = 50
"""More than AWS has."""
_MOST_REGISTRIES: Final = 20_000


@dataclass(frozen=True)
class CopyPlaces:
    """Iterates over repositories: first some of each rule that copies, then those that two rules meet in.

    Each stands in the accounts that a rule about such a name has, and in one that none has: a rule without accounts
    does the same in each.
    """

    rules: Sequence[Rule]
    entries: Sequence[Registry] = ()
    """Those of ``registries`` by which ECR itself replicates."""

    def __iter__(self) -> Iterator[RepositoryRef]:
        for name in self._names:
            yield from self._standing(name)

    def by_ecr(self) -> Iterator[RepositoryRef]:
        """Repositories that ECR itself may replicate: of names that rules and entries meet in, and of each rule."""
        for name in self._names_by_ecr:
            yield from self._standing(name)
        registries = list(dict.fromkeys(self._replicating))
        for name in dict.fromkeys([*self._names_by_ecr, *self._names]):
            with suppress(InvalidNameError):
                yield from (RepositoryRef(registry, name) for registry in registries)

    @cached_property
    def registries(self) -> tuple[RegistryRef, ...]:
        """All that images may be copied from: those that rules name, and one that none names."""
        accounts = {SOME_ACCOUNT, *(to.account for to in self._destinations if to.account)}
        accounts.update(*map(_accounts, self.rules), *(entry.match.accounts for entry in self.entries))
        accounts |= {to.account for to in self._destinations_by_ecr if to.account}
        found = (RegistryRef(*each) for each in product(sorted(accounts - {"*"}), self._regions))
        return tuple(islice(found, _MOST_REGISTRIES))

    def _standing(self, name: str) -> Iterator[RepositoryRef]:
        """A name in each region of the accounts that rules about it have, and of one that none has."""
        accounts = sorted({SOME_ACCOUNT}.union(*map(_accounts, self._naming_accounts.about(name))))
        with suppress(InvalidNameError):
            for account, region in product(accounts, self._regions):
                yield RepositoryRef(RegistryRef(account, region), name)

    @cached_property
    def _naming_accounts(self) -> RulesByName:
        found = RulesByName()
        for rule in self.rules:
            if rule.match.accounts:
                found.add(rule)
        return found

    @cached_property
    def _regions(self) -> list[str]:
        """Those that rules and entries name, and one that none names."""
        patterns = [pattern for rule in self.rules for pattern in rule.match.regions]
        patterns += (star_matcher(each) for entry in self.entries for each in entry.match.regions)
        named = {*regions_of(patterns), *(to.region for to in self._destinations if to.region)}
        named |= {to.region for to in self._destinations_by_ecr if to.region}
        other = next((region for region in SOME_REGIONS if region not in named), SOME_REGIONS[0])
        return sorted({other, *islice(sorted(named), _MOST_REGIONS)})

    @cached_property
    def _destinations(self) -> list[Destination]:
        return [to for rule in self.rules for each in rule.replicate or () for to in each.to]

    @cached_property
    def _destinations_by_ecr(self) -> list[NativeDestination]:
        return [to for entry in self.entries for rule in _rules(entry) for to in rule.to]

    @property
    def _replicating(self) -> Iterator[RegistryRef]:
        """In each region of an entry a registry that it may be about, and those of accounts that it leads to."""
        for entry in self.entries:
            account = next((each for each in entry.match.accounts if each != "*"), SOME_ACCOUNT)
            named = regions_of(map(star_matcher, entry.match.regions)) or self._regions
            yield from (RegistryRef(account, region) for region in named)
            others = dict.fromkeys(to.account for rule in _rules(entry) for to in rule.to if to.account)
            yield from (RegistryRef(account, region) for account, region in product(others, self._regions))

    @cached_property
    def _names(self) -> list[str]:
        """Names of repositories: some of each rule that copies, and those that two rules meet in."""
        # What a rule does to one of its repositories it does to each that no other rule is about.
        found = {samples(rule.match.repositories[0].spelling)[0]: None for rule in self._copying}
        arrivals = sorted({*_arrivals(self._copying)})
        return list(found | _meeting(arrivals, list(dict.fromkeys([*arrivals, *self._copied]))))

    @cached_property
    def _names_by_ecr(self) -> list[str]:
        """Names that rules copy, or copy to, and that begin as an entry says."""
        prefixes = {prefix for entry in self.entries for rule in _rules(entry) for prefix in rule.repositories}
        globs = [("", glob, "") for prefix in sorted(prefixes) for glob in _globs(prefix)]
        return list(_meeting(list(dict.fromkeys([*self._copied, *sorted({*_arrivals(self._copying)})])), globs))

    @cached_property
    def _copying(self) -> list[Rule]:
        return [rule for rule in self.rules if rule.replicate]

    @cached_property
    def _copied(self) -> list[Glob]:
        return sorted({("", pattern.spelling, "") for rule in self._copying for pattern in rule.match.repositories})


def _meeting(ones: Collection[Glob], others: Collection[Glob]) -> dict[str, None]:
    """Names that fit one of some globs and one of others, and the names of what arrives there; in order."""
    found: dict[str, None] = {}
    for one, other in islice(pairs(ones, others), _MOST_PAIRS):
        for name in common_names(one, other):
            found[name] = None
            for before, _, after in (one, other):
                if name.startswith(before) and name.endswith(after):
                    found[name[len(before) : len(name) - len(after)]] = None
    return found


def _globs(prefix: str) -> Iterator[str]:
    """What matches the names that begin so."""
    if prefix.endswith("/"):
        yield f"{prefix}**"
    else:
        yield from (f"{prefix}*", f"{prefix}*/**")


def _rules(entry: Registry) -> Iterable[NativeReplication]:
    return entry.replication.rules if entry.replication else ()


def _arrivals(copying: Iterable[Rule]) -> Iterator[Glob]:
    for rule in copying:
        for replication in rule.replicate or ():
            for to in replication.everywhere:
                before, has_name, after = (to.repository or "{name}").partition("{name}")
                yield from ((before, glob.spelling if has_name else "", after) for glob in rule.match.repositories)


def _accounts(rule: Rule) -> Iterator[str]:
    return (pattern.spelling for pattern in rule.match.accounts if "*" not in pattern.spelling)
