"""Copy jobs → images at their destinations, verified. Wired in template.yaml as ReplicateImageFunction."""

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ecr_steward import bootstrap
from ecr_steward.domain.outcome import Outcome
from ecr_steward.entry import answer_batch, deadline_of
from ecr_steward.events.copy_job import read_copy_job


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a batch of the replication queue."""

    def job(body: str) -> Sequence[Outcome]:
        asked = read_copy_job(body)
        return bootstrap.app(deadline_of(context)).replicate_image(asked)

    return answer_batch(event, context, job)
