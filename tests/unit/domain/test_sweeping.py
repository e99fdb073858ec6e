"""How often there is a sweep, by the words of its schedule."""

from datetime import timedelta

import pytest

from ecr_steward.domain.sweeping import interval_of


@pytest.mark.parametrize(
    ("schedule", "interval"),
    [
        ("rate(1 hour)", timedelta(hours=1)),
        ("rate(30 minutes)", timedelta(minutes=30)),
        ("rate(2 days)", timedelta(days=2)),
        ("cron(0 3 * * ? *)", timedelta(days=1)),
        ("cron(0 3 ? * MON-FRI *)", timedelta(days=31)),
        ("cron(0 3 1 * ? *)", timedelta(days=31)),
        ("at(2026-11-26T03:00:00)", timedelta(days=31)),
    ],
)
def test_the_longest_time_between_two_sweeps_is_known_when_there_is_a_schedule(
    schedule: str, interval: timedelta
) -> None:
    assert interval_of(schedule) == interval
