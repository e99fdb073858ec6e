"""Act 5: every event comes again and nothing changes; then an alias is removed by hand, and an old event mends it."""

import random
import uuid
from collections.abc import Mapping
from typing import Any

from ecr_steward_sandbox.demo.stage import HOME, REPOSITORY, Stage
from ecr_steward_sandbox.function_logs import job_name

TITLE = "Every event is delivered again"
ABOUT = "An event is only a hint: the facts decide. Duplicates, late and shuffled events change nothing."

_SERVICES = ("ecr", "sns")  # a push that comes again requests its copy again: a message, and no change


def play(stage: Stage) -> None:
    """Deliver all events twice more, then remove an alias and deliver one old event."""
    story = [each.event for each in stage.sandbox.events if each.bus_arn.endswith(":event-bus/default")]
    seed = random.SystemRandom().randrange(10_000)
    shuffled = random.Random(seed)  # noqa: S311  # an order that can be played again, not a secret
    for ids in ("with their old ids", "with new ids"):
        stage.narrator.did("empty the idempotency table", "no memory of earlier events is left to lean on")
        _empty(stage)
        mark, heard = stage.mark(), len(stage.sandbox.invocations)
        stage.narrator.did(f"deliver all {len(story)} events again, shuffled, {ids}", f"random seed {seed}")
        for old in shuffled.sample(story, len(story)):
            _deliver(stage, old if ids == "with their old ids" else {**old, "id": str(uuid.uuid4())})
        stage.settle()
        answered = {job_name(each.function) for each in stage.sandbox.invocations[heard:]}
        stage.check_equal(
            f"{len(stage.sandbox.invocations) - heard} invocations answered them",
            answered,
            {"apply_repository_policies", "enforce_image_tags", "evaluate_image_scan", "replicate_image"},
        )
        calls = stage.mutating_calls_since(mark, _SERVICES)
        stage.check_equal("the request logs show not one call that changes ECR or SNS", calls, [])
    stage.close()

    before = stage.home.tags(REPOSITORY)
    stage.narrator.did("remove the alias 1.4-latest by hand")
    stage.home.ecr.batch_delete_image(repositoryName=REPOSITORY, imageIds=[{"imageTag": "1.4-latest"}])
    stage.settle()
    stage.check("it is gone", "1.4-latest" not in stage.home.tags(REPOSITORY))
    old = next(event for event in story if _is_push_at_home(event, "1.4.3"))
    stage.narrator.did("deliver the old push event of 1.4.3 once more", f"event id {old['id']}")
    _deliver(stage, old)
    stage.settle()
    stage.tell("enforce_image_tags")
    stage.check_equal("the same event put the alias back", stage.home.tags(REPOSITORY), before)


def _empty(stage: Stage) -> None:
    table = stage.physical_id("IdempotencyTable")
    dynamodb = stage.aws("dynamodb")
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        for item in page["Items"]:
            dynamodb.delete_item(TableName=table, Key={"id": item["id"]})


def _deliver(stage: Stage, event: Mapping[str, Any]) -> None:
    stage.sandbox.deliver(event["account"], event["region"], event)


def _is_push_at_home(event: Mapping[str, Any], image_tag: str) -> bool:
    detail = event["detail"]
    return (event["region"], detail.get("action-type"), detail.get("image-tag")) == (HOME, "PUSH", image_tag)
