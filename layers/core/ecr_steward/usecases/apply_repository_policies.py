"""New or changed repository → the settings of its rule."""

from ecr_steward.domain.governance import plan_repository
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.rules import Mode, Rules
from ecr_steward.errors import RepositoryNotFoundError
from ecr_steward.ports.registry import Registry
from ecr_steward.usecases.apply import apply_plan


def apply_repository_policies(repository: RepositoryRef, *, rules: Rules, registry: Registry) -> Outcome:
    """Bring a repository's settings to those of its rule; a repository without a rule is left alone."""
    rule = rules.rule_for(repository)
    if rule is None:
        return Outcome(str(repository), remark="no rule covers this repository")
    try:
        actual = registry.repository(repository)
    except RepositoryNotFoundError:
        return Outcome(str(repository), rule.name, rule.mode, remark="the repository is gone")
    plan = plan_repository(rule, actual)
    if rule.mode is Mode.ENFORCE:
        apply_plan(plan, registry)
    return Outcome(str(repository), rule.name, rule.mode, plan, applied=rule.mode is Mode.ENFORCE)
