"""Ways: where the images of a repository go by the rulebook, who brings them there, and why.

What ECR replicates by itself the steward only sets up and checks; it copies what ECR has no words for.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from ecr_steward.domain.names import AnyRepository, OtherRepository, RepositoryRef, partition_of
from ecr_steward.domain.registries import NativeReplication
from ecr_steward.domain.registry_rules import GoverningRegistryRule, governing_registry
from ecr_steward.domain.replicas import places
from ecr_steward.domain.rules import Condition, Mode, ReplicationRules, Rule, Rules
from ecr_steward.errors import InvalidNameError


class Carrier(StrEnum):
    """Who brings images to a destination."""

    ECR = "ecr"
    """ECR's own replication: all that is pushed, at once, under the same name."""
    STEWARD = "steward"
    """The function ``replicate_image``."""


@dataclass(frozen=True)
class Way:
    """One destination of a repository's images. By both carriers, it is two ways."""

    to: AnyRepository
    by: Carrier
    rule: str
    """The rule, or the entry of ``registries``, that asks for it."""
    mode: Mode
    why: tuple[str, ...]
    """Why this carrier and no other, one sentence each."""


def ways(rules: Rules, repository: RepositoryRef, replicate: Rule | None) -> tuple[Way, ...]:
    """Say where images of a repository go: first what ECR replicates, then what its rule has the steward copy.

    ``replicate`` is the rule that decides that section for the repository. Destinations of impossible names are left
    out: see ``impossible_places``.
    """
    by_ecr = {way.to: way for way in _by_ecr(rules, repository)}
    return (*by_ecr.values(), *(_by_steward(replicate, repository, by_ecr) if replicate else ()))


def native_rules(rules: Rules, repository: RepositoryRef) -> Iterator[tuple[GoverningRegistryRule, NativeReplication]]:
    """The rules of ECR's own replication that the rulebook wants and that are about a repository."""
    for governing in governing_registry(rules.registries, repository.registry):
        for rule in governing.wanted.replication.rules if governing.wanted.replication else ():
            if rule.covers(repository.name):
                yield governing, rule


def _by_ecr(rules: Rules, repository: RepositoryRef) -> Iterator[Way]:
    covering = list(native_rules(rules, repository))
    for registry in sorted({to for _, rule in covering for to in rule.destinations}):
        there = [(entry, rule) for entry, rule in covering if registry in rule.destinations]
        entry = there[0][0]
        why = [f"ECR's own replication covers it: {_spelled(rule, repository)}" for _, rule in there]
        if entry.mode is Mode.OBSERVE:
            why.append("its entry only observes: the steward does not set it up")
        has_backfill = any(entry.wanted.replication and entry.wanted.replication.backfill for entry, _ in there)
        why.append(
            "what was there before comes along with a backfill"
            if has_backfill
            else "what was there before stays behind: no `backfill`"
        )
        yield Way(repository.in_registry(registry), Carrier.ECR, entry.name, entry.mode, tuple(why))


def _by_steward(rule: Rule, repository: RepositoryRef, by_ecr: Mapping[AnyRepository, Way]) -> Iterator[Way]:
    for replication in rule.replicate or ():
        for _, to in places(replication, repository):
            if isinstance(to, InvalidNameError) or to == repository:
                continue
            if isinstance(to, OtherRepository):
                why = [*_not_ecr(to), *_held_back(rule, replication), *_along(replication)]
                yield Way(to, Carrier.STEWARD, rule.name, rule.mode, tuple(why))
                continue
            held = list(_held_back(rule, replication))
            if to in by_ecr and by_ecr[to].mode is Mode.ENFORCE:
                why = [
                    "ECR's own replication brings the same images: this copy finds nothing to do once they are there"
                ]
                if held:
                    why.append(f"in vain, since ECR brings all that is pushed: {'; '.join(held)}")
            else:
                why = [*_elsewhere(repository, to), *held, *_along(replication)]
            yield Way(to, Carrier.STEWARD, rule.name, rule.mode, tuple(why))


def _elsewhere(repository: RepositoryRef, to: RepositoryRef) -> Iterator[str]:
    """Where ECR cannot replicate to."""
    if to.name != repository.name:
        yield f"renamed from {repository.name}: ECR keeps names"
    if to.registry == repository.registry:
        yield "within one registry: ECR replicates to others"
    here, there = (partition_of(each.registry.region) for each in (repository, to))
    if here != there:
        yield f"from the partition {here} to {there}: ECR stays in one"


def _not_ecr(to: OtherRepository) -> Iterator[str]:
    yield f"{to.host} is not ECR, which replicates to its own registries alone"
    yield f"with the login in the secret {to.login}" if to.login else "without a login"


def _held_back(rule: Rule, replication: ReplicationRules) -> Iterator[str]:
    """What an entry leaves behind, or keeps until later; ECR replicates all that is pushed, at once."""
    if replication.tags:
        yield f"only the image tags {', '.join(pattern.spelling for pattern in replication.tags)}"
    if rule.image_tags is not None:
        yield "only image tags that break no rule"
    if Condition.SCAN_PASSED in replication.when:
        yield "only once its scan has passed"
    if not replication.referrers:
        yield "without signatures, SBOMs and attestations"


def _along(replication: ReplicationRules) -> Iterator[str]:
    if replication.referrers:
        yield "signatures, SBOMs and attestations of its own are there before its image tags"


def _spelled(rule: NativeReplication, repository: RepositoryRef) -> str:
    named = " and ".join(f"prefix {prefix}" for prefix in sorted(rule.prefixes) if repository.name.startswith(prefix))
    return f"{named or 'every repository'}{', and what is deleted here goes there, too' if rule.deletes else ''}"
