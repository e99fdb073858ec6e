"""What several rules take away from one repository, in one order: one rule's removals can be due to another's."""

from collections.abc import Callable, Sequence

from ecr_steward.domain.contents import Contents
from ecr_steward.domain.plan import NOTHING, Plan
from ecr_steward.domain.rules import Mode, Rule

type Planner = tuple[Rule, Callable[[Contents], Plan]]
"""A rule, and what it plans for a repository that holds this."""


def plan_removals(planners: Sequence[Planner], contents: Contents) -> tuple[tuple[Rule, Plan], ...]:
    """The plans of all rules, in the order in which they are applied; after them no rule plans anything more.

    A rule that enforces plans for what the others leave, and as often as they leave it something else; one that only
    observes says what it would do in the end.
    """
    planned: list[tuple[Rule, Plan]] = []
    last: dict[int, Plan] = {}
    is_changed = True
    while is_changed:
        is_changed = False
        for position, (rule, plan) in enumerate(planners):
            last[position] = found = plan(contents)
            if rule.mode is Mode.ENFORCE and found.steps:
                planned.append((rule, Plan(found.steps)))
                contents = contents.after(found.steps)
                is_changed = True
    for position, (rule, _) in enumerate(planners):
        if last[position] != NOTHING:
            planned.append((rule, last[position]))
    return tuple(planned)
