"""A copy job: what a message of the replication queue means.

The queue holds two kinds of message. A rule on the bus puts every *Image Verdict* there; the answer to a push, a sweep
and a copy job that is not done put a *Replication Requested*. None of them is believed: what is copied, or withdrawn,
follows from the facts. Pushes as they were may still lie there after an upgrade: an earlier rule put them there.
"""

from collections.abc import Mapping

from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.domain.observations import Push
from ecr_steward.domain.scans import Verdict
from ecr_steward.errors import MalformedEventError
from ecr_steward.events.envelope import parse, parse_json
from ecr_steward.events.image_action import ImageActionEvent
from ecr_steward.events.own import ImageVerdictEvent
from ecr_steward.events.replication_requested import ReplicationRequestedEvent


def read_copy_job(body: str | bytes) -> ReplicationRequested:
    """Read the body of a queue message. Raises MalformedEventError and InvalidNameError."""
    event = parse_json(body)
    kind = event.get("detail-type") if isinstance(event, Mapping) else None
    match kind:
        case "ECR Image Action" | "ECR Referrer Action":
            return _job_for(parse(ImageActionEvent, event).to_push())
        case "Image Verdict":
            verdict = parse(ImageVerdictEvent, event).detail.to_notice()
            is_fail = verdict.verdict is Verdict.FAIL
            return ReplicationRequested(verdict.image, f"its verdict is {verdict.verdict}", is_withdrawal=is_fail)
        case "Replication Requested":
            return parse(ReplicationRequestedEvent, event).detail.to_job()
    raise MalformedEventError(
        "detail-type of a copy job is 'ECR Image Action', 'ECR Referrer Action', 'Image Verdict' or "
        f"'Replication Requested', but found {kind!r}"
    )


def _job_for(push: Push) -> ReplicationRequested:
    return ReplicationRequested(push.image, f"pushed as {push.image_tag}" if push.image_tag else "pushed by digest")
