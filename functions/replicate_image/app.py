"""Copy jobs → images at their destinations, verified. Wired in template.yaml as ReplicateImageFunction."""

from collections.abc import Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from ecr_steward import bootstrap
from ecr_steward.domain.outcome import Outcome
from ecr_steward.entry import answer_batch
from ecr_steward.events.copy_job import read_copy_job


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer a batch of the replication queue."""

    def job(body: str) -> Sequence[Outcome]:
        asked = read_copy_job(body)
        return bootstrap.app().replicate_image(asked, lambda: context.get_remaining_time_in_millis() / 1000)

    return answer_batch(event, context, job)
