"""Act 4: an image tag breaks a rule; the image is quarantined and stays at home."""

import json
from typing import Any

from ecr_steward.errors import ImageNotFoundError
from ecr_steward_sandbox.demo.stage import AWAY, REPOSITORY, Stage

TITLE = "An image breaks a rule and is quarantined"
ABOUT = "The rulebook denies `latest`. The image leaves the tag, stays reachable by digest, and is not replicated."

_CHAT = "chat"


def play(stage: Stage) -> None:
    """Subscribe to the notices, push ``latest``, and read what a subscriber is told."""
    inbox = _subscribe(stage)
    before = stage.home.tags(REPOSITORY)
    pushed = stage.push("2.0.0-violation", REPOSITORY, "latest")
    stage.settle()
    stage.tell("enforce_image_tags", "replicate_image")

    digest = str(pushed.index.digest)
    quarantine_tag = f"quarantine-{pushed.index.digest.hex[:12]}"
    stage.check_equal(
        f"the image holds {quarantine_tag} and no longer latest",
        stage.home.tags(REPOSITORY),
        {**before, quarantine_tag: digest},
    )
    pulled = stage.home.pull_manifest(REPOSITORY, pushed.index.digest)
    stage.check_equal("it is still reachable by digest", pulled.content, pushed.index.content)
    stage.check_equal(
        "and under its quarantine tag", stage.home.pull_manifest(REPOSITORY, quarantine_tag).digest, pulled.digest
    )
    stage.check("pulling latest fails", _is_missing(stage, "latest"))
    stage.check(f"it was not replicated to {AWAY}", digest not in stage.away.digests(REPOSITORY))
    told = [event for event in _read(stage, inbox) if event["detail-type"] == "Violation Found"]
    stage.check_equal(
        "one Violation Found event says which rule and why",
        [(e["detail"]["rule"], e["detail"]["image-digest"], e["detail"]["why"]) for e in told],
        [("services", digest, "image tag 'latest' is denied by 'latest'")],
    )


def _subscribe(stage: Stage) -> str:
    """A queue that hears what the notices topic says, as a chat would."""
    url = str(stage.aws("sqs").create_queue(QueueName=_CHAT)["QueueUrl"])
    attributes = stage.aws("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    topic = stage.physical_id("NoticesTopic")
    stage.aws("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"])
    return url


def _read(stage: Stage, url: str) -> list[dict[str, Any]]:
    messages = stage.aws("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    return [json.loads(json.loads(message["Body"])["Message"]) for message in messages]


def _is_missing(stage: Stage, image_tag: str) -> bool:
    try:
        stage.home.pull_manifest(REPOSITORY, image_tag)
    except ImageNotFoundError:
        return True
    return False
