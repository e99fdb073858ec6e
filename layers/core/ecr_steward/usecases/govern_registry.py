"""A registry, or news of a call that changed its settings → the settings of its rules."""

from dataclasses import replace
from typing import assert_never

from ecr_steward.domain.backfills import StartReplicationBackfill
from ecr_steward.domain.callers import OwnRoles
from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.observations import RegistryChanged
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.plan import Plan
from ecr_steward.domain.registries import Part, RegistrySettings, WantedSettings
from ecr_steward.domain.registry_governance import plan_registry
from ecr_steward.domain.registry_rules import GoverningRegistryRule, governing_registry
from ecr_steward.domain.rules import Mode, Rules
from ecr_steward.errors import BackfillUnderWayError, StewardError, gravest
from ecr_steward.ports.registry_settings import RegistrySettingsStore
from ecr_steward.usecases.applying import Applier, Halt
from ecr_steward.usecases.backfilling import Backfilling


def govern_registry(
    registry: RegistryRef,
    *,
    rules: Rules,
    settings: RegistrySettingsStore,
    applier: Applier,
    backfilling: Backfilling | None = None,
    is_dry: bool = False,
) -> tuple[Outcome, ...]:
    """Bring a registry's settings to those of its rules: an outcome for each rule that decides something.

    Only what rules speak of is read. A part that cannot be read or written keeps no other from being done; its error is
    in the outcome. A dry run plans and applies nothing, whatever the mode. What there is to tell of backfills is in
    further outcomes.
    """
    governing = list(governing_registry(rules.registries, registry))
    if not governing:
        return (Outcome(subject_of(registry), remark="no rule covers this registry"),)
    found: list[Outcome] = []
    for rule in governing:
        is_done = rule.mode is Mode.ENFORCE and not is_dry
        outcome, told = _planned(registry, rule, settings, backfilling, is_done=is_done)
        if is_done:
            outcome = _applied(registry, outcome, applier)
        found += [applier.foresee(outcome, registry, None) if is_dry else outcome, *told]
    return tuple(found)


def apply_registry_settings(
    change: RegistryChanged,
    *,
    rules: Rules,
    settings: RegistrySettingsStore,
    applier: Applier,
    own_roles: OwnRoles | None = None,
    backfilling: Backfilling | None = None,
) -> tuple[Outcome, ...]:
    """Look at a registry whose settings somebody has changed. What the steward itself has changed it has planned."""
    changed_by = str(change) if change.by else None
    if change.by and own_roles and own_roles.include(change.by):
        remark = "the steward itself made this change: there is nothing to look at again"
        return (Outcome(subject_of(change.registry), remark=remark, changed_by=changed_by),)
    outcomes = govern_registry(
        change.registry, rules=rules, settings=settings, applier=applier, backfilling=backfilling
    )
    return tuple(replace(outcome, changed_by=changed_by) for outcome in outcomes)


def subject_of(registry: RegistryRef) -> str:
    """How people find a registry among the subjects of outcomes."""
    return f"registry {registry}"


def _planned(
    registry: RegistryRef,
    rule: GoverningRegistryRule,
    settings: RegistrySettingsStore,
    backfilling: Backfilling | None,
    *,
    is_done: bool,
) -> tuple[Outcome, tuple[Outcome, ...]]:
    """What a rule asks for, and what there is to tell of backfills. ``is_done`` says whether it is carried out then."""
    plan, errors, told = Plan(), list[StewardError](), tuple[Outcome, ...]()
    for part in rule.wanted.parts:
        wanted = rule.wanted.only(part)
        try:
            actual = _read(part, registry, wanted, settings)
            if backfilling and is_done and wanted.replication:
                backfilling.void(registry, wanted.replication, actual.replication)
            changes = plan_registry(rule.name, registry, wanted, actual)
            plan += changes
            if backfilling and wanted.replication:
                starts, told = backfilling.plan(rule, registry, actual.replication, changes)
                plan += starts
        except StewardError as error:
            error.rule = rule.name
            errors.append(error)
    met = gravest(errors) if errors else None
    return Outcome(subject_of(registry), rule.name, rule.mode, plan, error=met), told


def _applied(registry: RegistryRef, outcome: Outcome, applier: Applier) -> Outcome:
    """Carry it out: settings, and then each backfill by itself, since somebody else may be faster with one."""
    starts = tuple(step for step in outcome.plan.steps if isinstance(step, StartReplicationBackfill))
    settings = tuple(step for step in outcome.plan.steps if step not in starts)
    errors = [outcome.error] if outcome.error else []
    halt: Halt | None = None
    for steps in (settings, *((start,) for start in starts)):
        try:
            halt = halt or applier.apply(Plan(steps), registry)
        except BackfillUnderWayError as error:
            planned = outcome.plan
            left = tuple(step for step in planned.steps if step not in steps)
            remark = f"somebody was faster, and the next sweep looks again: {error}"
            outcome = replace(outcome, plan=replace(planned, steps=left), remark=remark)
        except StewardError as error:
            errors.append(error)
    return replace(outcome, error=gravest(errors)) if errors else outcome.carried_out(halt)


def _read(
    part: Part, registry: RegistryRef, wanted: WantedSettings, settings: RegistrySettingsStore
) -> RegistrySettings:
    """Read what a registry has of one part; of account settings, only those that are spoken of."""
    match part:
        case Part.ACCOUNT_SETTINGS:
            names = wanted.account_settings or {}
            return RegistrySettings(account_settings={name: settings.account_setting(registry, name) for name in names})
        case Part.POLICY:
            return RegistrySettings(policy=settings.policy(registry))
        case Part.SCANNING:
            return RegistrySettings(scanning=settings.scanning(registry))
        case Part.CREATION_TEMPLATES:
            templates = {template.key: template for template in settings.creation_templates(registry)}
            return RegistrySettings(creation_templates=templates)
        case Part.REPLICATION:
            return RegistrySettings(replication=settings.replication(registry))
        case _:
            assert_never(part)
