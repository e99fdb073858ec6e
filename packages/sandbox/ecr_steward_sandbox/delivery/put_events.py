"""PutEvents: which entries EventBridge takes, what it says about the others, and the events it makes of them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

MAX_ENTRIES = 10
MAX_ENTRY_BYTES = 256 * 1024  # EventBridge user guide, "Calculating PutEvents event entry size"


class PutEventsRefusedError(Exception):
    """The whole call is refused. `code` is the AWS error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class AcceptedEvent:
    """An event and the bus, by name or ARN, that it was put on."""

    bus: str
    event: Mapping[str, Any]


def accept_entries(
    request: Mapping[str, Any], *, account: str, region: str, now: datetime
) -> tuple[list[AcceptedEvent], dict[str, Any]]:
    """The accepted events, and the answer to the call. Raises PutEventsRefusedError."""
    entries = request.get("Entries") or []
    if not 1 <= len(entries) <= MAX_ENTRIES:
        raise PutEventsRefusedError(
            "ValidationException",
            f"1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length "
            f"between 1 and {MAX_ENTRIES}",
        )
    if sum(map(_size, entries)) > MAX_ENTRY_BYTES:
        raise PutEventsRefusedError(
            "ValidationException", "Total size of the entries in the request is over the limit."
        )
    accepted: list[AcceptedEvent] = []
    answers: list[dict[str, str]] = []
    for entry in entries:
        if problem := _problem(entry):
            answers.append(dict(zip(("ErrorCode", "ErrorMessage"), problem, strict=True)))
            continue
        event = _event(entry, account=account, region=region, now=now)
        accepted.append(AcceptedEvent(entry.get("EventBusName") or "default", event))
        answers.append({"EventId": event["id"]})
    return accepted, {"FailedEntryCount": len(entries) - len(accepted), "Entries": answers}


def _problem(entry: Mapping[str, Any]) -> tuple[str, str] | None:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument."
    if entry["Source"].lower().startswith("aws."):
        return "NotAuthorizedForSourceException", "Not authorized for the source."
    try:
        is_object = isinstance(json.loads(entry["Detail"]), dict)
    except ValueError:
        is_object = False
    return None if is_object else ("MalformedDetail", "Detail is malformed.")


def _event(entry: Mapping[str, Any], *, account: str, region: str, now: datetime) -> dict[str, Any]:
    time = now
    if (given := entry.get("Time")) is not None:
        time = datetime.fromtimestamp(given, UTC) if isinstance(given, (int, float)) else datetime.fromisoformat(given)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": account,
        "time": time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": region,
        "resources": list(entry.get("Resources") or []),
        "detail": json.loads(entry["Detail"]),
    }


def _size(entry: Mapping[str, Any]) -> int:
    texts = [*(entry.get(name) or "" for name in ("Source", "DetailType", "Detail")), *(entry.get("Resources") or [])]
    return sum(len(text.encode()) for text in texts) + (14 if entry.get("Time") is not None else 0)
