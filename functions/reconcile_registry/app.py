"""Schedule → a sweep, cut into parts; a part → the jobs of all functions over its repositories.

Wired in template.yaml as ReconcileRegistryFunction.
"""

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ecr_steward import bootstrap
from ecr_steward.domain.outcome import SweepOutcome
from ecr_steward.entry import Report, answer, answer_batch, deadline_of, is_batch
from ecr_steward.events.envelope import parse
from ecr_steward.events.schedule import ScheduleEvent
from ecr_steward.events.sweep_part import read_part
from ecr_steward.usecases.reconcile_registry import forgotten_if_failed


def lambda_handler(event: Any, context: LambdaContext) -> Report:
    """Answer one tick of the schedule, or one message of the sweep's queue."""

    def cut() -> SweepOutcome:
        tick = parse(ScheduleEvent, event)
        return bootstrap.app(deadline_of(context)).cut_sweep(tick.registry, tick.id)

    def sweep(body: str) -> Sequence[SweepOutcome]:
        part = read_part(body)
        with forgotten_if_failed(part, bootstrap.sweep_parts()):
            return [bootstrap.app(deadline_of(context)).sweep_part(part)]

    return answer_batch(event, context, sweep) if is_batch(event) else answer(event, context, cut)
