"""Schedules: what EventBridge Scheduler, or a rule with a schedule, sends when its time comes."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, datetime, timedelta

from sandbox.delivery.dispatch import Parcel, Sender, payload_for
from sandbox.delivery.wiring import Schedule

_RATE = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)")


class ScheduleDisabledError(ValueError):
    """A disabled schedule sends nothing, whoever asks."""


def parcel_of(schedule: Schedule, now: datetime) -> Parcel:
    """What the schedule sends now. Raises ScheduleDisabledError."""
    if not schedule.is_enabled:
        raise ScheduleDisabledError(f"schedule {schedule.name} is DISABLED")
    _, _, _, region, account, _ = schedule.arn.split(":", 5)
    time = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    event = {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Scheduled Event",
        "source": "aws.events" if schedule.from_rule else "aws.scheduler",
        "account": account,
        "time": time,
        "region": region,
        "resources": [schedule.arn],
        # Scheduler really sends a string here (github.com/aws/aws-lambda-java-libs issue 479); a rule an object.
        "detail": {} if schedule.from_rule else "{}",
    }
    if schedule.from_rule:
        return Parcel(Sender.EVENTBRIDGE, schedule.arn, schedule.target, event, payload_for(schedule.target, event))
    payload = json.dumps(event) if schedule.target.input is None else schedule.target.input
    # Scheduler user guide, "Adding context attributes".
    for name, value in (
        ("schedule-arn", schedule.arn),
        ("scheduled-time", time),
        ("execution-id", event["id"]),
        ("attempt-number", "1"),
    ):
        payload = payload.replace(f"<aws.scheduler.{name}>", str(value))
    return Parcel(Sender.SCHEDULER, schedule.arn, schedule.target, event, payload)


def interval(expression: str) -> timedelta | None:
    """The interval of a rate() expression; None for cron() and at()."""
    match = _RATE.fullmatch(expression)
    if match is None:
        return None
    unit = match.group(2).rstrip("s")
    return timedelta(**{f"{unit}s": int(match.group(1))})
