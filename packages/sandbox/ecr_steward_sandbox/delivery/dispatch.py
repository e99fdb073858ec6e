"""One delivery: from a rule or schedule to a target, with retries, and to a dead-letter queue in the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any

from ecr_steward_sandbox.delivery import stores
from ecr_steward_sandbox.delivery.activity import Work
from ecr_steward_sandbox.delivery.ledger import Delivery, Fate, Ledger
from ecr_steward_sandbox.delivery.wiring import Target, Wiring
from ecr_steward_sandbox.event_keys import keys_of_event
from local_ecr.iam import UnsupportedPolicyError

DEFAULT_RETRY_SECONDS = 0.02  # between two tries; EventBridge waits minutes to hours

ACTIONS = {
    "events": "events:PutEvents",
    "lambda": "lambda:InvokeFunction",
    "sns": "sns:Publish",
    "sqs": "sqs:SendMessage",
}
"""What a delivery to a service needs."""


class DeliveryError(Exception):
    """A target did not take what was sent. `code` as EventBridge writes it into ERROR_CODE."""

    def __init__(self, code: str, message: str, *, is_retryable: bool = False) -> None:
        super().__init__(message)
        self.code = code
        self.is_retryable = is_retryable


class Sender(Enum):
    """The service that delivers; the value is its principal in policies."""

    EVENTBRIDGE = "events.amazonaws.com"
    SCHEDULER = "scheduler.amazonaws.com"


@dataclass(frozen=True)
class Parcel:
    """What is on its way. `event` is the whole event (forwarded, dead-lettered), `payload` what the target gets."""

    sender: Sender
    source_arn: str
    target: Target
    event: Mapping[str, Any]
    payload: str
    is_forwarded: bool = False  # it came from another bus: EventBridge forwards an event once


class Dispatcher:
    """Delivers parcels as far as the deployed policies allow.

    `disturbance(parcel, attempt)` is called before each try and may raise DeliveryError, as a throttled target would.
    """

    def __init__(
        self,
        wiring: Callable[[], Wiring],
        work: Work,
        ledger: Ledger,
        *,
        invoke: Callable[[str, str], object],
        forward: Callable[[Parcel], None],
        queue_changed: Callable[[], None],
        retry_seconds: float = DEFAULT_RETRY_SECONDS,
    ) -> None:
        """`invoke(function ARN, payload)` and `forward(parcel)` only accept; what follows is counted there."""
        self.disturbance: Callable[[Parcel, int], None] = lambda _parcel, _attempt: None
        self._wiring = wiring
        self._work = work
        self._ledger = ledger
        self._invoke = invoke
        self._forward = forward
        self._queue_changed = queue_changed
        self._retry_seconds = retry_seconds

    def dispatch(self, parcel: Parcel) -> None:
        """Deliver in the background."""
        self._try(parcel, attempt=1, after=0.0)

    def obstacles(self, parcel: Parcel) -> list[str]:
        """Why such a parcel cannot arrive, and why its dead-letter queue could not keep it. Nothing is sent."""
        found = []
        try:
            self._require_way(parcel)
        except UnsupportedPolicyError as cause:
            found.append(f"The sandbox cannot tell: {cause}")
        except DeliveryError as error:
            found.append(str(error))
        queue_arn = parcel.target.dead_letter_arn
        if queue_arn is not None and not stores.exists(queue_arn):
            found.append(f"the dead-letter queue {queue_arn} does not exist")
        elif queue_arn is not None and not self._may_write_dead_letter(parcel, queue_arn):
            found.append(f"{parcel.sender.value} may not write to the dead-letter queue {queue_arn}")
        return found

    def _try(self, parcel: Parcel, *, attempt: int, after: float) -> None:
        what = f"delivery of {parcel.event.get('detail-type')} to {parcel.target.arn}"
        self._work.submit(what, lambda: self._deliver(parcel, attempt), after=after)

    def _deliver(self, parcel: Parcel, attempt: int) -> None:
        try:
            self.disturbance(parcel, attempt)
            self._send(parcel)
        except UnsupportedPolicyError as cause:  # somebody put such a policy after the deployment
            self._give_up(parcel, attempt, DeliveryError("NO_PERMISSIONS", f"The sandbox cannot tell: {cause}"))
        except DeliveryError as error:
            if error.is_retryable and attempt <= parcel.target.retry.attempts:
                self._try(parcel, attempt=attempt + 1, after=self._retry_seconds)
            else:
                self._give_up(parcel, attempt, error)
        else:
            self._record(parcel, attempt, Fate.DELIVERED)

    # ---------------------------------------------------------------- sending

    def _send(self, parcel: Parcel) -> None:
        arn = parcel.target.arn
        self._require_way(parcel)
        match arn.split(":")[2]:
            case "lambda":
                self._invoke(arn, parcel.payload)
            case "sqs":
                _stored(arn, lambda: stores.send_message(arn, parcel.payload))
                self._queue_changed()
            case "sns":
                _stored(arn, lambda: stores.publish(arn, parcel.payload))
                self._queue_changed()
            case _:
                self._forward(parcel)

    def _require_way(self, parcel: Parcel) -> None:
        """Raise unless the target may be reached and exists."""
        arn = parcel.target.arn
        service = arn.split(":")[2]
        if service not in ACTIONS:
            raise DeliveryError("INVALID_PARAMETER", f"The sandbox does not deliver to {service}")
        if service == "events" and parcel.is_forwarded:
            code = "THIRD_REGION_HOP_DETECTED"
            if parcel.event.get("account") != arn.split(":")[4]:
                code = "THIRD_ACCOUNT_HOP_DETECTED"
            raise DeliveryError(code, "EventBridge does not route events received from another bus to a third one.")
        self._permit(parcel, ACTIONS[service], arn)
        match service:
            case "lambda":
                exists, what = self._wiring().function(arn) is not None, f"Function not found: {arn}"
            case "events":
                exists, what = self._wiring().has_bus(arn), f"Event bus {arn} does not exist."
            case _:
                exists, what = stores.exists(arn), f"{arn} does not exist."
        if not exists:
            raise DeliveryError("NO_RESOURCE", what)

    def _permit(self, parcel: Parcel, action: str, resource_arn: str) -> None:
        """Raise unless the target's role may do it or, without a role, the resource's policy lets the service."""
        sender, role_arn = parcel.sender.value, parcel.target.role_arn
        if role_arn is None:
            is_allowed = self._wiring().service_may(sender, action, resource_arn, parcel.source_arn)
            who, why = f"{sender} for {parcel.source_arn}", ""
        else:
            if not self._wiring().service_may_assume(sender, role_arn, parcel.source_arn):
                raise DeliveryError("FAILED_TO_ASSUME_ROLE", f"{sender} may not assume {role_arn}")
            own_keys = keys_of_event(parcel.event) if action == ACTIONS["events"] else {}
            judgement = self._wiring().role_judgement(role_arn, action, resource_arn, own_keys)
            is_allowed, who, why = judgement.is_allowed, role_arn, f" {judgement.why}"
        if not is_allowed:
            raise DeliveryError("NO_PERMISSIONS", f"{who} is not allowed to perform {action} on {resource_arn}{why}")

    # ---------------------------------------------------------------- giving up

    def _give_up(self, parcel: Parcel, attempt: int, error: DeliveryError) -> None:
        queue_arn = parcel.target.dead_letter_arn
        fate = Fate.LOST
        why = str(error)
        if queue_arn is None:
            why += " (the target has no dead-letter queue)"
        elif not self._may_write_dead_letter(parcel, queue_arn):
            why += f" ({parcel.sender.value} may not write to the dead-letter queue {queue_arn})"
        else:
            try:
                _stored(queue_arn, lambda: stores.send_message(queue_arn, *_dead_letter(parcel, attempt, error)))
                self._queue_changed()
                fate = Fate.DEAD_LETTER
            except DeliveryError as second:
                why += f" (and the dead-letter queue: {second})"
        self._record(parcel, attempt, fate, error.code, why)

    def _may_write_dead_letter(self, parcel: Parcel, queue_arn: str) -> bool:
        if parcel.sender is Sender.SCHEDULER:
            # Scheduler writes as the schedule's own role.
            role_arn = parcel.target.role_arn
            return role_arn is not None and self._wiring().role_may(role_arn, "sqs:SendMessage", queue_arn)
        return self._wiring().service_may(parcel.sender.value, "sqs:SendMessage", queue_arn, parcel.source_arn)

    def _record(self, parcel: Parcel, attempt: int, fate: Fate, code: str = "", message: str = "") -> None:
        self._ledger.record(
            Delivery(
                datetime.now(UTC),
                parcel.source_arn,
                parcel.target.arn,
                str(parcel.event.get("id", "")),
                attempt,
                fate,
                code,
                message,
            )
        )


def _stored(arn: str, store: Callable[[], None]) -> None:
    try:
        store()
    except stores.NoSuchResourceError as cause:
        raise DeliveryError("NO_RESOURCE", f"{arn} does not exist.") from cause
    except stores.RefusedError as cause:
        raise DeliveryError("ERROR_FROM_TARGET", str(cause)) from cause


def _dead_letter(parcel: Parcel, attempt: int, error: DeliveryError) -> tuple[str, dict[str, str]]:
    """Body and message attributes, as the user guides of EventBridge and Scheduler list them."""
    attributes = {"TARGET_ARN": parcel.target.arn, "ERROR_CODE": error.code, "ERROR_MESSAGE": str(error)}
    if error.is_retryable:
        attributes |= {"EXHAUSTED_RETRY_CONDITION": "MaximumRetryAttempts", "RETRY_ATTEMPTS": str(attempt - 1)}
    if parcel.sender is Sender.SCHEDULER:
        return parcel.payload, attributes | {"SCHEDULE_ARN": parcel.source_arn, "IS_PAYLOAD_TRUNCATED": "false"}
    return json.dumps(parcel.event), attributes | {"RULE_ARN": parcel.source_arn}


def payload_for(target: Target, event: Mapping[str, Any]) -> str:
    """What the target gets: its fixed input, the part at its input path ("$.detail.x"), or the whole event."""
    if target.input is not None:
        return target.input
    if target.input_path is None or target.input_path == "$":
        return json.dumps(event)
    part: Any = event
    for step in target.input_path.removeprefix("$.").split("."):
        part = part.get(step) if isinstance(part, dict) else None
    return json.dumps(part)
