"""Settings of a whole registry: what differs from the rulebook, as a plan. An equal setting is never written again.

What ECR tells is written back with all its members but those that the rulebook decides: a newer ECR may have some that
nobody here knows, and a configuration is always replaced as a whole.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, assert_never

from ecr_steward.domain.creation_templates import template_steps
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.native_rules import place_of, prefixes_of
from ecr_steward.domain.plan import NOTHING, Plan
from ecr_steward.domain.policies.openings import openings
from ecr_steward.domain.policies.outside import deleted_in
from ecr_steward.domain.policies.principals import without
from ecr_steward.domain.policies.rules import OWN_SID
from ecr_steward.domain.policies.statements import VERSION, Grant, Statement, grants_of, read_statements
from ecr_steward.domain.policies.text import POLICY_LIMIT, compacted, is_too_long, policy_text
from ecr_steward.domain.registries import (
    DeleteRegistryPolicy,
    NativeReplication,
    Part,
    PutAccountSetting,
    PutRegistryPolicy,
    PutRegistryScanning,
    PutReplicationConfiguration,
    RegistrySettings,
    WantedPolicy,
    WantedReplication,
    WantedScanning,
    WantedSettings,
)
from ecr_steward.domain.repositories import Document, UnreadableDocument

MOST_RULES: Final = 25
"""Rules of a replication configuration (PutReplicationConfiguration API reference)."""
MOST_DESTINATIONS: Final = 25
"""Unique destinations of all its rules (ECR user guide, "Private image replication")."""
KNOWN_SCANNING: Final = frozenset({"BASIC", "ENHANCED", "SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL"})
"""Types and frequencies of scanning (PutRegistryScanningConfiguration API reference)."""
_SHOWN: Final = 5
"""How many of several things a reason names."""


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
            return _plan_scanning(rule, registry, wanted.scanning, actual.scanning)
        case Part.CREATION_TEMPLATES:
            found = list(template_steps(rule, registry, wanted.creation_templates or (), actual))
            steps = tuple(one for one in found if not isinstance(one, str))
            return Plan(steps, remarks=tuple(one for one in found if isinstance(one, str)))
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
    found = read_statements(actual) if actual is not None else ()
    if isinstance(found, UnreadableDocument):
        if wanted.keeps_foreign:
            remark = (
                f"the registry policy of {registry} is left as it is: it cannot be read ({found.why}); mend it by hand"
            )
            return Plan(remarks=(remark,))
        found = ()
    own = [each for each in found if each.sid.startswith(OWN_SID)]
    foreign = [each for each in found if not each.sid.startswith(OWN_SID)]
    asked = tuple(map(Statement, wanted.statements))
    if grants_of(own) == grants_of(asked) and (wanted.keeps_foreign or not foreign) and (found or actual is None):
        return NOTHING
    kept = filter(None, map(_without_deleted, foreign)) if wanted.keeps_foreign else ()
    after = [*kept, *asked]
    if not after:
        why = "the rulebook leaves no statement in it"
        return Plan((DeleteRegistryPolicy(rule=rule, why=why, registry=registry, previous=actual),))
    document: Document = {"Version": VERSION, **(actual or {}), "Statement": [dict(each.written) for each in after]}
    if is_too_long(document):
        document = compacted(document, lambda each: each.sid.startswith(OWN_SID), OWN_SID)
    if is_too_long(document):
        remark = (
            f"the registry policy of {registry} is left as it is: with the {len(foreign)} statements that are not the "
            f"rulebook's it would have {len(policy_text(document))} characters, and ECR takes at most {POLICY_LIMIT}; "
            "remove some of them"
        )
        return Plan(remarks=(remark,))
    why = "the registry policy is missing" if actual is None else _what_differs(found, after)
    takes_away = _takes_away(filter(None, map(_without_deleted, found)), after)
    opens = openings(actual, document, registry.account)
    step = PutRegistryPolicy(
        rule=rule,
        why=why,
        registry=registry,
        document=document,
        takes_away=takes_away,
        opens=opens,
        previous=actual,
    )
    return Plan((step,))


def _what_differs(before: Iterable[Statement], after: Iterable[Statement]) -> str:
    """Which statements come and go; of one that is changed, it is the new one that is lacking."""
    had, has = ({each.grants: each.name for each in some} for some in (before, after))
    lacking = [name for grants, name in has.items() if grants not in had]
    surplus = [name for grants, name in had.items() if grants not in has]
    told = [("lacks", lacking), ("has what it should not", surplus)]
    return f"the registry policy {'; '.join(f'{how}: {_listed(names)}' for how, names in told if names)}"


def _without_deleted(statement: Statement) -> Statement | None:
    """A statement without principals that are no more, since ECR takes no policy that names one; or nothing of it."""
    deleted = deleted_in(statement)
    if not deleted or "Principal" not in statement.written:
        return statement
    left = without(statement.written["Principal"], deleted)
    return Statement({**statement.written, "Principal": left}, statement.version) if left is not None else None


def _takes_away(before: Iterable[Statement], after: Iterable[Statement]) -> bool:
    """Whether an Allow goes or a Deny comes."""
    allowed, denied = _by_effect(before)
    allowed_then, denied_then = _by_effect(after)
    return not allowed <= allowed_then or not denied_then <= denied


def _by_effect(statements: Iterable[Statement]) -> tuple[frozenset[Grant], frozenset[Grant]]:
    listed = list(statements)
    return grants_of(one for one in listed if one.is_allow), grants_of(one for one in listed if not one.is_allow)


# ---------------------------------------------------------------- scanning


def _plan_scanning(rule: str, registry: RegistryRef, wanted: WantedScanning, actual: Document) -> Plan:
    now = WantedScanning(actual.get("scanType", "BASIC"), _filters_by_frequency(actual))
    if now == wanted:
        return NOTHING
    why = f"the scanning configuration is {_told(now)}, the rulebook says {_told(wanted)}"
    if newer := sorted({now.type, *now.rules} - KNOWN_SCANNING):
        left = f"left as it is: this version of ECR Steward does not know {_listed(newer)}"
        return Plan(remarks=(f"{why}; {left}",))
    known = {one.get("scanFrequency"): one for one in actual.get("rules", [])}
    rules = [
        {
            **known.get(frequency, {}),
            "scanFrequency": frequency,
            "repositoryFilters": [{"filter": one, "filterType": "WILDCARD"} for one in sorted(filters)],
        }
        for frequency, filters in wanted.rules.items()
    ]
    document: Document = {**actual, "scanType": wanted.type, "rules": rules}
    return Plan((PutRegistryScanning(rule=rule, why=why, registry=registry, document=document),))


def _told(scanning: WantedScanning) -> str:
    rules = (f"{frequency} of {_listed(sorted(filters))}" for frequency, filters in sorted(scanning.rules.items()))
    return f"{scanning.type} with {' and '.join(rules) or 'no rule'}"


def _filters_by_frequency(configuration: Document) -> dict[str, frozenset[str]]:
    """Two rules of one frequency are one; a rule without filters is for no repository."""
    found: dict[str, frozenset[str]] = {}
    for one in configuration.get("rules", []):
        if filters := frozenset(each.get("filter", "") for each in one.get("repositoryFilters", [])):
            frequency = one.get("scanFrequency", "")
            found[frequency] = found.get(frequency, frozenset()) | filters
    return found


# ---------------------------------------------------------------- replication


def _plan_replication(rule: str, registry: RegistryRef, wanted: WantedReplication, actual: Document) -> Plan:
    document = _replication(wanted, actual)
    if _unordered(document) == _unordered(actual):
        return NOTHING
    destinations = {place_of(one) for each in document["rules"] for one in each.get("destinations", [])}
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
    before, after = actual.get("rules", []), document["rules"]
    lacking_rules = [one for one in after if _unordered(one) not in map(_unordered, before)]
    lacking = [_copies(one) for one in lacking_rules]
    surplus = [_copies(one) for one in before if _unordered(one) not in map(_unordered, after)]
    told = [("lacks", lacking), ("has what it should not", surplus)]
    why = f"the replication {'; '.join(f'{how}: {_listed(rules)}' for how, rules in told if rules)}"
    takes_away = _any_deletes(lacking_rules)
    step = PutReplicationConfiguration(
        rule=rule,
        why=why,
        registry=registry,
        document=document,
        takes_away=takes_away,
        previous=actual if before else None,
    )
    return Plan((step,))


def _any_deletes(rules: Iterable[Document]) -> bool:
    return any(rule.get("deleteReplication", {}).get("enabled") for rule in rules)


def _replication(wanted: WantedReplication, actual: Document) -> dict[str, Any]:
    """The configuration to be: a rule there for the same prefixes is the rulebook's, whatever its destinations."""
    missing = {rule.prefixes: rule for rule in wanted.rules}
    named = set(missing)
    rules: list[Mapping[str, Any]] = []
    for one in actual.get("rules", []):
        prefixes = prefixes_of(one)
        if prefixes in named:
            if prefixes in missing:
                rules.append(_rewritten(missing.pop(prefixes), one))
        elif wanted.keeps_foreign:
            rules.append(one)
    return {**actual, "rules": [*rules, *(_rewritten(rule, {}) for rule in missing.values())]}


def _rewritten(wanted: NativeReplication, actual: Mapping[str, Any]) -> dict[str, Any]:
    """A rule as it is to be, with all that it holds besides."""
    rule = dict(actual)
    known = {place_of(one): one for one in actual.get("destinations", [])}
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


def _copies(rule: Mapping[str, Any]) -> str:
    """A rule of ECR as people read it."""
    prefixes = _listed([str(one.get("filter")) for one in rule.get("repositoryFilters", [])]) or "everything"
    places = _listed(["/".join(place_of(one)) for one in rule.get("destinations", [])])
    return f"{prefixes} to {places}{' with deletions' if rule.get('deleteReplication', {}).get('enabled') else ''}"


def _listed(words: Sequence[str]) -> str:
    more = len(words) - _SHOWN
    return ", ".join(words[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _unordered(value: Any) -> Any:
    """A value to compare by: the order of rules, destinations and filters means nothing to ECR."""
    if isinstance(value, Mapping):
        return frozenset((key, _unordered(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return frozenset(map(_unordered, value))
    return value
