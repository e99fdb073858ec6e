"""New or changed repository, or a push → its settings. Wired in template.yaml as ApplyRepositoryPoliciesFunction."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ecr_steward import bootstrap
from ecr_steward.domain.outcome import Outcome
from ecr_steward.entry import Report, answer
from ecr_steward.events.repository_hint import read_repository_changed


def lambda_handler(event: Any, context: LambdaContext) -> Report:
    """Answer one API call that CloudTrail logged, or one image that arrived by whatever way."""

    def job() -> tuple[Outcome, ...]:
        change = read_repository_changed(event)
        return bootstrap.app().apply_repository_policies(change)

    return answer(event, context, job)
