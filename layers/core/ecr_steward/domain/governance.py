"""Repository settings: what differs from the rulebook, as a plan. An equal setting is never written again."""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from ecr_steward.domain.lifecycle.planning import plan_lifecycle
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.plan import (
    NOTHING,
    AddResourceTags,
    CreateRepository,
    DeleteRepositoryPolicy,
    Plan,
    PutScanOnPush,
    PutTagMutability,
    SetRepositoryPolicy,
    Step,
    Violation,
)
from ecr_steward.domain.policies.openings import openings
from ecr_steward.domain.policies.planning import plan_policy
from ecr_steward.domain.policies.rules import PolicyRules
from ecr_steward.domain.policies.statements import is_same_policy
from ecr_steward.domain.repositories import (
    SETTINGS,
    Document,
    Encryption,
    Part,
    Repository,
    RepositorySettings,
    UnreadableDocument,
    readable,
)
from ecr_steward.domain.rules import Rule

__all__ = ["is_same_policy", "needed_parts", "needs_registry_scanning", "plan_new_repository", "plan_repository"]


def needed_parts(rules: Iterable[Rule], ref: RepositoryRef) -> frozenset[Part]:
    """What has to be read of a repository to plan its settings: what nobody asks for is not looked at."""
    wanted = [rule.repository(ref.registry) for rule in rules if rule.repository]
    needed = {
        Part.POLICY: any(each.policy_rules is not None for each in wanted),
        Part.LIFECYCLE: any(each.lifecycle is not None for each in wanted),
        Part.RESOURCE_TAGS: any(each.resource_tags for each in wanted),
        Part.DESCRIPTION: any(
            setting is not None for each in wanted for setting in (each.mutability, each.scan_on_push, each.encryption)
        ),
    }
    return frozenset(part for part, is_needed in needed.items() if is_needed)


def needs_registry_scanning(rules: Iterable[Rule], actual: Repository) -> bool:
    """Whether the plan depends on what the registry's scanning rules decide for the repository."""
    wanted = [rule.repository(actual.ref.registry).scan_on_push for rule in rules if rule.repository]
    return any(each is not None and each != actual.settings.scan_on_push for each in wanted)


def plan_repository(rule: Rule, actual: Repository) -> Plan:
    """Plan what brings a repository's settings to those of its rule. Settings the rule is silent about stay.

    Raises ValueError where what the plan needs was not read.
    """
    if rule.repository is None:
        return NOTHING
    if unread := needed_parts([rule], actual.ref) - actual.read:
        raise ValueError(f"{', '.join(sorted(unread))} of {actual.ref} must be read to plan what {rule.name} says")
    return _collected(_differences(rule.name, rule.repository(actual.ref.registry), actual))


def plan_new_repository(
    rules: Iterable[Rule],
    ref: RepositoryRef,
    *,
    asked_by: str,
    why: str,
    resource_tags: Mapping[str, str] = MappingProxyType({}),
) -> Plan:
    """Plan a repository that does not exist, with all the settings that it will be governed by.

    ``asked_by`` names the rule that needs the repository, which is made with these resource tags; each of ``rules``
    decides some settings of it once it is there.
    """
    wanted = [(rule.name, rule.repository(ref.registry)) for rule in rules if rule.repository]
    mutability = next((settings.mutability for _, settings in wanted if settings.mutability), None)
    encryption = next((settings.encryption for _, settings in wanted if settings.encryption), None)
    create = CreateRepository(
        rule=asked_by,
        why=why,
        repository=ref,
        mutability=mutability,
        encryption=encryption,
        resource_tags=resource_tags,
    )
    settings = RepositorySettings(mutability=mutability, scan_on_push=False, encryption=encryption)
    fresh = Repository(ref, settings, SETTINGS)
    return sum((_collected(_differences(name, each, fresh)) for name, each in wanted), start=Plan((create,)))


def _collected(found: Iterable[Step | Violation | str]) -> Plan:
    steps: list[Step] = []
    violations: list[Violation] = []
    remarks: list[str] = []
    for each in found:
        match each:
            case str():
                remarks.append(each)
            case Violation():
                violations.append(each)
            case _:
                steps.append(each)
    return Plan(tuple(steps), tuple(violations), tuple(remarks))


def _differences(rule: str, wanted: RepositorySettings, repository: Repository) -> Iterator[Step | Violation | str]:
    actual, ref = repository.settings, repository.ref
    if wanted.mutability is not None and wanted.mutability != actual.mutability:
        why = f"image tags are {actual.mutability}, the rulebook says {wanted.mutability}"
        if actual.mutability is not None and not actual.mutability.is_known:
            yield f"{why}; left as it is: this version of ECR Steward does not know {actual.mutability.mode}"
        else:
            yield PutTagMutability(rule=rule, why=why, repository=ref, mutability=wanted.mutability)
    if wanted.scan_on_push is not None and wanted.scan_on_push != actual.scan_on_push:
        yield _scanning(rule, wanted.scan_on_push, repository)
    if wanted.encryption is not None and not _is_encrypted_as(wanted.encryption, actual.encryption):
        why = (
            f"images are encrypted with {actual.encryption}, the rulebook says {wanted.encryption}; ECR sets that for "
            "good when a repository is created: create another one and copy the images"
        )
        yield Violation(rule=rule, subject=ref, why=why)
    missing = {key: value for key, value in wanted.resource_tags.items() if actual.resource_tags.get(key) != value}
    if missing:
        why = "missing or different: " + ", ".join(f"{key}={value}" for key, value in sorted(missing.items()))
        yield AddResourceTags(rule=rule, why=why, repository=ref, resource_tags=missing)
    if wanted.lifecycle is not None and not isinstance(wanted.lifecycle, UnreadableDocument):
        yield from plan_lifecycle(rule, ref, wanted.lifecycle, actual.lifecycle)
    if wanted.policy_rules is not None:
        # Last: it is the one setting that can lock people out, and by then the others are in place.
        yield from _policy(rule, wanted.policy_rules, ref, actual.policy)


def _scanning(rule: str, wanted: bool, repository: Repository) -> Step | str:
    actual = repository.settings.scan_on_push
    if repository.scanned_by_registry is not None:
        return (
            f"scan on push stays {_on(actual)} where the rulebook says {_on(wanted)}: the scanning rules of the "
            f"registry decide over this repository, and say {repository.scanned_by_registry}"
        )
    why = f"scan on push is {_on(actual)}, the rulebook says {_on(wanted)}"
    return PutScanOnPush(rule=rule, why=why, repository=repository.ref, scan_on_push=wanted)


def _is_encrypted_as(wanted: Encryption, actual: Encryption | None) -> bool:
    return actual is not None and actual.type == wanted.type and wanted.key in (None, actual.key)


def _policy(
    rule: str, wanted: PolicyRules, ref: RepositoryRef, actual: Document | UnreadableDocument | None
) -> Iterator[Step | Violation | str]:
    plan = plan_policy(wanted, actual)
    yield from plan.remarks
    if plan.refusal is not None:
        yield Violation(rule=rule, subject=ref, why=plan.refusal)
    elif (change := plan.change) is not None and change.document is not None:
        yield SetRepositoryPolicy(
            rule=rule,
            why=change.why,
            repository=ref,
            document=change.document,
            takes_away=change.takes_away,
            opens=openings(readable(actual), change.document, ref.registry.account),
            previous=readable(actual),
        )
    elif change is not None:
        yield DeleteRepositoryPolicy(rule=rule, why=change.why, repository=ref, previous=readable(actual))


def _on(value: bool | None) -> str:
    return "on" if value else "off"
