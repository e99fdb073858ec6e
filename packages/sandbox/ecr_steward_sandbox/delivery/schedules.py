"""Schedules: what EventBridge Scheduler, or a rule with a schedule, sends when its time comes."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from ecr_steward_sandbox.delivery.dispatch import Parcel, Sender, payload_for
from ecr_steward_sandbox.delivery.wiring import Schedule
from ecr_steward_sandbox.schedule_expressions import Next, times_of


class ScheduleDisabledError(ValueError):
    """A disabled schedule sends nothing, whoever asks."""


class Timetable:
    """When the schedules of a deployment come due; those by rate() are counted from it."""

    def __init__(self, schedules: Iterable[Schedule], now: datetime) -> None:
        self._lock = threading.Lock()
        self._due: list[tuple[datetime, Next, Schedule]] = []
        for schedule in schedules:
            following = times_of(schedule.expression, now, timezone=schedule.timezone, from_rule=schedule.from_rule)
            if schedule.is_enabled and (due := following(now)):
                self._due.append((due, following, schedule))

    def take_due(self, now: datetime) -> list[Schedule]:
        """The schedules that came due since they were last taken, each once however often it did, in their order."""
        with self._lock:
            taken = [one for one in self._due if one[0] <= now]
            waiting = [one for one in self._due if one[0] > now]
            again = [(due, following, schedule) for _, following, schedule in taken if (due := following(now))]
            self._due = [*waiting, *again]
        return [schedule for _, _, schedule in sorted(taken, key=lambda one: one[0])]


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
    if put := schedule.target.event:
        event |= {"source": put.source, "detail-type": put.detail_type, "resources": [], "detail": json.loads(payload)}
    # Scheduler user guide, "Adding context attributes".
    for name, value in (
        ("schedule-arn", schedule.arn),
        ("scheduled-time", time),
        ("execution-id", event["id"]),
        ("attempt-number", "1"),
    ):
        payload = payload.replace(f"<aws.scheduler.{name}>", str(value))
    return Parcel(Sender.SCHEDULER, schedule.arn, schedule.target, event, payload)
