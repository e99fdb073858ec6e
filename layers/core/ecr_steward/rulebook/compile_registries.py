"""From the key ``registries`` to the settings that a registry is to have."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, Final

from ecr_steward.domain.matching import Matcher
from ecr_steward.domain.names import RegistryRef, partition_of
from ecr_steward.domain.policies.rules import OWN_SID
from ecr_steward.domain.registries import (
    CreationTemplate,
    NativeReplication,
    WantedPolicy,
    WantedReplication,
    WantedScanning,
    WantedSettings,
)
from ecr_steward.domain.registry_rules import RegistryRule
from ecr_steward.domain.repositories import Encryption
from ecr_steward.domain.rules import Mode
from ecr_steward.rulebook import creation_templates, registries
from ecr_steward.rulebook.compile_settings import settings_of
from ecr_steward.rulebook.model import Rule, Sections
from ecr_steward.rulebook.patterns import star_matcher, tag_matcher
from ecr_steward.rulebook.policy_document import grants, repository_policy
from ecr_steward.rulebook.settings import RepositoryRules

REPLICATION_ACTIONS: Final = ("ecr:CreateRepository", "ecr:ReplicateImage")
CACHE_ACTIONS: Final = ("ecr:BatchImportUpstreamImage", "ecr:CreateRepository")
_FREQUENCIES: Final = {"on_push": "SCAN_ON_PUSH", "continuous": "CONTINUOUS_SCAN", "manual": "MANUAL"}
_TEMPLATE_KEYS: Final = ("policy", "lifecycle", "mutability")


def registry_rule(
    entry: registries.Registry,
    settings: Mapping[str, RepositoryRules | None],
    protected: Mapping[str, tuple[Matcher, ...]],
) -> RegistryRule:
    """Compile an entry.

    ``settings`` are those of the repositories of each rule, with all that it inherits, and ``protected`` the image tags
    that nothing may remove there.
    """
    return _rule(entry, _wanted(entry, settings, protected))


def _rule(entry: registries.Registry, wanted: Callable[[RegistryRef], WantedSettings]) -> RegistryRule:
    return RegistryRule(
        name=entry.name,
        wanted=wanted,
        mode=Mode(entry.mode),
        accounts=tuple(map(star_matcher, entry.match.accounts)),
        regions=tuple(map(star_matcher, entry.match.regions)),
    )


def replicating_rule(entry: registries.Registry) -> RegistryRule:
    """Compile of an entry what ECR replicates."""

    def wanted(registry: RegistryRef) -> WantedSettings:
        return WantedSettings(replication=replication(entry.replication, registry) if entry.replication else None)

    return _rule(entry, wanted)


def settings_by_rule(rules: Iterable[Rule], defaults: Sections | None) -> dict[str, RepositoryRules | None]:
    """What each rule, with all that it inherits, and ``defaults`` say about repositories; ``None`` for nothing."""
    base = defaults.repository if defaults else None
    return {rule.name: _filled(rule.repository, base) for rule in rules}


def protected_by_rule(rules: Iterable[Rule], defaults: Sections | None) -> dict[str, tuple[Matcher, ...]]:
    """The image tags that nothing may remove, as each rule or else ``defaults`` says."""
    base = defaults.image_tags if defaults else None
    said = {rule.name: rule.image_tags or base for rule in rules}
    return {name: tuple(map(tag_matcher, tags.protect)) if tags else () for name, tags in said.items()}


def _filled(own: RepositoryRules | None, base: RepositoryRules | None) -> RepositoryRules | None:
    if own is None or base is None:
        return own or base
    said = {key: getattr(own, key) for key in own.model_fields_set}
    return base.model_copy(update={**said, "resource_tags": {**base.resource_tags, **own.resource_tags}})


def _wanted(
    entry: registries.Registry,
    settings: Mapping[str, RepositoryRules | None],
    protected: Mapping[str, tuple[Matcher, ...]],
) -> Callable[[RegistryRef], WantedSettings]:
    @cache  # a sweep asks for each repository that may be a replica
    def of(registry: RegistryRef) -> WantedSettings:
        templates = entry.creation_templates
        return WantedSettings(
            policy=registry_policy(entry.policy, registry) if entry.policy else None,
            scanning=_scanning(entry.scanning) if entry.scanning else None,
            replication=replication(entry.replication, registry) if entry.replication else None,
            creation_templates=tuple(creation_template(one, registry, settings, protected) for one in templates)
            if templates is not None
            else None,
            account_settings=_account_settings(entry.account_settings) if entry.account_settings else None,
        )

    return of


# ---------------------------------------------------------------- the registry policy


def registry_policy(policy: registries.RegistryPolicy, registry: RegistryRef) -> WantedPolicy:
    """The statements that say this. Each Sid begins so that it is found again when the rulebook changes."""
    statements = (
        *_here(grants("ReplicationFrom", policy.replication_from, REPLICATION_ACTIONS, registry), registry),
        *_here(grants("PullThroughCache", policy.pull_through_cache, CACHE_ACTIONS, registry), registry),
        *(_as_written(number, one, registry) for number, one in enumerate(policy.statements, start=1)),
    )
    return WantedPolicy(statements, keeps_foreign=policy.foreign == "keep")


def _as_written(number: int, statement: registries.RegistryStatement, registry: RegistryRef) -> dict[str, Any]:
    written = statement.model_dump(by_alias=True, exclude_none=True)
    sid = written.get("Sid", f"Statement{number}")
    return {"Resource": _all_of(registry), **written, "Sid": sid if sid.startswith(OWN_SID) else f"{OWN_SID}{sid}"}


def _here(statements: Iterable[dict[str, Any]], registry: RegistryRef) -> Iterator[dict[str, Any]]:
    """Statements about every repository of a registry, which a registry policy has to say."""
    for statement in statements:
        yield {**statement, "Resource": _all_of(registry)}


def _all_of(registry: RegistryRef) -> str:
    return f"arn:{partition_of(registry.region)}:ecr:{registry.region}:{registry.account}:repository/*"


# ---------------------------------------------------------------- scanning, replication, account settings


def _scanning(scanning: registries.RegistryScanning) -> WantedScanning:
    rules = {_FREQUENCIES[rule.frequency]: frozenset(rule.repositories) for rule in scanning.rules}
    return WantedScanning(scanning.type.upper(), rules)


def replication(wanted: registries.RegistryReplication, registry: RegistryRef) -> WantedReplication:
    """What a registry replicates. A rule that would only lead to the registry itself is none."""
    rules = (
        NativeReplication(frozenset(rule.repositories), destinations, rule.deletes)
        for rule in wanted.rules
        if (destinations := frozenset(_registries(rule, registry)) - {registry})
    )
    return WantedReplication(tuple(rules), keeps_foreign=wanted.foreign == "keep", backfill=wanted.backfill)


def _registries(rule: registries.NativeReplication, registry: RegistryRef) -> Iterator[RegistryRef]:
    for to in rule.to:
        yield RegistryRef(to.account or registry.account, to.region or registry.region)


def _account_settings(wanted: registries.AccountSettings) -> dict[str, str]:
    named = {
        "BLOB_MOUNTING": {None: None, True: "ENABLED", False: "DISABLED"}[wanted.blob_mounting],
        "BASIC_SCAN_TYPE_VERSION": wanted.basic_scan_version,
        "REGISTRY_POLICY_SCOPE": wanted.registry_policy_scope,
    }
    return {name: value for name, value in named.items() if value is not None}


# ---------------------------------------------------------------- creation templates


def template_settings(
    template: creation_templates.CreationTemplate, settings: Mapping[str, RepositoryRules | None]
) -> RepositoryRules:
    """The settings of a template: its own, and those of its rule where it names none."""
    base = settings.get(template.settings_of or "") or RepositoryRules()
    own = {key: getattr(template, key) for key in _TEMPLATE_KEYS if getattr(template, key) is not None}
    return base.model_copy(update={**own, "resource_tags": {**base.resource_tags, **template.resource_tags}})


def creation_template(
    template: creation_templates.CreationTemplate,
    registry: RegistryRef,
    settings: Mapping[str, RepositoryRules | None],
    protected: Mapping[str, tuple[Matcher, ...]],
) -> CreationTemplate:
    """A template for one registry."""
    words = template_settings(template, settings)
    wanted = settings_of(words, protected.get(template.settings_of or "", ()))(registry)
    role = f"arn:{partition_of(registry.region)}:iam::{registry.account}:role/{template.role}"
    return CreationTemplate(
        prefix=template.prefix,
        applied_for=frozenset(cause.upper() for cause in template.applied_for),
        description=template.description,
        mutability=wanted.mutability,
        policy=repository_policy(words.policy, registry) if words.policy else None,
        lifecycle=wanted.lifecycle if isinstance(wanted.lifecycle, Mapping) else None,
        encryption=Encryption(template.encryption.type.upper(), template.encryption.key)
        if template.encryption
        else None,
        resource_tags=wanted.resource_tags,
        role=role if template.role else None,
    )
