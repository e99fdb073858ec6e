"""Schedules: what EventBridge Scheduler, or a rule with a schedule, sends when its time comes."""

from __future__ import annotations

import json
import re
import threading
import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from ecr_steward_sandbox.delivery.dispatch import Parcel, Sender, payload_for
from ecr_steward_sandbox.delivery.wiring import Schedule

_RATE = re.compile(r"rate\((\d+) (minute|minutes|hour|hours|day|days)\)")


class ScheduleDisabledError(ValueError):
    """A disabled schedule sends nothing, whoever asks."""


class Timetable:
    """When the rate() schedules of a deployment come due: one interval after it, and so on.

    A cron() or at() schedule never comes due here; somebody fires it.
    """

    def __init__(self, schedules: Iterable[Schedule], now: datetime) -> None:
        self._lock = threading.Lock()
        self._untimed: list[Schedule] = []
        self._due: list[tuple[datetime, timedelta, Schedule]] = []
        for schedule in schedules:
            every = interval(schedule.expression)
            if not schedule.is_enabled:
                continue
            if every is None:
                self._untimed.append(schedule)
            else:
                self._due.append((now + every, every, schedule))

    @property
    def untimed(self) -> Sequence[Schedule]:
        """Enabled schedules that do not come due by themselves."""
        return self._untimed

    def take_due(self, now: datetime) -> list[Schedule]:
        """The schedules that came due since they were last taken, each once however often it did, in their order."""
        taken: list[tuple[datetime, Schedule]] = []
        with self._lock:
            for index, (due, every, schedule) in enumerate(self._due):
                if due <= now:
                    taken.append((due, schedule))
                    missed = (now - due) // every
                    self._due[index] = (due + (missed + 1) * every, every, schedule)
        return [schedule for _, schedule in sorted(taken, key=lambda one: one[0])]


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
