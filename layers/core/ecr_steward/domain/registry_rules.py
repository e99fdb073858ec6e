"""What the rulebook says about whole registries: part by part, the first rule that says it decides."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.registries import Part, WantedSettings
from ecr_steward.domain.rules import Mode


@dataclass(frozen=True)
class RegistryRule:
    """One entry of ``registries``. Every step carries its name."""

    name: str
    wanted: Callable[[RegistryRef], WantedSettings]
    """What it wants of a registry: a policy names the account it stands in."""
    mode: Mode = Mode.OBSERVE
    accounts: tuple[Matcher, ...] = ()
    regions: tuple[Matcher, ...] = ()

    def covers(self, registry: RegistryRef) -> bool:
        """Whether the rule speaks about this registry."""
        return _any_or_none(self.accounts, registry.account) and _any_or_none(self.regions, registry.region)


@dataclass(frozen=True)
class GoverningRegistryRule:
    """A rule with what it decides for one registry."""

    name: str
    mode: Mode
    wanted: WantedSettings


def governing_registry(rules: Iterable[RegistryRule], registry: RegistryRef) -> Iterator[GoverningRegistryRule]:
    """Each rule that decides something for this registry, silent about what a rule before it decides."""
    decided: set[Part] = set()
    for rule in rules:
        if rule.covers(registry):
            wanted = rule.wanted(registry)
            parts = [part for part in wanted.parts if part not in decided]
            decided.update(parts)
            if parts:
                yield GoverningRegistryRule(rule.name, rule.mode, wanted.only(*parts))


def _any_or_none(patterns: tuple[Matcher, ...], text: str) -> bool:
    return not patterns or any(pattern.matches(text) for pattern in patterns)
