"""When a schedule is due by its expression, as EventBridge's pages say.

"Cron expressions reference" of the EventBridge user guide (the wildcards, and its table of examples), and "Schedule
types" of the user guide of its Scheduler (time zones, daylight saving time, one-time schedules).
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward_sandbox.schedule_expressions import ScheduleExpressionError, times_of

THURSDAY = datetime(2026, 1, 1, 12, 30, tzinfo=UTC)


def due(expression: str, since: datetime = THURSDAY, timezone: str = "UTC") -> Iterator[datetime]:
    """The times after a moment, one after the other."""
    following, moment = times_of(expression, since, timezone=timezone), since
    while (time := following(moment)) is not None:
        yield time
        moment = time


def first(number: int, expression: str, since: datetime = THURSDAY, timezone: str = "UTC") -> list[str]:
    """The first few, as the clocks of UTC show them."""
    return [f"{time:%Y-%m-%d %H:%M}" for _, time in zip(range(number), due(expression, since, timezone), strict=False)]


@pytest.mark.parametrize(
    ("expression", "times"),
    [
        # the examples of the page
        ("cron(0 10 * * ? *)", ["2026-01-02 10:00", "2026-01-03 10:00"]),
        ("cron(15 12 * * ? *)", ["2026-01-02 12:15", "2026-01-03 12:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["2026-01-01 18:00", "2026-01-02 18:00", "2026-01-05 18:00"]),
        ("cron(0 8 1 * ? *)", ["2026-02-01 08:00", "2026-03-01 08:00"]),
        ("cron(0/15 * * * ? *)", ["2026-01-01 12:45", "2026-01-01 13:00", "2026-01-01 13:15"]),
        ("cron(0/10 * ? * MON-FRI *)", ["2026-01-01 12:40", "2026-01-01 12:50", "2026-01-01 13:00"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", ["2026-01-01 12:35", "2026-01-01 12:40"]),
        ("cron(0/30 20-2 ? * MON-FRI *)", ["2026-01-01 20:00", "2026-01-01 20:30", "2026-01-01 21:00"]),
        # its wildcards
        ("cron(0 0 1 JAN,FEB,MAR ? *)", ["2026-02-01 00:00", "2026-03-01 00:00", "2027-01-01 00:00"]),
        ("cron(1/10 13 1 1 ? 2026)", ["2026-01-01 13:01", "2026-01-01 13:11", "2026-01-01 13:21"]),
        ("cron(0 0 L * ? *)", ["2026-01-31 00:00", "2026-02-28 00:00", "2026-03-31 00:00"]),
        ("cron(0 0 ? * L *)", ["2026-01-03 00:00", "2026-01-10 00:00"]),
        ("cron(0 0 ? * 6L *)", ["2026-01-30 00:00", "2026-02-27 00:00"]),
        ("cron(0 0 ? * FRIL *)", ["2026-01-30 00:00", "2026-02-27 00:00"]),
        ("cron(0 0 3W * ? *)", ["2026-01-02 00:00", "2026-02-03 00:00", "2026-03-03 00:00"]),
        ("cron(0 0 1W 8 ? *)", ["2026-08-03 00:00", "2027-08-02 00:00"]),
        ("cron(0 0 ? * 3#2 *)", ["2026-01-13 00:00", "2026-02-10 00:00"]),
        ("cron(0 0 ? * TUE#5 *)", ["2026-03-31 00:00", "2026-06-30 00:00"]),
        ("cron(0 0 ? 2 SUN#5 *)", ["2032-02-29 00:00", "2060-02-29 00:00"]),
        ("cron(0 0 29 2 ? *)", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("cron(0 0 1 1 ? 2030-2031)", ["2030-01-01 00:00", "2031-01-01 00:00"]),
        ("cron(0 0 1 1 ? 2030,2130)", ["2030-01-01 00:00", "2130-01-01 00:00"]),
        ("cron(0 0 1 1 ? 2025)", []),
        ("cron(0 0 30 2 ? *)", []),
        # the other kinds
        ("rate(1 minute)", ["2026-01-01 12:31", "2026-01-01 12:32"]),
        ("rate(5 hours)", ["2026-01-01 17:30", "2026-01-01 22:30"]),
        ("rate(2 days)", ["2026-01-03 12:30", "2026-01-05 12:30"]),
        ("at(2026-01-31T12:00:00)", ["2026-01-31 12:00"]),
        ("at(2026-01-01T12:30:00)", []),
    ],
)
def test_schedule_is_due_when_eventbridges_pages_say(expression: str, times: list[str]) -> None:
    # One more where it ends.
    assert first(len(times) if len(times) > 1 else 2, expression) == times


@pytest.mark.parametrize(
    ("expression", "since", "times"),
    [
        ("cron(30 2 * * ? *)", datetime(2026, 1, 1, tzinfo=UTC), ["2026-01-01 01:30", "2026-01-02 01:30"]),
        ("cron(0 23 1 * ? *)", datetime(2026, 6, 1, tzinfo=UTC), ["2026-06-01 21:00", "2026-07-01 21:00"]),
        ("at(2026-07-01T00:00:00)", datetime(2026, 6, 1, tzinfo=UTC), ["2026-06-30 22:00"]),
        # 02:30 is left out on the day that has none, and due once on the day that has two
        ("cron(30 2 * * ? *)", datetime(2026, 3, 28, tzinfo=UTC), ["2026-03-28 01:30", "2026-03-30 00:30"]),
        ("cron(30 2 * * ? *)", datetime(2026, 10, 25, tzinfo=UTC), ["2026-10-25 00:30", "2026-10-26 01:30"]),
        ("cron(30 2 * * ? *)", datetime(2026, 10, 25, 1, 0, tzinfo=UTC), ["2026-10-26 01:30", "2026-10-27 01:30"]),
    ],
)
def test_clock_of_the_time_zone_counts_when_a_schedule_has_one(
    expression: str, since: datetime, times: list[str]
) -> None:
    assert first(2, expression, since, "Europe/Berlin") == times


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),
    st.integers(0, 23),
    st.integers(0, 59),
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_daily_schedule_is_due_at_the_next_time_that_a_clock_shows_it(
    since: datetime, hour: int, minute: int, timezone: str
) -> None:
    time = next(due(f"cron({minute} {hour} * * ? *)", since, timezone))

    moment, shown = since.replace(second=0, microsecond=0), set()
    while (moment := moment + timedelta(minutes=1)) < time:
        local = moment.astimezone(ZoneInfo(timezone))
        # Shown a second time: the first was before.
        shown |= {(local.hour, local.minute)} if local.fold == 0 else set()
    assert (hour, minute) not in shown
    local = time.astimezone(ZoneInfo(timezone))
    assert (time > since, local.hour, local.minute) == (True, hour, minute)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("rate(1 hours)", "takes minute, hour or day for 1"),
        ("rate(2 hour)", "hours or days for more"),
        ("rate(0 minutes)", "is no schedule"),
        ("rate(5 seconds)", "is no schedule"),
        ("every hour", "is no schedule"),
        ("cron(0 12 * * ?)", "6 required, 5 provided"),
        ("cron(0 12 * * * *)", "One must be a question mark"),
        ("cron(0 12 ? * ? *)", "One must be a question mark"),
        ("cron(60 12 * * ? *)", "minute value '60'"),
        ("cron(0 24 * * ? *)", "hour value '24'"),
        ("cron(0 12 32 * ? *)", "day-of-month value '32'"),
        ("cron(0 12 * 13 ? *)", "month value '13'"),
        ("cron(0 12 ? * 8 *)", "day-of-week value '8'"),
        ("cron(0 12 ? * 3#1,6#3 *)", "day-of-week value '3#1,6#3'"),
        ("cron(0 12 * * ? 2200)", "year value '2200'"),
        ("cron(0 12 LW * ? *)", "LW"),
        ("at(2030-13-01T00:00:00)", "month must be in 1..12"),
        ("at(2030-01-01)", "is no schedule"),
    ],
)
def test_expression_is_refused_when_aws_refuses_it(expression: str, reason: str) -> None:
    with pytest.raises(ScheduleExpressionError) as refused:
        times_of(expression, THURSDAY)

    assert reason in str(refused.value)


@pytest.mark.parametrize(
    ("timezone", "from_rule", "reason"),
    [
        ("Mars/Olympus", False, "no time zone 'Mars/Olympus'"),
        ("../UTC", False, "no time zone"),
        ("UTC", True, "of a rule"),
    ],
)
def test_expression_is_refused_when_its_time_zone_or_its_owner_does_not_take_it(
    timezone: str, from_rule: bool, reason: str
) -> None:
    with pytest.raises(ScheduleExpressionError, match=reason):
        times_of("at(2030-01-01T00:00:00)", THURSDAY, timezone=timezone, from_rule=from_rule)
