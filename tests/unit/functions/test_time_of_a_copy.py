"""A copy job goes back to its queue when its time is over, whatever it is at."""

from collections.abc import Callable
from typing import Any

from ecr_steward.domain.names import ImageRef
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.events.replication_requested import encode_job
from ecr_steward.usecases.moving import LAST_SECONDS
from functions.replicate_image.app import lambda_handler as replicate_image
from tests.given.batches import batch_of
from tests.given.rules import API
from tests.given.worlds import World, blob, manifest, world

IMAGE = manifest("image", blobs=[blob("blob")])
JOB = ReplicationRequested(ImageRef(API, IMAGE.digest), "it is missing")


def test_no_registry_is_asked_on_when_the_time_is_over_while_a_copy_is_planned(
    move_in: Callable[[World], None], context: Any, house: Any
) -> None:
    there = world([IMAGE], {"1.4.2": IMAGE})
    move_in(there)
    there.registry.calls.clear()

    def left() -> int:
        seconds = LAST_SECONDS if "manifest" in there.registry.calls.methods else 900
        return int(seconds * 1000)

    context.get_remaining_time_in_millis = left

    answer = replicate_image(batch_of(encode_job(JOB)), context)

    asked = there.registry.calls.methods
    assert answer == {"batchItemFailures": []}
    assert [job.hops for job in house.queue.requested] == [1]
    assert house.failures.failed == []
    assert "has_blob" not in asked
    assert "referrers" not in asked
