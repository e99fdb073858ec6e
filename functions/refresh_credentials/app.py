"""Schedule → fresh registry logins in every sink. Wired in template.yaml as RefreshCredentialsFunction."""

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ecr_steward import bootstrap
from ecr_steward.domain.outcome import Outcome
from ecr_steward.entry import Report, answer, deadline_of
from ecr_steward.events.envelope import parse
from ecr_steward.events.schedule import ScheduleEvent


def lambda_handler(event: Any, context: LambdaContext) -> Report:
    """Answer one tick of the schedule."""

    def job() -> Sequence[Outcome]:
        home = parse(ScheduleEvent, event).registry
        return bootstrap.app(deadline_of(context)).refresh_credentials(home)

    return answer(event, context, job)
