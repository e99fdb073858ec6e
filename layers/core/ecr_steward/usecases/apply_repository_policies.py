"""New or changed repository → the settings of its rules."""

from dataclasses import replace

from ecr_steward.domain.governance import plan_repository
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.repositories import Repository
from ecr_steward.domain.rules import Governing, Mode, Rule, Rules
from ecr_steward.errors import RepositoryNotFoundError, StewardError
from ecr_steward.ports.registry import Registry
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.governing import governing_rules


def apply_repository_policies(
    repository: RepositoryRef, *, rules: Rules, registry: Registry, applier: Applier
) -> tuple[Outcome, ...]:
    """Bring a repository's settings to those of its rules: one outcome for each rule that decides some of them.

    A repository that no rule covers is left alone.
    """
    try:
        governing = governing_rules(repository, rules, registry)
        if not governing.settings:
            remark = "its rules do not speak of settings" if governing.names else "no rule covers this repository"
            return (Outcome(str(repository), next(iter(governing.names), None), remark=remark),)
        return mend_settings(governing, repository, registry, applier)
    except RepositoryNotFoundError:
        return (Outcome(str(repository), remark="the repository is gone"),)


def mend_settings(
    governing: Governing, repository: RepositoryRef, registry: Registry, applier: Applier, *, is_dry: bool = False
) -> tuple[Outcome, ...]:
    """Plan the settings of a repository, and apply the plan where its rule enforces and this is no dry run.

    Raises RepositoryNotFoundError.
    """
    if not governing.settings:
        return ()
    actual = registry.repository(repository)
    return tuple(_bring_to(rule, actual, applier, is_dry) for rule in governing.settings)


def _bring_to(rule: Rule, actual: Repository, applier: Applier, is_dry: bool) -> Outcome:
    outcome = Outcome(str(actual.ref), rule.name, rule.mode, plan_repository(rule, actual))
    if is_dry or rule.mode is Mode.OBSERVE:
        return outcome
    try:
        return outcome.carried_out(applier.apply(outcome.plan, actual.ref))
    except StewardError as error:  # a rule whose settings are refused does not keep the others from theirs
        return replace(outcome, error=error)
