"""Schedules fire when asked and when they come due, as the role they are given."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecr_steward_sandbox.delivery.schedules import ScheduleDisabledError, Timetable
from ecr_steward_sandbox.delivery.wiring import Schedule, Target


@pytest.fixture(scope="module")
def clock(new_template: Callable[[], Any], start: Callable[[Any], Any]) -> Any:
    """Schedules of all kinds for one function."""
    stack = new_template()
    arn = stack.arn
    stack.function("Sweep", Events={"OfRule": {"Type": "Schedule", "Properties": {"Schedule": "rate(5 minutes)"}}})
    retry = {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 3600}
    nightly = {"Type": "Schedule", "Properties": {"Schedule": "cron(0 4 * * ? *)"}}
    in_two_days = f"at({datetime.now(UTC) + timedelta(days=2):%Y-%m-%dT%H:%M:%S})"
    once = {"ScheduleExpression": in_two_days, "ScheduleExpressionTimezone": "Europe/Berlin", "RetryPolicy": retry}
    stack.function("Nightly", Events={"Cron": nightly, "Once": {"Type": "ScheduleV2", "Properties": once}})
    stack.queue("DeadLetters")
    stack.role("Starter", "scheduler.amazonaws.com", "lambda:InvokeFunction", arn("Sweep"))
    stack.role("Buryer", "scheduler.amazonaws.com", "sqs:SendMessage", arn("DeadLetters"))
    stack.role("Stranger", "events.amazonaws.com", "lambda:InvokeFunction", arn("Sweep"))

    def schedule(name: str, role: str, *, state: str = "ENABLED", **target: Any) -> None:
        stack.add(
            name,
            "AWS::Scheduler::Schedule",
            Name=name.lower(),
            ScheduleExpression="rate(1 hour)",
            State=state,
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={"Arn": arn("Sweep"), "RoleArn": arn(role), "RetryPolicy": retry, **target},
        )

    schedule("Hourly", "Starter")
    schedule(
        "WithInput", "Starter", Input='{"at": "<aws.scheduler.scheduled-time>", "from": "<aws.scheduler.schedule-arn>"}'
    )
    schedule("Off", "Starter", state="DISABLED")
    stack.add("Bus", "AWS::Events::EventBus", Name="checks")
    stack.role("Putter", "scheduler.amazonaws.com", "events:PutEvents", arn("Bus"))
    head = {"Source": "our.checks", "DetailType": "A Check"}
    schedule("OnABus", "Putter", Arn=arn("Bus"), EventBridgeParameters=head, Input='{"number": 7}')
    schedule("MayNotInvoke", "Buryer", DeadLetterConfig={"Arn": arn("DeadLetters")})
    schedule("MayNotBury", "Stranger", DeadLetterConfig={"Arn": arn("DeadLetters")})
    return start(stack)


def tick(box: Any, name: str) -> None:
    """Fire a schedule and wait for all that follows."""
    box.sandbox.tick(name)
    box.sandbox.wait_until_idle(10)


def test_nothing_runs_when_nobody_fires_a_schedule(clock: Any) -> None:
    clock.sandbox.wait_until_idle(5)

    assert clock.runs("Sweep") == []


@pytest.mark.parametrize("name", ["Hourly", "hourly"])
def test_function_gets_schedulers_event_when_the_schedule_has_no_input(clock: Any, name: str) -> None:
    tick(clock, name)

    event = clock.runs("Sweep")[-1].event
    assert event["source"] == "aws.scheduler"
    assert event["detail-type"] == "Scheduled Event"
    assert event["detail"] == "{}"
    assert event["resources"] == [clock.arn("Hourly")]
    assert (event["account"], event["region"]) == ("111122223333", "us-east-1")


def test_function_gets_the_input_when_the_schedule_has_one(clock: Any) -> None:
    tick(clock, "WithInput")

    event = clock.runs("Sweep")[-1].event
    assert event["from"] == clock.arn("WithInput")
    assert event["at"].endswith("Z")


def test_a_bus_gets_an_event_of_the_schedules_own_when_it_is_the_target(clock: Any) -> None:
    """Scheduler's templated target PutEvents: source and type by EventBridgeParameters, and the input is the detail."""
    tick(clock, "OnABus")

    (event,) = [one.event for one in clock.sandbox.events if one.bus_arn.endswith(":event-bus/checks")]
    assert (event["source"], event["detail-type"], event["detail"]) == ("our.checks", "A Check", {"number": 7})
    assert (event["account"], event["region"]) == ("111122223333", "us-east-1")


def test_function_gets_eventbridges_event_when_a_rule_has_the_schedule(clock: Any) -> None:
    tick(clock, "SweepOfRule")

    event = clock.runs("Sweep")[-1].event
    assert event["source"] == "aws.events"
    assert event["detail"] == {}


def test_nothing_runs_when_the_schedule_is_disabled(clock: Any) -> None:
    with pytest.raises(ScheduleDisabledError, match="off is DISABLED"):
        clock.sandbox.tick("Off")


def test_known_schedules_are_named_when_there_is_no_such_schedule(clock: Any) -> None:
    with pytest.raises(LookupError, match="there is no schedule Yearly; there are: Hourly, WithInput"):
        clock.sandbox.tick("Yearly")


def test_payload_goes_to_the_dead_letter_queue_when_the_role_may_not_invoke(clock: Any) -> None:
    tick(clock, "MayNotInvoke")

    (message,) = clock.messages("DeadLetters")
    assert message["body"]["source"] == "aws.scheduler"
    assert message["attributes"]["ERROR_CODE"] == "NO_PERMISSIONS"
    assert message["attributes"]["SCHEDULE_ARN"] == clock.arn("MayNotInvoke")


def test_payload_is_counted_as_lost_when_the_role_may_not_be_assumed_or_bury(clock: Any) -> None:
    tick(clock, "MayNotBury")

    (lost,) = [one for one in clock.sandbox.lost if one.source == clock.arn("MayNotBury")]
    assert lost.error_code == "FAILED_TO_ASSUME_ROLE"
    assert clock.messages("DeadLetters") == []


def test_cron_and_at_fire_when_the_clock_is_moved_beyond_their_times(clock: Any) -> None:
    moved = [clock.sandbox.move_clock(timedelta(days=3)) for _ in range(2)]
    clock.sandbox.wait_until_idle(10)

    fired = [[name for name in one.fired if name.startswith("Nightly")] for one in moved]
    assert fired == [["NightlyCron", "NightlyOnce"], ["NightlyCron"]]
    assert [run.event["source"] for run in clock.runs("Nightly")].count("aws.scheduler") == 1


DEPLOYED = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)


def named(name: str, expression: str, *, is_enabled: bool = True) -> Schedule:
    """A schedule."""
    arn = f"arn:aws:scheduler:us-east-1:111122223333:schedule/default/{name}"
    return Schedule(name, name, arn, expression, Target("target", arn), is_enabled)


def test_schedule_is_due_at_each_interval_after_the_deployment_when_time_passes() -> None:
    timetable = Timetable([named("Hourly", "rate(1 hour)")], DEPLOYED)

    due = {minute: timetable.take_due(DEPLOYED + timedelta(minutes=minute)) for minute in range(0, 200, 10)}

    assert [minute for minute, schedules in due.items() if schedules] == [60, 120, 180]


def test_schedule_is_due_once_and_then_at_its_usual_minute_when_it_came_due_many_times() -> None:
    timetable = Timetable([named("Hourly", "rate(1 hour)")], DEPLOYED)

    slept = timetable.take_due(DEPLOYED + timedelta(hours=13, minutes=20))

    assert [one.name for one in slept] == ["Hourly"]
    assert timetable.take_due(DEPLOYED + timedelta(hours=13, minutes=59)) == []
    assert timetable.take_due(DEPLOYED + timedelta(hours=14)) == slept


def test_schedules_are_due_in_the_order_of_their_times_when_several_came_due() -> None:
    timetable = Timetable([named("Daily", "rate(1 day)"), named("Often", "rate(5 minutes)")], DEPLOYED)

    assert [one.name for one in timetable.take_due(DEPLOYED + timedelta(days=2))] == ["Often", "Daily"]


def test_schedule_is_due_each_night_when_it_is_a_cron() -> None:
    timetable = Timetable([named("Nightly", "cron(0 4 * * ? *)")], DEPLOYED)

    due = {hour: timetable.take_due(DEPLOYED + timedelta(hours=hour)) for hour in range(72)}

    assert [hour for hour, schedules in due.items() if schedules] == [16, 40, 64]


def test_schedule_is_due_once_and_never_again_when_it_is_an_at() -> None:
    timetable = Timetable([named("Once", "at(2026-01-02T00:00:00)")], DEPLOYED)

    assert timetable.take_due(DEPLOYED + timedelta(hours=11)) == []
    assert [one.name for one in timetable.take_due(DEPLOYED + timedelta(hours=12))] == ["Once"]
    assert timetable.take_due(DEPLOYED + timedelta(days=400)) == []


def test_schedule_never_comes_due_when_it_is_disabled_or_over() -> None:
    schedules = [
        named("Off", "rate(1 hour)", is_enabled=False),
        named("Past", "at(2025-12-31T00:00:00)"),
        named("PastYear", "cron(0 4 * * ? 2025)"),
    ]
    timetable = Timetable(schedules, DEPLOYED)

    assert timetable.take_due(DEPLOYED + timedelta(days=365)) == []
