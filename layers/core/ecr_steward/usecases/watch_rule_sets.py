"""Changed resource tags, sweep → a notice where they have moved a repository to another set of rules."""

from ecr_steward.domain.notices import RulesChanged
from ecr_steward.domain.outcome import Outcome
from ecr_steward.domain.repositories import Part, Repository
from ecr_steward.domain.rule_sets import OWNED_BY_CODE, RuleSet, move
from ecr_steward.domain.rules import Rules
from ecr_steward.ports.messages import Notices
from ecr_steward.ports.rule_sets import RuleSets


def watch_rule_set(
    repository: Repository,
    *,
    rules: Rules,
    rule_sets: RuleSets,
    notices: Notices,
    changed_by: str | None = None,
    is_dry: bool = False,
) -> Outcome | None:
    """Compare the rules of a repository with those of the last look, and give notice where resource tags moved it.

    ``repository`` carries its resource tags where its rules depend on them; else there is nothing to look at. The
    notice is given before the rules are remembered, so that a failure between the two repeats it.
    """
    if Part.RESOURCE_TAGS not in repository.read or not rules.needs_resource_tags(repository.ref):
        return None
    resource_tags = repository.settings.resource_tags
    names, _ = rules.covering(repository.ref, resource_tags)
    owned = (OWNED_BY_CODE,) if names and rules.is_owned_by_code(resource_tags) else ()
    before, now = rule_sets.last(repository.ref), RuleSet((*names, *owned), rules.fingerprint)
    if before == now:
        return None
    why = move(before, now)
    if not is_dry:
        if why and before:
            notices.publish(RulesChanged(repository.ref, before.names, now.names, changed_by))
        rule_sets.remember(repository.ref, now)
    if why is None:
        return None
    return Outcome(str(repository.ref), next(iter(names), None), remark=why, changed_by=changed_by)
