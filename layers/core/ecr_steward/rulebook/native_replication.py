"""Chains of replication: ECR copies an image once, where it was pushed, and never copies the copy."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ecr_steward.rulebook.codes import Code
from ecr_steward.rulebook.patterns import star_matcher
from ecr_steward.rulebook.problems import Path, Problem
from ecr_steward.rulebook.registries import NativeReplication, Registry, RegistryMatch

type _Place = tuple[str | None, str | None]
"""An account and a region; ``None`` stands for any, the same one for all that is compared."""


@dataclass(frozen=True)
class _Hop:
    """One destination of a rule of an entry."""

    position: int
    """Where its entry stands."""
    entry: Registry
    rule: NativeReplication
    to: _Place
    at: Path


def replications_end(registries: Mapping[int, Registry]) -> Iterator[Problem]:
    """Find destinations from which somebody would expect the copies to go on."""
    hops = list(_hops(registries))
    leading = dict[_Place, list[_Hop]]()
    for hop in hops:
        leading.setdefault(hop.to, []).append(hop)
    before = {
        position: [hop for place, there in leading.items() if _names(entry.match, place) for hop in there]
        for position, entry in registries.items()
    }
    for second in hops:
        for first in before[second.position]:
            if _goes_on(first, second) and not _arrives(first, _from(first.to, second.to), hops):
                here, there = _spelled(first.to), _spelled(second.to)
                yield Problem(
                    second.at,
                    f"images that `{first.entry.name}` has ECR replicate to {here} do not go on to {there}: ECR copies "
                    "an image once, from where it was pushed",
                    f"{there} among the destinations of `{first.entry.name}`, too, or repositories that differ",
                    code=Code.REPLICATION_CHAIN,
                )
                break


def _hops(registries: Mapping[int, Registry]) -> Iterator[_Hop]:
    for position, entry in registries.items():
        for number, rule in enumerate(entry.replication.rules if entry.replication else ()):
            for which, to in enumerate(rule.to):
                at = ("registries", position, "replication", "rules", number, "to", which)
                yield _Hop(position, entry, rule, (to.account, to.region), at)


def _goes_on(first: _Hop, second: _Hop) -> bool:
    """Whether the second hop, made where the first one leads to, is about some of its images, and goes further."""
    return (
        first.entry is not second.entry
        and not _names(first.entry.match, first.to)
        and not _names(first.entry.match, _from(first.to, second.to))
        and _overlap(first.rule.repositories, second.rule.repositories)
    )


def _names(match: RegistryMatch, place: _Place) -> bool:
    """Whether a match is about this very registry, and not about any."""
    pairs = [
        (text, patterns)
        for text, patterns in zip(place, (match.accounts, match.regions), strict=True)
        if text is not None and patterns
    ]
    return bool(pairs) and all(any(star_matcher(each).matches(text) for each in patterns) for text, patterns in pairs)


def _arrives(first: _Hop, place: _Place, hops: Sequence[_Hop]) -> bool:
    """Whether the first entry has the images copied there by itself."""
    return any(
        other.entry is first.entry and other.to == place and _overlap(other.rule.repositories, first.rule.repositories)
        for other in hops
    )


def _from(here: _Place, to: _Place) -> _Place:
    """Where a destination leads from a place."""
    return (to[0] or here[0], to[1] or here[1])


def _overlap(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether prefixes choose some name in common; none choose every name."""
    return not one or not other or any(a.startswith(b) or b.startswith(a) for a in one for b in other)


def _spelled(place: _Place) -> str:
    return "/".join(part for part in place if part)
