"""The step that brings a repository's lifecycle policy to what the rulebook says, where it does something else."""

from collections.abc import Iterator

from ecr_steward.domain.lifecycle.document import read_lifecycle_policy
from ecr_steward.domain.lifecycle.policy import LifecyclePolicy
from ecr_steward.domain.lifecycle.sameness import same_effect
from ecr_steward.domain.names import RepositoryRef
from ecr_steward.domain.plan import DeleteLifecyclePolicy, PutLifecyclePolicy
from ecr_steward.domain.repositories import Document, UnreadableDocument, readable
from ecr_steward.errors import InvalidLifecyclePolicyError


def plan_lifecycle(
    rule: str, repository: RepositoryRef, wanted: Document, actual: Document | UnreadableDocument | None
) -> Iterator[PutLifecyclePolicy | DeleteLifecyclePolicy]:
    """At most one step; none where both texts do the same, however they are written.

    A policy that cannot be read is another one than the rulebook's. ``wanted`` without rules means: no policy.
    """
    if not wanted["rules"]:
        if actual is not None:
            why = "there is a lifecycle policy, and ECR has nothing to do here by the rulebook"
            yield DeleteLifecyclePolicy(rule=rule, why=why, repository=repository, previous=readable(actual))
        return
    if (why_not := _difference(wanted, actual)) is not None:
        previous = readable(actual)
        yield PutLifecyclePolicy(rule=rule, why=why_not, repository=repository, document=wanted, previous=previous)


def _difference(wanted: Document, actual: Document | UnreadableDocument | None) -> str | None:
    """In what the actual policy differs, if it does something else."""
    if wanted == actual:
        return None
    match actual:
        case None:
            return "the lifecycle policy is missing"
        case UnreadableDocument():
            return f"the lifecycle policy cannot be read: {actual.why}"
    try:
        found = read_lifecycle_policy(actual)
    except InvalidLifecyclePolicyError as error:
        return f"the lifecycle policy cannot be read: {error}"
    ours = read_lifecycle_policy(wanted)
    if same_effect(ours, found):
        return None
    return "the lifecycle policy is not the rulebook's" + _changes(ours, found)


def _changes(ours: LifecyclePolicy, found: LifecyclePolicy) -> str:
    """What each of them says that the other does not, rule by rule; nothing where only the order differs."""
    said = [str(rule) for rule in found.in_order]
    wanted = [str(rule) for rule in ours.in_order]
    more = [rule for rule in said if rule not in wanted]
    less = [rule for rule in wanted if rule not in said]
    parts = [f"it says {_some(more)}"] if more else []
    parts += [f"it does not say {_some(less)}"] if less else []
    return f": {' and '.join(parts)}" if parts else ": its rules are in another order"


def _some(rules: list[str]) -> str:
    shown = "; ".join(f"`{rule}`" for rule in rules[:2])
    return f"{shown} and {len(rules) - 2} more" if len(rules) > 2 else shown
