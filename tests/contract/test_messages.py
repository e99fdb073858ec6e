"""The contracts of the ports for messages: every test runs on the fake, and on the adapter in moto."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from moto import mock_aws

from ecr_steward.adapters.event_bus import EventBusNotices
from ecr_steward.adapters.memory import InMemoryFailureQueue, InMemoryNotices, InMemoryReplicationQueue
from ecr_steward.adapters.sqs_queues import SqsFailureQueue, SqsReplicationQueue
from ecr_steward.domain.names import Digest, ImageRef, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.notices import (
    CredentialRefreshed,
    FailedEvent,
    ImageReplicated,
    ImageVerdict,
    Notice,
    ReplicationRequested,
    ViolationFound,
)
from ecr_steward.domain.scans import Verdict
from ecr_steward.events.copy_job import read_copy_job
from ecr_steward.events.own import (
    CredentialRefreshedEvent,
    ImageReplicatedEvent,
    ImageVerdictEvent,
    ViolationFoundEvent,
    encode_notice,
)
from ecr_steward.events.replication_requested import encode_job
from ecr_steward.ports.messages import FailureQueue, Notices, ReplicationQueue
from tests.given import aws
from tests.tables import make_idempotency_table

HOME = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
IMAGE = ImageRef(HOME, Digest(f"sha256:{'a' * 64}"))
VIOLATION = ViolationFound("services", "latest is denied", IMAGE, image_tag("latest"), "notify")
REPLICATED = ImageReplicated(
    "services",
    IMAGE,
    HOME.in_registry(RegistryRef("111122223333", "eu-west-1")),
    frozenset({image_tag("1.4.2")}),
)
REFRESHED = CredentialRefreshed(
    "on-prem", (HOME.registry,), "ecr-steward/on-prem", "pull-only", datetime(2026, 11, 24, 12, tzinfo=UTC)
)
PASS = ImageVerdict("services", IMAGE, Verdict.PASS, (), ())
FAIL = replace(PASS, verdict=Verdict.FAIL, reasons=("CVE-2026-12345 (HIGH)",))


class World(Protocol):
    """The three ports, and what those on the other side find."""

    @property
    def notices(self) -> Notices: ...
    @property
    def replication_queue(self) -> ReplicationQueue: ...
    @property
    def failure_queue(self) -> FailureQueue: ...
    def published(self) -> list[Notice]: ...
    def requested(self) -> list[ReplicationRequested]: ...
    def failed(self) -> list[FailedEvent]: ...


class FakeWorld:
    def __init__(self) -> None:
        self.notices = InMemoryNotices()
        self.replication_queue = InMemoryReplicationQueue()
        self.failure_queue = InMemoryFailureQueue()

    def published(self) -> list[Notice]:
        return self.notices.published

    def requested(self) -> list[ReplicationRequested]:
        return self.replication_queue.requested

    def failed(self) -> list[FailedEvent]:
        return self.failure_queue.failed


class AwsWorld:
    """A bus with a listening queue, a table and two queues, as the template has them."""

    def __init__(self) -> None:
        clients = aws.clients()
        self._sqs = clients.sqs
        self._heard, self._jobs, self._failures = (
            self._sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("heard", "jobs", "failures")
        )
        heard = self._sqs.get_queue_attributes(QueueUrl=self._heard, AttributeNames=["QueueArn"])["Attributes"]
        clients.events.create_event_bus(Name="ecr-steward")
        pattern = json.dumps({"source": ["ecr.steward"]})
        clients.events.put_rule(Name="all", EventBusName="ecr-steward", EventPattern=pattern)
        clients.events.put_targets(
            Rule="all", EventBusName="ecr-steward", Targets=[{"Id": "heard", "Arn": heard["QueueArn"]}]
        )
        make_idempotency_table(clients.dynamodb)
        self.notices = EventBusNotices(clients, "ecr-steward", "idempotency", encode_notice)
        self.replication_queue = SqsReplicationQueue(clients, self._jobs, encode_job)
        self.failure_queue = SqsFailureQueue(clients, self._failures, lambda: datetime(2026, 11, 24, tzinfo=UTC))

    def published(self) -> list[Notice]:
        return [_notice(json.loads(body)) for body in self._read(self._heard)]

    def requested(self) -> list[ReplicationRequested]:
        return [read_copy_job(body) for body in self._read(self._jobs)]

    def failed(self) -> list[FailedEvent]:
        messages = [json.loads(body) for body in self._read(self._failures)]
        assert {message.pop("at") for message in messages} == {"2026-11-24T00:00:00+00:00"}
        return [FailedEvent(**message) for message in messages]

    def _read(self, queue_url: str) -> list[str]:
        bodies: list[str] = []
        while messages := self._sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
            bodies += [message["Body"] for message in messages]
        return bodies


def _notice(event: dict[str, Any]) -> Notice:
    event.setdefault("account", "111122223333")  # moto leaves it out
    match event["detail-type"]:
        case "Violation Found":
            return ViolationFoundEvent.model_validate(event).detail.to_notice()
        case "Credential Refreshed":
            return CredentialRefreshedEvent.model_validate(event).detail.to_notice()
        case "Image Verdict":
            return ImageVerdictEvent.model_validate(event).detail.to_notice()
    return ImageReplicatedEvent.model_validate(event).detail.to_notice()


@pytest.fixture(params=["fake", "adapter"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    if request.param == "fake":
        yield FakeWorld()
        return
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)  # moto answers for AWS's own endpoints only
    with mock_aws():
        yield AwsWorld()


def test_a_notice_arrives_as_it_was_given(world: World) -> None:
    world.notices.publish(VIOLATION)
    world.notices.publish(REPLICATED)

    assert world.published() == [VIOLATION, REPLICATED]


def test_every_refresh_of_a_credential_arrives_since_its_login_ends_later(world: World) -> None:
    later = replace(REFRESHED, expires_at=REFRESHED.expires_at + timedelta(hours=8))
    for notice in (REFRESHED, REFRESHED, later):
        world.notices.publish(notice)

    assert world.published() == [REFRESHED, later]


def test_a_notice_arrives_once_when_it_is_given_again(world: World) -> None:
    world.notices.publish(VIOLATION)
    world.notices.publish(VIOLATION)
    world.notices.publish(REPLICATED)
    world.notices.publish(VIOLATION)

    assert world.published() == [VIOLATION, REPLICATED]


def test_a_verdict_arrives_again_when_another_one_on_the_same_image_arrived_since(world: World) -> None:
    for notice in (FAIL, FAIL, PASS, PASS, FAIL, FAIL, PASS):
        world.notices.publish(notice)

    assert world.published() == [FAIL, PASS, FAIL, PASS]


def test_a_verdict_arrives_once_when_only_other_images_were_judged_since(world: World) -> None:
    of_another = replace(PASS, image=ImageRef(HOME, Digest(f"sha256:{'b' * 64}")))
    of_another_rule = replace(PASS, rule="other")
    for notice in (FAIL, of_another, of_another_rule, FAIL):
        world.notices.publish(notice)

    assert world.published() == [FAIL, of_another, of_another_rule]


@pytest.mark.parametrize(
    "other",
    [
        replace(VIOLATION, rule="other"),
        replace(VIOLATION, image_tag=image_tag("newest")),
        replace(VIOLATION, subject=ImageRef(HOME, Digest(f"sha256:{'b' * 64}"))),
        replace(VIOLATION, answer="quarantine", quarantine_tag=image_tag("quarantine-a")),
    ],
    ids=["rule", "image tag", "image", "answer"],
)
def test_two_notices_arrive_when_they_differ(world: World, other: ViolationFound) -> None:
    world.notices.publish(VIOLATION)
    world.notices.publish(other)

    assert world.published() == [VIOLATION, other]


def test_every_request_for_a_copy_arrives(world: World) -> None:
    job = ReplicationRequested(IMAGE, "eu-west-1 has no 1.4.2")

    world.replication_queue.request(job)
    world.replication_queue.request(job)

    assert world.requested() == [job, job]


@pytest.mark.parametrize(
    "event",
    [{"detail-type": "ECR Image Action", "detail": {"image-tag": ""}}, "no JSON at all \x00 \ufffe ä", None, [1, None]],
    ids=["event", "text that SQS would refuse", "nothing", "list"],
)
def test_a_failed_event_is_kept_whole(world: World, event: object) -> None:
    failed = FailedEvent("enforce_image_tags", event, "MalformedEventError", "image-digest is missing", "services")

    world.failure_queue.put(failed)
    world.failure_queue.put(replace(failed, rule=None))

    assert world.failed() == [failed, replace(failed, rule=None)]
