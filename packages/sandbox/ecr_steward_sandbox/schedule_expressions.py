"""Schedule expressions of EventBridge: rate() and cron(), and at() of its Scheduler."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from aws_croniter import AwsCroniter

type Next = Callable[[datetime], datetime | None]
"""The first time after a moment; None when there is none any more."""

_RATE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)(s?)\)")
_CRON = re.compile(r"cron\((.+)\)")
_AT = re.compile(r"at\((\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})\)")
_LAST_DAY_OF_WEEK = re.compile(r"(?<= )L(?= \S+$)")
"""The seventh, which aws-croniter does not know: for an L without a number it finds no day."""


class ScheduleExpressionError(ValueError):
    """A schedule expression, or the time zone of one, that AWS does not take."""


def times_of(expression: str, since: datetime, *, timezone: str = "UTC", from_rule: bool = False) -> Next:
    """When a schedule that exists since a moment is due. Raises ScheduleExpressionError.

    ``timezone`` is the zone whose clocks cron() and at() go by; ``from_rule``, whether a rule has the schedule.
    """
    try:
        zone = ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError) as cause:
        raise ScheduleExpressionError(f"there is no time zone {timezone!r}") from cause
    if rate := _RATE.fullmatch(expression):
        return _rate(int(rate[1]), rate[2], bool(rate[3]), since)
    if cron := _CRON.fullmatch(expression):
        return _cron(cron[1], zone)
    if not from_rule and (at := _AT.fullmatch(expression)):
        return _at(at[1], zone)
    usual = "rate(5 minutes) or cron(0 12 * * ? *)"
    raise ScheduleExpressionError(
        f"{expression!r} is no schedule of a rule, such as {usual}"
        if from_rule
        else f"{expression!r} is no schedule, such as {usual} or at(2030-01-31T12:00:00)"
    )


def _rate(number: int, unit: str, is_plural: bool, since: datetime) -> Next:
    if is_plural == (number == 1):
        raise ScheduleExpressionError("rate() takes minute, hour or day for 1, and minutes, hours or days for more")
    every = timedelta(**{f"{unit}s": number})
    return lambda moment: since + ((moment - since) // every + 1) * every


def _at(text: str, zone: ZoneInfo) -> Next:
    try:
        time = datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
    except ValueError as cause:
        raise ScheduleExpressionError(f"at({text}): {cause}") from cause
    return lambda moment: time if moment < time else None


def _cron(text: str, zone: ZoneInfo) -> Next:
    try:
        cron = AwsCroniter(_LAST_DAY_OF_WEEK.sub("7", text))
    except ValueError as cause:
        raise ScheduleExpressionError(f"cron({text}): {cause}") from cause

    def following(moment: datetime) -> datetime | None:
        # The clock of the zone, said to be UTC: aws-croniter knows no other zone.
        shown = moment.astimezone(zone).replace(tzinfo=UTC)
        while found := _next_shown(cron, shown):
            time = found.replace(tzinfo=zone).astimezone(UTC)
            # What the clock skips in spring is left out; what it shows twice in autumn is due the first time alone.
            if time.astimezone(zone).replace(tzinfo=UTC) == found and time > moment:
                return time
            shown = found
        return None

    return following


def _next_shown(cron: AwsCroniter, shown: datetime) -> datetime | None:
    """aws-croniter gives up after a few years without a day that fits, such as a fifth Sunday of February."""
    found: datetime | None = cron.get_next(shown)[0]
    for year in range(shown.year + 1, max(cron.years) + 1) if found is None else ():
        (found,) = cron.get_next(datetime(year, 1, 1, tzinfo=UTC), inclusive=True)
        if found is not None:
            break
    return found
