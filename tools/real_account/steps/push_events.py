"""Step 7: which events a push, an alias and a referrer make."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from real_account.beliefs import Belief, Observation
from real_account.content import MANIFEST, digest_of, push_image
from real_account.run import Run, listed
from real_account.step import Step

_SCHEMA: Final = "EventBridge events reference, Amazon ECR"
PUSH: Final = Belief(
    "event-of-push", "PutImage under a tag makes one ECR Image Action", _SCHEMA, "ECR Image Action PUSH v1"
)
ALIAS: Final = Belief(
    "event-of-alias", "PutImage of an alias makes one ECR Image Action more", _SCHEMA, "ECR Image Action PUSH alias"
)
REFERRER: Final = Belief(
    "event-of-referrer",
    "the push of an image with a subject makes one ECR Referrer Action and no ECR Image Action",
    "quirk referrer_action: inferred from EventBridge's schema",
    "ECR Referrer Action PUSH",
)


def _do(run: Run) -> Iterator[Observation]:
    repository = run.repository("events")
    pattern = {"source": ["aws.ecr"], "detail": {"repository-name": [repository]}}
    arn = run.arn("sqs", run.name("events"))
    rule = run.rule("events", pattern, arn)
    allowed = {"Principal": {"Service": "events.amazonaws.com"}, "Condition": {"ArnEquals": {"aws:SourceArn": rule}}}
    url, _ = run.queue("events", allowed)
    run.pace.wait(30)  # a new rule takes a while
    manifest = push_image(run, repository, "events", "v1")
    yield Observation(PUSH, _heard(run, url))
    run.client("ecr").put_image(repositoryName=repository, imageManifest=manifest, imageTag="alias")
    yield Observation(ALIAS, _heard(run, url))
    subject = {"mediaType": MANIFEST, "digest": digest_of(manifest.encode()), "size": len(manifest.encode())}
    push_image(run, repository, "signature", artifactType="application/vnd.example.signature", subject=subject)
    yield Observation(REFERRER, _heard(run, url))


def _heard(run: Run, queue_url: str) -> str:
    """The events of a push: what comes within a minute, and in the ten seconds after."""
    first = run.pace.until(lambda: run.take(queue_url), 60)
    run.pace.wait(10)
    return listed(sorted(described(event) for event in [*first, *run.take(queue_url)]))


def described(event: dict[str, Any]) -> str:
    """An event by its detail-type, action and tag."""
    detail = event["detail"] if isinstance(event["detail"], dict) else json.loads(event["detail"])
    words = (event["detail-type"], detail.get("action-type", ""), detail.get("image-tag", ""))
    return " ".join(word for word in words if word)


STEP: Final = Step(
    name="07-events",
    title="The events of a push, an alias and a referrer",
    how="a rule sends the events of one repository into a queue",
    makes="a repository with two small images, a rule, a queue",
    dollars=0.0,
    budget=timedelta(minutes=6),
    beliefs=(PUSH, ALIAS, REFERRER),
    do=_do,
)
