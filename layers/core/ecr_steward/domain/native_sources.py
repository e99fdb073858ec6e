"""What ECR itself replicates where, as the entries of ``registries`` have it: sources beside those of the steward.

ECR replicates what is pushed, once, with all its image tags and under its own name, and never what it has replicated:
"A replication action only occurs once per image push" ("Private image replication in Amazon ECR", user guide). What the
steward copies is pushed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import islice, product
from typing import Final

from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.names import AnyRepository, OtherRepository, RegistryRef, RepositoryRef
from ecr_steward.domain.registries import NativeReplication
from ecr_steward.domain.registry_rules import RegistryRule
from ecr_steward.domain.rules import ReplicationRules
from ecr_steward.errors import InvalidNameError

SOME_REGIONS: Final = ("us-east-1", "us-west-2", "eu-west-1", "eu-central-1", "ap-south-1")
"""Regions that stand for those which a pattern such as ``eu-*`` means."""
_KEPT: Final = 8192


@dataclass(frozen=True)
class Replicated:
    """A replication by ECR itself, which an entry of ``registries`` asks for, whatever its mode."""

    entry: RegistryRule

    @property
    def names_regions(self) -> bool:
        """Whether it is about the registries of certain regions, and not of each steward's own."""
        return bool(self.entry.regions)

    def may_share_a_tag(self, _copied: ReplicationRules) -> bool:
        """Whether it may bring an image tag that an entry copies, too: ECR replicates all."""
        return True

    def __str__(self) -> str:
        return f"as the entry `{self.entry.name}` of `registries` says"


@dataclass(frozen=True)
class NativeSources:
    """Finds what ECR replicates from and to repositories, by the first entry that decides it for each registry.

    Looked at are the accounts of ``homes``, in their regions and in all that rules copy to or entries name or replicate
    to: a steward in one region sets up replication in others.
    """

    entries: tuple[RegistryRule, ...]
    homes: tuple[RegistryRef, ...]
    copied_to: frozenset[str] = frozenset()
    """The regions that rules copy to."""
    most: int | None = None
    """How many destinations of registries are looked at; ``None``: all."""

    def into(self, place: AnyRepository) -> Iterator[tuple[RepositoryRef, Replicated]]:
        """The repositories that ECR replicates to a place."""
        if isinstance(place, OtherRepository):
            return
        seen: set[RegistryRef] = set()
        for way in self._towards.get(place.registry, ()):
            if way.of not in seen and way.rule.covers(place.name):
                seen.add(way.of)
                yield place.in_registry(way.of), Replicated(way.entry)

    def leads_to(self, source: RepositoryRef, place: RepositoryRef) -> bool:
        """Whether ECR replicates from a repository to a place, or from registry to registry towards it."""
        return place in self._beyond(source)

    @cached_property
    def _beyond(self) -> Callable[[RepositoryRef], Set[RepositoryRef]]:
        @lru_cache(maxsize=_KEPT)
        def beyond(source: RepositoryRef) -> Set[RepositoryRef]:
            todo, seen = [source], set[RepositoryRef]()
            for each in todo:  # which grows meanwhile
                for way in self._from.get(each.registry, ()):
                    replica = source.in_registry(way.to)
                    if way.rule.covers(source.name) and replica not in seen:
                        seen.add(replica)
                        todo.append(replica)
            return seen

        return beyond

    @cached_property
    def _towards(self) -> Mapping[RegistryRef, Sequence["_Way"]]:
        found: dict[RegistryRef, list[_Way]] = {}
        for way in self._ways:
            found.setdefault(way.to, []).append(way)
        return found

    @cached_property
    def _from(self) -> Mapping[RegistryRef, Sequence["_Way"]]:
        found: dict[RegistryRef, list[_Way]] = {}
        for way in self._ways:
            found.setdefault(way.of, []).append(way)
        return found

    @cached_property
    def _ways(self) -> Sequence["_Way"]:
        return list(islice(self._found(), self.most))

    def _found(self) -> Iterator["_Way"]:
        """From the homes, from where entries name regions, and from where those lead to in an account of the homes."""
        speaking = [entry for entry in self.entries if self.homes and entry.wanted(self.homes[0]).replication]
        if not speaking:
            return
        accounts = dict.fromkeys(home.account for home in self.homes)
        todo = list(dict.fromkeys([*self.homes, *islice(self._named(accounts, speaking), self.most)]))
        seen, deciding = set(todo), _Deciding(speaking)
        for registry in todo:  # which grows meanwhile
            if (entry := deciding.entry(registry)) is None or (wanted := entry.wanted(registry).replication) is None:
                continue
            for rule in wanted.rules:
                for to in sorted(rule.destinations - {registry}):
                    yield _Way(registry, to, rule, entry)
                    if to not in seen and to.account in accounts:
                        seen.add(to)
                        todo.append(to)

    def _named(self, accounts: Iterable[str], entries: Iterable[RegistryRule]) -> Iterator[RegistryRef]:
        """The registries of these accounts in the regions that rules copy to or entries name."""
        named = regions_of(each for entry in entries for each in entry.regions)
        for account, region in product(accounts, sorted(self.copied_to.union(named))):
            with suppress(InvalidNameError):
                yield RegistryRef(account, region)


@dataclass(frozen=True)
class _Way:
    """One destination of a registry."""

    of: RegistryRef
    to: RegistryRef
    rule: NativeReplication
    entry: RegistryRule


class _Deciding:
    """Finds the first entry that decides what a registry replicates."""

    def __init__(self, entries: Sequence[RegistryRule]) -> None:
        self._entries = entries
        self._by_account: dict[str, list[int]] = {}
        """Where entries stand that name an account; below ``*``, those that are for every account."""
        self._first: dict[str, int | None] = {}
        """Of the entries for every account, the first of a region."""
        for position, entry in enumerate(entries):
            for account in {pattern.spelling for pattern in entry.accounts} or {"*"}:
                self._by_account.setdefault(account, []).append(position)

    def entry(self, registry: RegistryRef) -> RegistryRule | None:
        """The first entry of all that cover a registry."""
        if registry.region not in self._first:
            self._first[registry.region] = self._covering(registry, "*")
        found = {self._first[registry.region], self._covering(registry, registry.account)} - {None}
        return self._entries[min(each for each in found if each is not None)] if found else None

    def _covering(self, registry: RegistryRef, account: str) -> int | None:
        near = self._by_account.get(account, ())
        return next((position for position in near if self._entries[position].covers(registry)), None)


def regions_of(patterns: Iterable[Matcher]) -> list[str]:
    """The regions that patterns name, and some of those that others match."""
    found: set[str] = set()
    for pattern in patterns:
        several = [region for region in SOME_REGIONS if pattern.matches(region)]
        found.update(several if "*" in pattern.spelling else [pattern.spelling])
    return sorted(found)
