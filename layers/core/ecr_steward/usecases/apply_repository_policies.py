"""New or changed repository → the settings of its rules."""

from collections.abc import Sequence
from dataclasses import replace

from ecr_steward.domain.callers import OwnRoles
from ecr_steward.domain.governance import plan_repository
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.notices import ViolationFound
from ecr_steward.domain.observations import RepositoryChanged
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.plan import Plan, Violation
from ecr_steward.domain.repositories import Repository
from ecr_steward.domain.rules import Conflict, Governing, Mode, Rule, Rules
from ecr_steward.errors import RepositoryNotFoundError, StewardError
from ecr_steward.ports.messages import Notices
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.rule_sets import RuleSets
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.governing import governed, read_settings
from ecr_steward.usecases.seen_settings import SettingsMemory
from ecr_steward.usecases.watch_rule_sets import watch_rule_set


def apply_repository_policies(
    change: RepositoryChanged,
    *,
    rules: Rules,
    registry: Registry,
    applier: Applier,
    own_roles: OwnRoles | None = None,
    homes: Sequence[RegistryRef] = (),
    rule_sets: RuleSets | None = None,
    memory: SettingsMemory | None = None,
) -> tuple[Outcome, ...]:
    """Bring a repository's settings to those of its rules: one outcome for each rule that decides some of them.

    With ``rule_sets`` it is reported where resource tags have moved the repository to other rules. A repository that
    no rule covers is left alone, unless it is a replica of one of ``homes``. A change that the steward made itself is
    one that it has planned: nothing is read for it. Nor is
    anything where an image came and ``memory`` knows the settings. What another step of the same plan could
    not do, the event of that failure, a retry or the next sweep looks at.
    """
    nothing = Outcome(str(change.repository), changed_by=str(change) if change.by else None)
    if change.by and own_roles and own_roles.include(change.by):
        return (nothing.remarking("the steward itself made this change: there is nothing to look at again"),)
    if memory is not None and change.is_arrival and memory.knows(change.repository):
        return (nothing.remarking("its settings were seen in order within the last hour"),)
    moved: list[Outcome] = []
    try:
        governing, known = governed(Repository.unread(change.repository), rules, registry, homes)
        if rule_sets is not None:
            by, notices = nothing.changed_by, applier.notices
            found = watch_rule_set(known, rules=rules, rule_sets=rule_sets, notices=notices, changed_by=by)
            moved = [found] if found else []
        if not governing.settings and not governing.conflicts:
            remark = "its rules do not speak of settings" if governing.names else "no rule covers this repository"
            outcomes: tuple[Outcome, ...] = (replace(nothing, rule=next(iter(governing.names), None), remark=remark),)
        else:
            outcomes = mend_settings(governing, known, registry, applier)
    except RepositoryNotFoundError:
        return (nothing.remarking("the repository is gone"),)
    if memory is not None:
        memory.note(change, outcomes)
    return (*moved, *(replace(outcome, changed_by=nothing.changed_by) for outcome in outcomes))


def mend_settings(
    governing: Governing, known: Repository, registry: Registry, applier: Applier, *, is_dry: bool = False
) -> tuple[Outcome, ...]:
    """Plan the settings of a repository, and apply the plan where its rule enforces and this is no dry run.

    ``known`` is what was read of it before: no part of it is read again. Raises RepositoryNotFoundError.
    """
    outcomes = [_left_alone(conflict, known.ref) for conflict in governing.conflicts]
    if not is_dry:
        for outcome in outcomes:
            _tell(outcome, applier.notices)
    if governing.settings:
        actual = read_settings(governing.settings, known, registry)
        outcomes += [_bring_to(rule, actual, applier, is_dry) for rule in governing.settings]
    return tuple(outcomes)


def _left_alone(conflict: Conflict, repository: RepositoryRef) -> Outcome:
    violation = Violation(rule=conflict.rule, subject=repository, why=conflict.why)
    return Outcome(str(repository), conflict.rule, conflict.mode, Plan(violations=(violation,)))


def _tell(outcome: Outcome, notices: Notices) -> None:
    """Give notice of what the steward cannot mend, such as an encryption; what it can, it mends and logs."""
    for violation in outcome.plan.violations:
        notices.publish(
            ViolationFound(
                rule=violation.rule,
                why=violation.why,
                subject=violation.subject,
                image_tag=violation.image_tag,
                answer="observe" if outcome.mode is Mode.OBSERVE else "notify",
            )
        )


def _bring_to(rule: Rule, actual: Repository, applier: Applier, is_dry: bool) -> Outcome:
    outcome = Outcome(str(actual.ref), rule.name, rule.mode, plan_repository(rule, actual))
    if is_dry:
        return applier.foresee(outcome, actual.ref, None)
    _tell(outcome, applier.notices)
    if rule.mode is Mode.OBSERVE:
        return outcome
    try:
        return outcome.carried_out(applier.apply(outcome.plan, actual.ref))
    except StewardError as error:  # a rule whose settings are refused does not keep the others from theirs
        return replace(outcome, error=error)
