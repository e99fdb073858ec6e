"""Event source mappings: polls SQS for a function and settles each message by what the function answered."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from moto.sqs.models import Message

from ecr_steward_sandbox.delivery import stores
from ecr_steward_sandbox.delivery.activity import CLOSING_SECONDS, Activity, Work
from ecr_steward_sandbox.delivery.invocations import Invocations
from ecr_steward_sandbox.delivery.refused import missing_polling_actions
from ecr_steward_sandbox.delivery.wiring import QueueMapping, Wiring
from ecr_steward_sandbox.workers.pool import WorkerPoolClosedError
from ecr_steward_sandbox.workers.worker import Outcome

DEFAULT_REDELIVERY_SECONDS = 0.2  # instead of the queue's visibility timeout, which is often more than an hour
LONGEST_WINDOW_SECONDS = 0.2  # instead of the mapping's batching window, which may be minutes
SHORTEST_NAP = 0.01


class QueuePoller:
    """One event source mapping at work."""

    def __init__(
        self,
        mapping: QueueMapping,
        wiring: Callable[[], Wiring],
        activity: Activity,
        invocations: Invocations,
        *,
        queue_changed: Callable[[], None],
        redelivery_seconds: float | None = DEFAULT_REDELIVERY_SECONDS,
        longest_window_seconds: float = LONGEST_WINDOW_SECONDS,
    ) -> None:
        self.mapping = mapping
        self._wiring = wiring
        self._activity = activity
        self._invocations = invocations
        self._queue_changed = queue_changed
        self._redelivery_seconds = redelivery_seconds
        self._window = min(mapping.window, longest_window_seconds)
        self._work = Work(f"mapping-{mapping.id}", activity, mapping.max_concurrency)
        self._changed = threading.Condition()
        self._is_woken = True
        self._is_closed = False
        self._running = 0
        self._thread = threading.Thread(target=self._run, name=f"poll-{mapping.id}", daemon=True)

    def start(self) -> None:
        """Begin to poll."""
        self._thread.start()

    @property
    def missing_permissions(self) -> list[str]:
        """What the function's role lacks to poll, since the policy of the queue was changed after the deployment."""
        return missing_polling_actions(self._wiring(), self.mapping.function_arn, self.mapping.queue_arn)

    @property
    def is_polling(self) -> bool:
        """Whether messages of the queue will ever reach the function."""
        return self.mapping.is_enabled and not self.missing_permissions

    def waiting(self) -> list[str]:
        """What of the queue is still to be handled; the messages in flight are among it, if they come back soon.

        What its sender delays is not: a queue in which something is to be looked at again in a minute is idle.
        """
        return self._messages() if self._redelivery_seconds is not None else self.arriving()

    def _messages(self) -> list[str]:
        count = stores.count_of_those_not_delayed(self.mapping.queue_arn)
        if not count or not self.is_polling:
            return []
        return [f"{count} message(s) in {self.mapping.queue_arn.rsplit(':', 1)[-1]}"]

    def arriving(self) -> list[str]:
        """The queue, if it has messages that are received about now; not what is delayed or in somebody's hands."""
        until = stores.seconds_until_visible(self.mapping.queue_arn)
        return self._messages() if until is not None and until <= (self._redelivery_seconds or 0.0) else []

    def wake(self) -> None:
        """Something in a queue may have changed."""
        with self._changed:
            self._is_woken = True
            self._changed.notify()

    def close(self) -> None:
        """Stop polling. The workers are killed before."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread.is_alive():
            self._thread.join(CLOSING_SECONDS)
        self._work.close()

    def _run(self) -> None:
        try:
            while self._wait():
                self._poll()
        except Exception as error:  # a bug of the sandbox: it must surface in every later wait
            self._activity.crashed(error)

    def _wait(self) -> bool:
        """Until there may be something to receive and a slot to handle it in; False when closed."""
        with self._changed:
            while not self._is_closed:
                has_slot = self._running < self.mapping.max_concurrency
                if self._is_woken and has_slot:
                    self._is_woken = False
                    return True
                until = stores.seconds_until_visible(self.mapping.queue_arn) if has_slot and self.is_polling else None
                # At least a short nap: of a FIFO queue a message can be visible and still have to wait for its group.
                was_woken = self._changed.wait(None if until is None else max(until, SHORTEST_NAP))
                if not was_woken and not self._is_closed:
                    return True
            return False

    def _poll(self) -> None:
        if not self.is_polling:
            return
        with self._activity.doing(f"batch for {self.mapping.id}"):
            messages = self._collect()
            if not messages:
                return
            with self._changed:
                self._running += 1
                self._is_woken = True  # there may be more
            self._work.submit(f"batch for {self.mapping.id}", lambda: self._handle(messages))

    def _collect(self) -> list[Message]:
        """Receive until the batch is full, or the window that began with its first message is over.

        Lambda developer guide, "Batching behavior". Without a window it is what one receive gives.
        """
        batch: list[Message] = []
        closes = 0.0
        while len(batch) < self.mapping.batch_size:
            received = self._receive(self.mapping.batch_size - len(batch))
            if not batch:
                if not received or not self._window:
                    return received
                closes = time.monotonic() + self._window
            batch += received
            if time.monotonic() >= closes or not (received or self._is_woken_before(closes)):
                break
        return batch

    def _is_woken_before(self, closes: float) -> bool:
        """Wait until there may be more to receive; False when the window is over or the poller closed."""
        with self._changed:
            remaining = closes - time.monotonic()
            if not self._is_woken and not self._is_closed and remaining > 0:
                until = stores.seconds_until_visible(self.mapping.queue_arn)
                self._changed.wait(remaining if until is None else min(remaining, max(until, SHORTEST_NAP)))
            self._is_woken = False
            return not self._is_closed and time.monotonic() < closes

    def _receive(self, count: int) -> list[Message]:
        try:
            messages, redriven = stores.receive_messages(self.mapping.queue_arn, count)
        except stores.NoSuchResourceError:
            return []  # the queue was deleted
        if redriven:
            self._queue_changed()  # the dead-letter queue may be polled too
        return messages

    def _handle(self, messages: Sequence[Message]) -> None:
        try:
            wanted = [message for message in messages if self._is_wanted(message)]
            failed = self._failed_messages(wanted) if wanted else set()
            stores.delete_messages(self.mapping.queue_arn, [one for one in messages if one.id not in failed])
            if self._redelivery_seconds is not None:
                stores.return_messages(
                    self.mapping.queue_arn, [one for one in messages if one.id in failed], self._redelivery_seconds
                )
        except (WorkerPoolClosedError, stores.NoSuchResourceError):
            return  # the sandbox is ending, or the queue was deleted meanwhile
        finally:
            with self._changed:
                self._running -= 1
            self.wake()

    def _failed_messages(self, messages: Sequence[Message]) -> set[str]:
        config = self._wiring().function(self.mapping.function_arn)
        if config is None:
            return {message.id for message in messages}
        event = {"Records": [_record(message, self.mapping.queue_arn) for message in messages]}
        outcome = self._invocations.run(config, json.dumps(event))
        return failed_items(outcome, [message.id for message in messages], self.mapping.reports_item_failures)

    def _is_wanted(self, message: Message) -> bool:
        """Whether a filter of the mapping lets the message through; what none wants is deleted, as Lambda does."""
        if not self.mapping.filters:
            return True
        record = _record(message, self.mapping.queue_arn)
        with contextlib.suppress(ValueError):  # a filter may still match the text
            record["body"] = json.loads(message.body)
        return any(pattern.matches(record) for pattern in self.mapping.filters)


def failed_items(outcome: Outcome, message_ids: Sequence[str], reports_item_failures: bool) -> set[str]:
    """Which messages of a batch are to be received again.

    Lambda developer guide, "Reporting batch item failures": null or an empty list is success; an answer of another
    shape, an empty or an unknown identifier make the whole batch fail.
    """
    everything = set(message_ids)
    if outcome.is_error:
        return everything
    if not reports_item_failures:
        return set()
    try:
        answer = json.loads(outcome.payload or b"null") or {}
        failed = {item["itemIdentifier"] for item in answer.get("batchItemFailures") or []}
    except (ValueError, TypeError, KeyError, AttributeError):  # an answer of another shape
        return everything
    return failed if failed <= everything else everything


def _record(message: Message, queue_arn: str) -> dict[str, Any]:
    """Lambda developer guide, "Using Lambda with Amazon SQS": one record of the event."""
    return {
        "messageId": message.id,
        "receiptHandle": message.receipt_handle,
        "body": message.body,
        "attributes": {
            "ApproximateReceiveCount": str(message.approximate_receive_count),
            "SentTimestamp": str(message.sent_timestamp),
            "SenderId": message.sender_id,
            "ApproximateFirstReceiveTimestamp": str(message.approximate_first_receive_timestamp),
        },
        "messageAttributes": {name: _attribute(value) for name, value in message.message_attributes.items()},
        "md5OfBody": message.body_md5,
        "eventSource": "aws:sqs",
        "eventSourceARN": queue_arn,
        "awsRegion": queue_arn.split(":")[3],
    }


def _attribute(value: dict[str, Any]) -> dict[str, Any]:
    attribute: dict[str, Any] = {"stringListValues": [], "binaryListValues": [], "dataType": value["DataType"]}
    if "StringValue" in value:
        attribute["stringValue"] = value["StringValue"]
    if "BinaryValue" in value:
        binary = value["BinaryValue"]
        attribute["binaryValue"] = base64.b64encode(binary).decode() if isinstance(binary, bytes) else binary
    return attribute
