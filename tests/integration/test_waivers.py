"""Waivers and the clock, on the deployed template: a waiver holds on its last day, in UTC, and not on the next one."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.slow

DAY = timedelta(days=1)


@pytest.fixture
def today(house: Any) -> date:
    """A day that has half of its hours before it, whenever this test runs."""
    now = house.sandbox.clock.now
    noon = datetime.combine(now.date(), time(12), UTC)
    house.sandbox.move_clock((noon if now < noon else noon + DAY) - now)
    house.sandbox.wait_until_idle()
    today: date = house.sandbox.clock.now.date()
    return today


@pytest.fixture
def waive(house: Any) -> Callable[..., None]:
    """Deploy a rulebook with waivers, each for some repositories, until a day and for a reason."""

    def deploy(finding: str, *waivers: tuple[str, date, str]) -> None:
        entries = [
            {"finding": finding, "repositories": [repositories], "until": str(until), "reason": reason}
            for repositories, until, reason in waivers
        ]
        house.rulebook.deploy(lambda rulebook: rulebook.update(waivers=entries))

    return deploy


def a_day_passes(house: Any) -> Any:
    """The sweep comes due on the way; answers what was moved."""
    moved = house.sandbox.move_clock(DAY)
    house.sandbox.wait_until_idle()
    return moved


def test_finding_is_tolerated_on_the_last_day_of_its_waiver_and_fails_on_the_next(
    house: Any, today: date, waive: Callable[..., None]
) -> None:
    finding, repository = "CVE-2026-50001", "payments/last-day"
    waive(finding, ("payments/**", today, "nobody parses foreign XML"))
    pushed = house.push(repository, "1.0.0")
    children = [child.digest for child in pushed.children]

    house.scan_ends(repository, children, {finding: "HIGH"})

    (on_the_last_day,) = house.verdicts(repository)
    assert on_the_last_day["verdict"] == "pass"
    assert on_the_last_day["waived"] == [
        f"{finding} (HIGH) in zlib 1.3.1 of {min(children)} and 1 more, waived until {today}: nobody parses foreign XML"
    ]
    assert "1.0.0" in house.away.tags(repository)

    a_day_passes(house)
    released = house.push(repository, "1.1.0")

    of_old = [each for each in house.verdicts(repository) if each["image-digest"] == str(pushed.index.digest)]
    assert of_old[-1]["verdict"] == "fail"
    assert of_old[-1]["reasons"] == [
        f"{finding} (HIGH) in zlib 1.3.1 of {min(children)} and 1 more: "
        f"its waiver has expired, its last day was {today}"
    ]
    assert "1.0.0" in house.away.tags(repository)  # what has arrived stays
    assert str(released.index.digest) not in house.away.digests(repository)
    assert house.take("FailureQueue") == []


def test_waiver_that_holds_counts_when_another_one_has_expired(
    house: Any, today: date, waive: Callable[..., None]
) -> None:
    finding, repository = "CVE-2026-50002", "payments/two-waivers"
    waive(finding, ("payments/**", today - DAY, "the first one"), (repository, today + DAY, "the second one"))
    pushed = house.push(repository, "1.0.0")

    house.scan_ends(repository, [child.digest for child in pushed.children], {finding: "CRITICAL"})
    a_day_passes(house)
    on_the_last_day = house.verdicts(repository)
    a_day_passes(house)

    assert {each["verdict"] for each in on_the_last_day} == {"pass"}
    assert all(f"waived until {today + DAY}: the second one" in each["waived"][0] for each in on_the_last_day)
    (failed,) = house.verdicts(repository)[len(on_the_last_day) :]
    assert failed["verdict"] == "fail"
    assert f"its waiver has expired, its last day was {today + DAY}" in failed["reasons"][0]
    assert house.take("FailureQueue") == []
