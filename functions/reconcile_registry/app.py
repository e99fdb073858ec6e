"""Schedule → the jobs of the other functions over everything. Wired in template.yaml as ReconcileRegistryFunction."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ecr_steward import bootstrap
from ecr_steward.domain.outcome import SweepOutcome
from ecr_steward.entry import Report, answer
from ecr_steward.events.envelope import parse
from ecr_steward.events.schedule import ScheduleEvent


def lambda_handler(event: Any, context: LambdaContext) -> Report:
    """Answer one tick of the schedule."""

    def job() -> SweepOutcome:
        home = parse(ScheduleEvent, event).registry
        return bootstrap.app().reconcile_registry(home)

    return answer(event, context, job)
