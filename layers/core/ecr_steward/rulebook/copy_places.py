"""Repositories that stand for all that the rules of a rulebook may copy."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from typing import Final

from ecr_steward.domain.asked_copies import RulesByName, samples
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.rules import Destination, Rule
from ecr_steward.errors import InvalidNameError
from ecr_steward.rulebook.glob_meeting import Glob, common_names, pairs

SOME_ACCOUNT: Final = "000000000000"
_SOME_REGIONS: Final = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1")
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

    def __iter__(self) -> Iterator[RepositoryRef]:
        for name in self._names:
            for account, region in product(self._accounts_of(name), self._regions):
                with suppress(InvalidNameError):
                    yield RepositoryRef(RegistryRef(account, region), name)

    @cached_property
    def registries(self) -> tuple[RegistryRef, ...]:
        """All that images may be copied from: those that rules name, and one that none names."""
        accounts = {SOME_ACCOUNT, *(to.account for to in self._destinations if to.account)}
        accounts.update(*map(_accounts, self.rules))
        found = (RegistryRef(*each) for each in product(sorted(accounts), self._regions))
        return tuple(islice(found, _MOST_REGISTRIES))

    def _accounts_of(self, name: str) -> list[str]:
        """The accounts that rules about a name have, and one that none has."""
        return sorted({SOME_ACCOUNT}.union(*map(_accounts, self._naming_accounts.about(name))))

    @cached_property
    def _naming_accounts(self) -> RulesByName:
        found = RulesByName()
        for rule in self.rules:
            if rule.match.accounts:
                found.add(rule)
        return found

    @cached_property
    def _regions(self) -> list[str]:
        """Those that rules name, and one that none names."""
        patterns = {pattern.spelling: pattern for rule in self.rules for pattern in rule.match.regions}
        several = [pattern for spelling, pattern in patterns.items() if "*" in spelling]
        named = {spelling for spelling in patterns if "*" not in spelling}
        named |= {to.region for to in self._destinations if to.region}
        named |= {region for region in _SOME_REGIONS if any(pattern.matches(region) for pattern in several)}
        other = next((region for region in _SOME_REGIONS if region not in named), _SOME_REGIONS[0])
        return sorted({other, *islice(sorted(named), _MOST_REGIONS)})

    @cached_property
    def _destinations(self) -> list[Destination]:
        return [to for rule in self.rules for each in rule.replicate or () for to in each.to]

    @cached_property
    def _names(self) -> list[str]:
        """Names of repositories: some of each rule that copies, and those that two rules meet in."""
        copying = [rule for rule in self.rules if rule.replicate]
        globs = sorted({pattern.spelling for rule in copying for pattern in rule.match.repositories})
        # What a rule does to one of its repositories it does to each that no other rule is about.
        found = {samples(rule.match.repositories[0].spelling)[0]: None for rule in copying}
        for one, other in islice(pairs(sorted(set(_arrivals(copying))), globs), _MOST_PAIRS):
            for name in common_names(one, other):
                found |= {name: None}
                for before, _, after in (one, other):
                    if name.startswith(before) and name.endswith(after):
                        found |= {name[len(before) : len(name) - len(after)]: None}
        return list(found)


def _arrivals(copying: Iterable[Rule]) -> Iterator[Glob]:
    for rule in copying:
        for replication in rule.replicate or ():
            for to in replication.everywhere:
                before, has_name, after = (to.repository or "{name}").partition("{name}")
                yield from ((before, glob.spelling if has_name else "", after) for glob in rule.match.repositories)


def _accounts(rule: Rule) -> Iterator[str]:
    return (pattern.spelling for pattern in rule.match.accounts if "*" not in pattern.spelling)
