"""The copies that rules may ask for: by their sources, and by the places that they arrive in.

Both are found by an index, of names, accounts and what destinations put around a name: rules that each name another
account are no slower to look at than others.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product
from typing import Final

from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.names import AnyRepository, OtherRepository, RegistryRef, RepositoryRef
from ecr_steward.domain.rules import Destination, OtherDestination, ReplicationRules, Rule, Rules
from ecr_steward.domain.tag_meeting import may_share_a_tag
from ecr_steward.errors import InvalidNameError

_BEGIN: Final = re.compile("[a-z0-9/_-]*")
"""What of a pattern stands for itself, whatever follows: of a regular expression, too."""
_ACCOUNT: Final = re.compile("[0-9]{12}")
_KEPT: Final = 8192

type _Target = tuple[str | None, ...]
"""What a destination names: an account and a region, each or ``None``; or the host of a registry that is not ECR."""


@dataclass(frozen=True)
class Asked:
    """One destination that a rule may ask for: it decides, if repositories carry the right resource tags."""

    position: int
    """Where its rule stands among all; ``defaults`` come last."""
    entry: int
    """Which entry of ``replicate`` it belongs to."""
    rule: Rule
    replication: ReplicationRules
    destination: Destination | OtherDestination

    @property
    def names_regions(self) -> bool:
        """Whether it is about the registries of certain regions, and not of each steward's own."""
        return bool(self.rule.match.regions)

    def may_share_a_tag(self, copied: ReplicationRules) -> bool:
        """Whether it may bring an image tag that an entry copies, too."""
        return may_share_a_tag(self.replication, copied)

    def arrival(self, source: RepositoryRef) -> AnyRepository | None:
        """Where it copies a repository to; ``None`` where no repository can have such a name."""
        try:
            return self.destination.of(source)
        except InvalidNameError:
            return None


@dataclass(frozen=True)
class AskedCopies:
    """Finds the copies that rules may ask for between repositories of these registries, and from them to others."""

    rules: Rules
    homes: tuple[RegistryRef, ...]

    def of(self, source: RepositoryRef) -> Iterator[Asked]:
        """The destinations that a repository may have, by the rules that may decide for it."""
        for position in self._deciding(source):
            yield from self._by_position.get(position, ())

    def deciding(self, source: RepositoryRef) -> Iterator[Rule]:
        """The rules that may decide where a repository is copied to."""
        return (self._every[position] for position in self._deciding(source))

    def into(self, place: AnyRepository) -> Iterator[tuple[RepositoryRef, Asked]]:
        """The repositories that may be copied to a place, unless nothing may leave their account so."""
        seen: set[tuple[RegistryRef, str]] = set()
        for before in self._origins(place):
            if before in seen:
                continue
            seen.add(before)
            with suppress(InvalidNameError):
                source = RepositoryRef(*before)
                for asked in self.of(source) if source != place else ():
                    if asked.arrival(source) == place and not leaves_unnamed_account(asked.rule, source, place):
                        yield source, asked

    @cached_property
    def regions(self) -> frozenset[str]:
        """The regions that destinations name."""
        named = (asked.destination for asked in self._all)
        return frozenset(to.region for to in named if isinstance(to, Destination) and to.region)

    @cached_property
    def _every(self) -> Sequence[Rule]:
        return self.rules.with_defaults

    @cached_property
    def _by_position(self) -> Mapping[int, Sequence[Asked]]:
        return {position: list(_asked(position, rule)) for position, rule in enumerate(self._every) if rule.replicate}

    # ---------------------------------------------------------------- from a place back to its sources

    def _origins(self, place: AnyRepository) -> Iterator[tuple[RegistryRef, str]]:
        """Where repositories may be that are copied to a place; of many under one fixed name, two for each pattern."""
        name, targets = place.name, list(_targets(place))
        for length in range(min(self._longest_before, len(name)) + 1):
            before = name[:length]
            for after in self._afters.get(before, ()):
                if len(before) + len(after) < len(name) and name.endswith(after):
                    source = name[len(before) : len(name) - len(after)]
                    for target in targets:
                        rules = self._by_template.get((target, before, after))
                        for home in self._homes(target, place, rules.about(source)) if rules else ():
                            yield home, source
        for target in targets:
            for asked in self._fixed.get((target, name), ()):
                for pattern, home in product(asked.rule.match.repositories, self._homes(target, place, [asked.rule])):
                    yield from ((home, sample) for sample in samples(pattern.spelling))

    def _homes(self, target: _Target, place: AnyRepository, rules: Iterable[Rule]) -> Iterator[RegistryRef]:
        """The registries that a destination of these rules may mean a place from."""
        if isinstance(place, OtherRepository):
            accounts, region = self._accounts_of(rules, self._by_account), None
        else:
            account, named_region = target
            accounts, region = [place.registry.account], None if named_region else place.registry.region
            if account:  # another account is a source only where a rule names it
                accounts += self._accounts_of(rules, ())
        for each in dict.fromkeys(accounts):
            for home in self._by_account.get(each, ()):
                if region in {None, home.region}:
                    yield home

    def _accounts_of(self, rules: Iterable[Rule], otherwise: Iterable[str]) -> list[str]:
        """The accounts that rules name, and others for a rule that names none."""
        found: dict[str, None] = {}
        for rule in rules:
            if not names(rule.match.accounts):
                found |= dict.fromkeys(otherwise)
            for pattern in rule.match.accounts:
                if _ACCOUNT.fullmatch(pattern.spelling):
                    found[pattern.spelling] = None
                else:
                    found |= {each: None for each in self._by_account if pattern.matches(each)}
        return list(found)

    @cached_property
    def _by_account(self) -> Mapping[str, Sequence[RegistryRef]]:
        found: dict[str, list[RegistryRef]] = {}
        for home in self.homes:
            found.setdefault(home.account, []).append(home)
        return found

    @cached_property
    def _by_template(self) -> Mapping[tuple[_Target, str, str], "RulesByName"]:
        """The rules by what their destinations name, and what those put before and after the name of a source."""
        found: dict[tuple[_Target, str, str], RulesByName] = {}
        for asked in self._all:
            before, name, after = (asked.destination.repository or "{name}").partition("{name}")
            if name:
                found.setdefault((_target(asked.destination), before, after), RulesByName()).add(asked.rule)
        return found

    @cached_property
    def _afters(self) -> Mapping[str, Iterable[str]]:
        """What destinations put after the name of a source, by what they put before it."""
        found: dict[str, set[str]] = {}
        for _, before, after in self._by_template:
            found.setdefault(before, set()).add(after)
        return found

    @cached_property
    def _longest_before(self) -> int:
        return max(map(len, self._afters), default=0)

    @cached_property
    def _fixed(self) -> Mapping[tuple[_Target, str], Sequence[Asked]]:
        """What is copied to one name, whatever the source's."""
        found: dict[tuple[_Target, str], list[Asked]] = {}
        for asked in self._all:
            if (name := asked.destination.repository) and "{name}" not in name:
                found.setdefault((_target(asked.destination), name), []).append(asked)
        return found

    @cached_property
    def _all(self) -> Sequence[Asked]:
        return [asked for each in self._by_position.values() for asked in each]

    # ---------------------------------------------------------------- which rules decide

    @cached_property
    def _deciding(self) -> Callable[[RepositoryRef], tuple[int, ...]]:
        @lru_cache(maxsize=_KEPT)
        def deciding(source: RepositoryRef) -> tuple[int, ...]:
            return tuple(self._may_decide(source))

        return deciding

    def _may_decide(self, source: RepositoryRef) -> Iterator[int]:
        is_covered = False
        for position in self._near(source):
            rule = self.rules.rules[position]
            if rule.match.may_cover(source):
                is_covered = True
                yield position
                if (rule.is_final or rule.replicate is not None) and not rule.match.resource_tags:
                    return
        if is_covered and self.rules.defaults:
            yield len(self.rules.rules)

    def _near(self, source: RepositoryRef) -> list[int]:
        """Where those rules stand, in their order, that may be about its account and whose patterns begin so."""
        found: set[int] = set()
        for length in range(min(self._longest_begin, len(source.name)) + 1):
            begin = source.name[:length]
            found.update(
                self._by_begin.get((begin, None), ()), self._by_begin.get((begin, source.registry.account), ())
            )
        return sorted(found)

    @cached_property
    def _by_begin(self) -> Mapping[tuple[str, str | None], Sequence[int]]:
        """Where rules stand, by what the names begin with that a pattern of theirs matches, and their accounts."""
        found: dict[tuple[str, str | None], list[int]] = {}
        for position, rule in enumerate(self.rules.rules):
            named = {pattern.spelling for pattern in rule.match.accounts}
            accounts = named if named and all(map(_ACCOUNT.fullmatch, named)) else {None}
            for key in product(begins(rule), accounts):
                found.setdefault(key, []).append(position)
        return found

    @cached_property
    def _longest_begin(self) -> int:
        return max((len(begin) for begin, _ in self._by_begin), default=0)


class RulesByName:
    """Rules by what the names begin with that their patterns match."""

    def __init__(self) -> None:
        self._by_begin: dict[str, list[Rule]] = {}
        self._longest = 0

    def add(self, rule: Rule) -> None:
        for begin in begins(rule):
            self._by_begin.setdefault(begin, []).append(rule)
            self._longest = max(self._longest, len(begin))

    def about(self, name: str) -> Iterator[Rule]:
        """The rules that may be about repositories of a name; some of them twice."""
        for length in range(min(self._longest, len(name)) + 1):
            for rule in self._by_begin.get(name[:length], ()):
                if rule.match.matches_name(name):
                    yield rule


def leaves_unnamed_account(rule: Rule, source: RepositoryRef, to: AnyRepository) -> bool:
    """Whether a copy leaves its account by a rule that does not name that account as a source."""
    if isinstance(to, OtherRepository) or source.registry.account == to.registry.account:
        return False
    return not names(rule.match.accounts)


def names(patterns: Sequence[Matcher]) -> bool:
    """Whether accounts or regions are named, and not all of them meant."""
    return bool(patterns) and all(pattern.spelling != "*" for pattern in patterns)


def samples(pattern: str) -> list[str]:
    """Repository names that a pattern matches: the one, or two of many."""
    return sorted({pattern.replace("**", f"{letter}/{letter}").replace("*", letter) for letter in "ab"})


def begins(rule: Rule) -> set[str]:
    """What the names begin with that each pattern of a rule matches."""
    return {_BEGIN.match(pattern.spelling)[0] for pattern in rule.match.repositories}  # type: ignore[index]


def _asked(position: int, rule: Rule) -> Iterator[Asked]:
    for entry, replication in enumerate(rule.replicate or ()):
        for destination in replication.everywhere:
            yield Asked(position, entry, rule, replication, destination)


def _target(destination: Destination | OtherDestination) -> _Target:
    if isinstance(destination, OtherDestination):
        return (destination.host,)
    return destination.account, destination.region


def _targets(place: AnyRepository) -> Iterator[_Target]:
    """What destinations may name that mean a place."""
    if isinstance(place, OtherRepository):
        yield (place.host,)
    else:
        yield from product((None, place.registry.account), (None, place.registry.region))
