"""When the settings of a repository need not be read again because an image came there."""

from collections.abc import Sequence
from datetime import timedelta

from ecr_steward.domain.outcome import Outcome

KEPT = timedelta(hours=1)
"""For how long settings that were in order are not read at a push. A sweep and the record of a trail always read."""


def are_in_order(outcomes: Sequence[Outcome]) -> bool:
    """Whether nothing was to be changed, reported, held or tried again."""
    return not any(
        outcome.plan.steps or outcome.plan.violations or outcome.error or outcome.halt for outcome in outcomes
    )
