"""The queues that the steward writes to, over Amazon SQS."""

import json
from collections.abc import Callable

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.translation import translated
from ecr_steward.domain.notices import FailedEvent, ReplicationRequested
from ecr_steward.domain.sweeping import SweepPart
from ecr_steward.errors import AccessDeniedError
from ecr_steward.ports.clock import Clock


class SqsReplicationQueue:
    """A ``ReplicationQueue``. ``encode`` writes a job as ``replicate_image`` reads it.

    Without a URL it stands in for the queue in functions that have nothing to do with it.
    """

    def __init__(
        self, clients: AwsClients, queue_url: str | None, encode: Callable[[ReplicationRequested], str]
    ) -> None:
        self._clients = clients
        self._queue_url = queue_url
        self._encode = encode

    def request(self, job: ReplicationRequested, delay_seconds: int = 0) -> None:
        with translated("sqs:SendMessage", self._url()):
            self._clients.sqs.send_message(
                QueueUrl=self._url(), MessageBody=self._encode(job), DelaySeconds=delay_seconds
            )

    def _url(self) -> str:
        if self._queue_url is None:
            raise AccessDeniedError("the template gives this function no replication queue")
        return self._queue_url


class SqsSweepQueue:
    """A ``SweepQueue``, which ``encode`` writes to. Without a URL it stands in where no sweep is cut."""

    def __init__(self, clients: AwsClients, queue_url: str | None, encode: Callable[[SweepPart], str]) -> None:
        self._clients = clients
        self._queue_url = queue_url
        self._encode = encode

    def put(self, part: SweepPart, delay_seconds: int = 0) -> None:
        if self._queue_url is None:
            raise AccessDeniedError("the template gives this function no queue for the parts of a sweep")
        with translated("sqs:SendMessage", self._queue_url):
            self._clients.sqs.send_message(
                QueueUrl=self._queue_url, MessageBody=self._encode(part), DelaySeconds=delay_seconds
            )


class SqsSourceQueue:
    """A ``SourceQueue``. Without a URL it stands in for the queue in functions that no queue feeds."""

    def __init__(self, clients: AwsClients, queue_url: str | None) -> None:
        self._clients = clients
        self._queue_url = queue_url

    def postpone(self, receipt_handle: str, seconds: int) -> None:
        with translated("sqs:ChangeMessageVisibility", self._url()):
            self._clients.sqs.change_message_visibility(
                QueueUrl=self._url(), ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )

    def send_again(self, body: str) -> None:
        with translated("sqs:SendMessage", self._url()):
            self._clients.sqs.send_message(QueueUrl=self._url(), MessageBody=body)

    def _url(self) -> str:
        if self._queue_url is None:
            raise AccessDeniedError("the template does not say which queue feeds this function")
        return self._queue_url


class SqsFailureQueue:
    """A ``FailureQueue``. A message is JSON: ``function``, ``error``, ``message``, ``rule``, ``at`` and ``event``."""

    def __init__(self, clients: AwsClients, queue_url: str, now: Clock = utc_now) -> None:
        self._clients = clients
        self._queue_url = queue_url
        self._now = now

    def put(self, failed: FailedEvent) -> None:
        body = {
            "function": failed.function,
            "error": failed.error,
            "message": failed.message,
            "rule": failed.rule,
            "at": self._now().isoformat(timespec="seconds"),
            "event": failed.event,
        }
        # ASCII only: SQS refuses some characters that an event may hold.
        with translated("sqs:SendMessage", self._queue_url):
            self._clients.sqs.send_message(QueueUrl=self._queue_url, MessageBody=json.dumps(body, default=str))
