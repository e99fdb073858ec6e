"""Settings of a whole registry: what differs from the rulebook, as a plan. An equal setting is never written again.

What ECR tells is written back with all its members but those that the rulebook decides: a newer ECR may have some that
nobody here knows, and a configuration is always replaced as a whole.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import product
from typing import Any, Final, assert_never

from ecr_steward.domain.governance import is_same_policy
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.plan import NOTHING, Plan
from ecr_steward.domain.registries import (
    OWN_SID,
    CreationTemplate,
    DeleteRegistryPolicy,
    NativeReplication,
    Part,
    PutAccountSetting,
    PutCreationTemplate,
    PutRegistryPolicy,
    PutRegistryScanning,
    PutReplicationConfiguration,
    RegistrySettings,
    WantedPolicy,
    WantedReplication,
    WantedScanning,
    WantedSettings,
)
from ecr_steward.domain.repositories import Document

POLICY_LIMIT: Final = 10_240
"""Characters in a registry policy (``policyText`` in the PutRegistryPolicy API reference)."""
MOST_RULES: Final = 25
"""Rules of a replication configuration (PutReplicationConfiguration API reference)."""
MOST_DESTINATIONS: Final = 25
"""Unique destinations of all its rules (ECR user guide, "Private image replication")."""


def plan_registry(rule: str, registry: RegistryRef, wanted: WantedSettings, actual: RegistrySettings) -> Plan:
    """Plan what brings a registry's settings to those of a rule. Settings the rule is silent about stay."""
    plan = NOTHING
    for part in wanted.parts:
        plan += _plan_part(part, rule, registry, wanted, actual)
    return plan


def _plan_part(part: Part, rule: str, registry: RegistryRef, wanted: WantedSettings, actual: RegistrySettings) -> Plan:
    match part:
        case Part.ACCOUNT_SETTINGS:
            return Plan(tuple(_account_settings(rule, registry, wanted.account_settings or {}, actual)))
        case Part.POLICY:
            return _plan_policy(rule, registry, wanted.policy or WantedPolicy(), actual.policy)
        case Part.SCANNING:
            assert wanted.scanning is not None  # noqa: S101 - it is one of the parts
            return Plan(tuple(_scanning(rule, registry, wanted.scanning, actual.scanning)))
        case Part.CREATION_TEMPLATES:
            return Plan(tuple(_templates(rule, registry, wanted.creation_templates or (), actual)))
        case Part.REPLICATION:
            return _plan_replication(rule, registry, wanted.replication or WantedReplication(), actual.replication)
        case _:
            assert_never(part)


def _account_settings(
    rule: str, registry: RegistryRef, wanted: Mapping[str, str], actual: RegistrySettings
) -> Iterator[PutAccountSetting]:
    for name, value in wanted.items():
        now = actual.account_settings.get(name)
        if now != value:
            why = f"{name} is {now}, the rulebook says {value}"
            yield PutAccountSetting(rule=rule, why=why, registry=registry, name=name, value=value)


# ---------------------------------------------------------------- the registry policy


def _plan_policy(rule: str, registry: RegistryRef, wanted: WantedPolicy, actual: Document | None) -> Plan:
    sids = {statement.get("Sid") for statement in wanted.statements}
    now = _statements(actual)
    foreign = [one for one in now if one.get("Sid") not in sids and not str(one.get("Sid", "")).startswith(OWN_SID)]
    statements = [*(foreign if wanted.keeps_foreign else ()), *wanted.statements]
    if not statements:
        why = "the rulebook leaves no statement in it"
        return Plan((DeleteRegistryPolicy(rule=rule, why=why, registry=registry),)) if actual is not None else NOTHING
    document = {"Version": "2012-10-17", **(actual or {}), "Statement": statements}
    if is_same_policy(document, actual):
        return NOTHING
    length = len(json.dumps(document, separators=(",", ":")))
    if length > POLICY_LIMIT:
        remark = (
            f"the registry policy of {registry} is left as it is: with the {len(foreign)} statements that are not the "
            f"rulebook's it would have {length} characters, and ECR takes at most {POLICY_LIMIT}; remove some of them"
        )
        return Plan(remarks=(remark,))
    why = "the registry policy is missing" if actual is None else "the registry policy is not the rulebook's"
    takes_away = not _grants(now) <= _grants(statements) or not _denials(statements) <= _denials(now)
    step = PutRegistryPolicy(rule=rule, why=why, registry=registry, document=document, takes_away=takes_away)
    return Plan((step,))


def _statements(policy: Document | None) -> list[Mapping[str, Any]]:
    statements = (policy or {}).get("Statement", [])
    return [statements] if isinstance(statements, Mapping) else list(statements)


def _grants(statements: Iterable[Mapping[str, Any]]) -> set[Any]:
    return {each for one in statements if one.get("Effect") == "Allow" for each in _atoms(one)}


def _denials(statements: Iterable[Mapping[str, Any]]) -> set[Any]:
    return {each for one in statements if one.get("Effect") != "Allow" for each in _atoms(one)}


def _atoms(statement: Mapping[str, Any]) -> Iterator[Any]:
    """What a statement says, each principal, action and resource by itself, under what else it holds."""
    principal = statement.get("Principal")
    principals = (
        [(kind, one) for kind, some in principal.items() for one in _listed(some)]
        if isinstance(principal, Mapping)
        else [("", principal)]
    )
    rest = _unordered({key: value for key, value in statement.items() if key not in _SPLIT})
    for whom, what, where in product(principals, _listed(statement.get("Action")), _listed(statement.get("Resource"))):
        yield whom, what, where, rest


_SPLIT = ("Sid", "Effect", "Principal", "Action", "Resource")


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


# ---------------------------------------------------------------- scanning


def _scanning(
    rule: str, registry: RegistryRef, wanted: WantedScanning, actual: Document
) -> Iterator[PutRegistryScanning]:
    now = WantedScanning(actual.get("scanType", "BASIC"), _filters_by_frequency(actual))
    if now == wanted:
        return
    known = {one.get("scanFrequency"): one for one in actual.get("rules", [])}
    rules = [
        {
            **known.get(frequency, {}),
            "scanFrequency": frequency,
            "repositoryFilters": [{"filter": one, "filterType": "WILDCARD"} for one in sorted(filters)],
        }
        for frequency, filters in wanted.rules.items()
    ]
    differing = f"{now.type} where the rulebook says {wanted.type}" if now.type != wanted.type else "of other rules"
    yield PutRegistryScanning(
        rule=rule,
        why=f"the scanning configuration is {differing}",
        registry=registry,
        document={**actual, "scanType": wanted.type, "rules": rules},
    )


def _filters_by_frequency(configuration: Document) -> dict[str, frozenset[str]]:
    """Two rules of one frequency are one; a rule without filters is for no repository."""
    found: dict[str, frozenset[str]] = {}
    for one in configuration.get("rules", []):
        if filters := frozenset(each.get("filter", "") for each in one.get("repositoryFilters", [])):
            frequency = one.get("scanFrequency", "")
            found[frequency] = found.get(frequency, frozenset()) | filters
    return found


# ---------------------------------------------------------------- creation templates


def _templates(
    rule: str, registry: RegistryRef, wanted: Iterable[CreationTemplate], actual: RegistrySettings
) -> Iterator[PutCreationTemplate]:
    for template in wanted:
        now = actual.creation_templates.get(template.key)
        if now is None:
            why = f"there is no creation template for {template.prefix}"
            yield PutCreationTemplate(rule=rule, why=why, registry=registry, template=template, is_new=True)
        elif differing := _differing(template, now):
            change = CreationTemplate(now.prefix, template.applied_for, **differing)
            named = ", ".join(key for key in differing) or "applied_for"
            why = f"not as the rulebook says: {named}"
            yield PutCreationTemplate(rule=rule, why=why, registry=registry, template=change, is_new=False)
        elif template.applied_for != now.applied_for:
            why = f"it is applied for {_spelled(now.applied_for)}, the rulebook says {_spelled(template.applied_for)}"
            change = CreationTemplate(now.prefix, template.applied_for)
            yield PutCreationTemplate(rule=rule, why=why, registry=registry, template=change, is_new=False)


def _differing(wanted: CreationTemplate, actual: CreationTemplate) -> dict[str, Any]:
    """The fields to change, but for what the template is applied for."""
    changes: dict[str, Any] = {}
    for key in ("description", "mutability", "lifecycle", "role"):
        value = getattr(wanted, key)
        if value is not None and value != getattr(actual, key):
            changes[key] = value
    if wanted.policy is not None and not is_same_policy(wanted.policy, actual.policy):
        changes["policy"] = wanted.policy
    if wanted.encryption is not None and wanted.encryption != _without_unasked_key(wanted, actual).encryption:
        changes["encryption"] = wanted.encryption
    if not wanted.resource_tags.items() <= actual.resource_tags.items():
        changes["resource_tags"] = {**actual.resource_tags, **wanted.resource_tags}
    return changes


def _without_unasked_key(wanted: CreationTemplate, actual: CreationTemplate) -> CreationTemplate:
    """ECR names AWS's own key where none was given."""
    if wanted.encryption and wanted.encryption.key is None and actual.encryption:
        return replace(actual, encryption=replace(actual.encryption, key=None))
    return actual


def _spelled(words: Iterable[str]) -> str:
    return ", ".join(sorted(words))


# ---------------------------------------------------------------- replication


def _plan_replication(rule: str, registry: RegistryRef, wanted: WantedReplication, actual: Document) -> Plan:
    document = _replication(wanted, actual)
    if _unordered(document) == _unordered(actual):
        return NOTHING
    destinations = {_place(one) for each in document["rules"] for one in each.get("destinations", [])}
    for what, count, most in (
        ("rules", len(document["rules"]), MOST_RULES),
        ("destinations", len(destinations), MOST_DESTINATIONS),
    ):
        if count > most:
            remark = (
                f"the replication configuration of {registry} is left as it is: with the rules that are not the "
                f"rulebook's it would have {count} {what}, and ECR takes at most {most}; remove some of them"
            )
            return Plan(remarks=(remark,))
    gone = len(actual.get("rules", [])) - len([one for one in actual.get("rules", []) if one in document["rules"]])
    new = len(document["rules"]) - len([one for one in document["rules"] if one in actual.get("rules", [])])
    why = f"of its rules {gone} are not the rulebook's, and {new} of the rulebook's are missing or different"
    return Plan((PutReplicationConfiguration(rule=rule, why=why, registry=registry, document=document),))


def _replication(wanted: WantedReplication, actual: Document) -> dict[str, Any]:
    """The configuration to be: a rule there for the same prefixes is the rulebook's, whatever its destinations."""
    missing = {rule.prefixes: rule for rule in wanted.rules}
    named = set(missing)
    rules: list[Mapping[str, Any]] = []
    for one in actual.get("rules", []):
        prefixes = _prefixes(one)
        if prefixes in named:
            if prefixes in missing:
                rules.append(_rewritten(missing.pop(prefixes), one))
        elif wanted.keeps_foreign:
            rules.append(one)
    return {**actual, "rules": [*rules, *(_rewritten(rule, {}) for rule in missing.values())]}


def _rewritten(wanted: NativeReplication, actual: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as it is to be, with all that it holds besides."""
    rule = dict(actual)
    known = {_place(one): one for one in actual.get("destinations", [])}
    if known.keys() != {(place.account, place.region) for place in wanted.destinations}:
        rule["destinations"] = [
            known.get((place.account, place.region), {"region": place.region, "registryId": place.account})
            for place in sorted(wanted.destinations)
        ]
    if wanted.prefixes and "repositoryFilters" not in rule:
        filters = [{"filter": prefix, "filterType": "PREFIX_MATCH"} for prefix in sorted(wanted.prefixes)]
        rule["repositoryFilters"] = filters
    deletes = rule.get("deleteReplication", {})
    if wanted.deletes is not None and deletes.get("enabled", False) != wanted.deletes:
        rule["deleteReplication"] = {**deletes, "enabled": wanted.deletes}
    return rule


def _prefixes(rule: Mapping[str, Any]) -> frozenset[str] | None:
    """What a rule of ECR is known by; ``None`` where it chooses in a way that the rulebook cannot say."""
    filters = rule.get("repositoryFilters", [])
    if any(one.get("filterType") != "PREFIX_MATCH" for one in filters):
        return None
    return frozenset(one["filter"] for one in filters)


def _place(destination: Mapping[str, Any]) -> tuple[str, str]:
    return destination.get("registryId", ""), destination.get("region", "")


def _unordered(value: Any) -> Any:
    """A value to compare by: the order of rules, destinations and filters means nothing to ECR."""
    if isinstance(value, Mapping):
        return frozenset((key, _unordered(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return frozenset(map(_unordered, value))
    return value
