"""Repository settings: what differs from the rulebook, as a plan. An equal setting is never written again."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.plan import (
    NOTHING,
    AddResourceTags,
    CreateRepository,
    Plan,
    PutLifecyclePolicy,
    PutScanOnPush,
    PutTagMutability,
    SetRepositoryPolicy,
    Step,
)
from ecr_steward.domain.repositories import Document, Repository, RepositorySettings
from ecr_steward.domain.rules import Rule


def plan_repository(rule: Rule, actual: Repository) -> Plan:
    """Plan what brings a repository's settings to those of its rule. Settings the rule is silent about stay."""
    if rule.repository is None:
        return NOTHING
    wanted = rule.repository(actual.ref)
    return Plan(tuple(_differences(rule.name, actual.ref, wanted, actual.settings)))


def plan_new_repository(rules: Iterable[Rule], ref: RepositoryRef, *, asked_by: str, why: str) -> Plan:
    """Plan a repository that does not exist, with all the settings that it will be governed by.

    ``asked_by`` names the rule that needs the repository; each of ``rules`` decides some settings of it once it is
    there.
    """
    wanted = [(rule.name, rule.repository(ref)) for rule in rules if rule.repository]
    mutability = next((settings.mutability for _, settings in wanted if settings.mutability), None)
    create = CreateRepository(rule=asked_by, why=why, repository=ref, mutability=mutability)
    fresh = RepositorySettings(mutability=mutability, scan_on_push=False)
    return Plan((create, *(step for name, settings in wanted for step in _differences(name, ref, settings, fresh))))


def _differences(
    rule: str, repository: RepositoryRef, wanted: RepositorySettings, actual: RepositorySettings
) -> Iterator[Step]:
    if wanted.mutability is not None and wanted.mutability != actual.mutability:
        why = f"image tags are {actual.mutability}, the rulebook says {wanted.mutability}"
        yield PutTagMutability(rule=rule, why=why, repository=repository, mutability=wanted.mutability)
    if wanted.scan_on_push is not None and wanted.scan_on_push != actual.scan_on_push:
        why = f"scan on push is {_on(actual.scan_on_push)}, the rulebook says {_on(wanted.scan_on_push)}"
        yield PutScanOnPush(rule=rule, why=why, repository=repository, scan_on_push=wanted.scan_on_push)
    missing = {key: value for key, value in wanted.resource_tags.items() if actual.resource_tags.get(key) != value}
    if missing:
        why = "missing or different: " + ", ".join(f"{key}={value}" for key, value in sorted(missing.items()))
        yield AddResourceTags(rule=rule, why=why, repository=repository, resource_tags=missing)
    if wanted.lifecycle is not None and wanted.lifecycle != actual.lifecycle:
        why = f"the lifecycle policy is {_missing_or_different(actual.lifecycle)}"
        yield PutLifecyclePolicy(rule=rule, why=why, repository=repository, document=wanted.lifecycle)
    if wanted.policy is not None and not is_same_policy(wanted.policy, actual.policy):
        # Last: it is the one setting that can lock people out, and by then the others are in place.
        why = f"the repository policy is {_missing_or_different(actual.policy)}"
        yield SetRepositoryPolicy(rule=rule, why=why, repository=repository, document=wanted.policy)


def is_same_policy(one: Document | None, other: Document | None) -> bool:
    """Whether two policy documents say the same.

    A list of one element may be written without brackets, and the order of a list means nothing ("Grammar of the IAM
    JSON policy language", IAM user guide); which of these a service answers with is its own affair.
    """
    return bool(_canonical(one) == _canonical(other))


def _canonical(value: Any) -> Any:
    if isinstance(value, Mapping):
        return frozenset((key, _canonical(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        elements = frozenset(map(_canonical, value))
        return next(iter(elements)) if len(elements) == 1 else elements
    return value


def _on(value: bool | None) -> str:
    return "on" if value else "off"


def _missing_or_different(document: object) -> str:
    return "missing" if document is None else "not the rulebook's"
