"""moto as a store: queues, topics and tables of this process, read and written without a request."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from moto.core.exceptions import ServiceException
from moto.dynamodb.models import dynamodb_backends
from moto.sns.models import sns_backends
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

RECEIVED_AT_ONCE = 10  # ReceiveMessage, MaxNumberOfMessages
OLDEST_EXPIRY = timedelta(days=5 * 365)  # DynamoDB leaves an item that is over for longer than five years

MOTO_LOCK = threading.RLock()
"""moto's stores are plain lists and dicts: whoever touches them, over HTTP or from here, holds this lock."""


class NoSuchResourceError(LookupError):
    """The queue or topic does not exist (any more)."""


class RefusedError(Exception):
    """The queue exists and does not take this message, for instance because it is too long."""


def send_message(queue_arn: str, body: str, attributes: Mapping[str, str] | None = None) -> None:
    """Put a message on a queue. Raises NoSuchResourceError or RefusedError."""
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()}
    with MOTO_LOCK:
        backend, queue = _queue(queue_arn)
        try:
            backend.send_message(queue.name, body, message_attributes=typed)
        except ServiceException as cause:
            raise RefusedError(f"{queue_arn}: {cause.message}") from cause


def publish(topic_arn: str, message: str) -> None:
    """Publish to a topic; moto hands it to the topic's subscriptions. Raises NoSuchResourceError."""
    _, _, _, region, account, _ = topic_arn.split(":", 5)
    with MOTO_LOCK:
        topic = sns_backends[account][region].topics.get(topic_arn)
        if topic is None:
            raise NoSuchResourceError(topic_arn)
        topic.publish(message)


def exists(arn: str) -> bool:
    """Whether there is a queue or topic of this ARN."""
    _, _, service, region, account, name = arn.split(":", 5)
    with MOTO_LOCK:
        if service == "sns":
            return arn in sns_backends[account][region].topics
        return name in sqs_backends[account][region].queues


def receive_messages(queue_arn: str, count: int) -> tuple[list[Message], int]:
    """Take up to `count` visible messages, ten at most; they stay invisible for the queue's visibility timeout.

    A message that was received as often as the queue's redrive policy allows goes to the dead-letter queue instead;
    how many did is the second part of the answer. Raises NoSuchResourceError.
    """
    with MOTO_LOCK:
        backend, queue = _queue(queue_arn)
        timeout = int(queue.visibility_timeout)  # type: ignore[attr-defined]
        before = len(queue._messages)
        received = backend.receive_message(queue.name, min(count, RECEIVED_AT_ONCE), 0, timeout, ["All"])
        return received, before - len(queue._messages)


def delete_messages(queue_arn: str, messages: Iterable[Message]) -> None:
    """Delete messages that were received."""
    with MOTO_LOCK:
        _, queue = _queue(queue_arn)
        for message in messages:
            if message.receipt_handle is not None:
                queue.delete_message(message.receipt_handle)


def return_messages(queue_arn: str, messages: Iterable[Message], after: float) -> None:
    """Make received messages visible again `after` seconds from now."""
    visible_at = (time.time() + after) * 1000
    ids = {message.id for message in messages}
    with MOTO_LOCK:
        _, queue = _queue(queue_arn)
        for message in queue._messages:
            if message.id in ids:
                message.visible_at = visible_at


def message_count(queue_arn: str) -> int:
    """Messages in a queue, in flight and delayed ones included; 0 for a queue that does not exist."""
    with MOTO_LOCK:
        try:
            return len(_queue(queue_arn)[1]._messages)
        except NoSuchResourceError:
            return 0


def count_of_those_not_delayed(queue_arn: str) -> int:
    """Likewise, without those that their sender delays for longer than a second from now."""
    soon = (time.time() + 1) * 1000
    with MOTO_LOCK:
        try:
            return sum(message.delayed_until <= soon for message in _queue(queue_arn)[1]._messages)
        except NoSuchResourceError:
            return 0


def drop_delayed(queue_arn: str) -> int:
    """Delete the messages of a queue that nobody can receive yet, since their sender delays them; how many."""
    now = time.time() * 1000
    with MOTO_LOCK:
        _, queue = _queue(queue_arn)
        delayed = [message for message in queue._messages if message.delayed_until > now]
        queue._messages = [message for message in queue._messages if message not in delayed]
    return len(delayed)


def seconds_until_visible(queue_arn: str) -> float | None:
    """When the next message can be received; None if there is none."""
    with MOTO_LOCK:
        try:
            _, queue = _queue(queue_arn)
        except NoSuchResourceError:
            return None
        times = [max(message.visible_at, message.delayed_until) for message in queue._messages]
    return max(0.0, min(times) / 1000 - time.time()) if times else None


def drop_old_messages() -> None:
    """Delete the messages of all queues that were sent longer ago than their queue keeps any.

    moto would keep them out of sight of whoever receives, and count them.
    """
    now = time.time()
    with MOTO_LOCK:
        for queue in _everything(sqs_backends, "queues"):
            oldest = (now - int(queue.message_retention_period)) * 1000
            queue._messages = [message for message in queue._messages if message.sent_timestamp > oldest]


def drop_expired_items(now: datetime) -> int:
    """Delete the items of all tables whose time to live is over; how many there were.

    DynamoDB developer guide, "Using time to live (TTL)": a number of seconds since the epoch, in the table's TTL
    attribute; other values, and those of more than five years ago, are left alone.
    """
    dropped = 0
    with MOTO_LOCK:
        for table in _everything(dynamodb_backends, "tables"):
            if table.ttl["TimeToLiveStatus"] != "ENABLED":
                continue
            for item in table.all_items():
                expiry = item.attrs.get(table.ttl["AttributeName"])
                if expiry is None or not expiry.is_number():
                    continue
                if (now - OLDEST_EXPIRY).timestamp() < float(expiry.value) < now.timestamp():
                    table.delete_item(item.hash_key, item.range_key)
                    dropped += 1
    return dropped


def _everything(backends: Any, what: str) -> Iterator[Any]:
    """The resources of one kind of all accounts and regions."""
    for account in list(backends):
        for region in list(backends[account].keys()):
            yield from list(getattr(backends[account][region], what).values())


def _queue(queue_arn: str) -> tuple[SQSBackend, Queue]:
    _, _, _, region, account, name = queue_arn.split(":", 5)
    backend: Any = sqs_backends[account][region]
    queue = backend.queues.get(name)
    if queue is None:
        raise NoSuchResourceError(queue_arn)
    return backend, queue
