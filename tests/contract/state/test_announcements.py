"""The contract of ``Announcements``: every test runs on the fake and on the adapter. 0.2 s a test."""

from datetime import timedelta
from typing import Any

from ecr_steward.domain.names import RegistryRef

TWO, THREE = RegistryRef("222233334444", "us-east-1"), RegistryRef("333344445555", "us-east-1")
TWO_ABROAD = RegistryRef(TWO.account, "eu-west-1")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def registries(world: Any, account: str = "") -> list[RegistryRef]:
    return [each.registry for each in world.announcements.noted(account)]


def test_each_account_and_region_is_noted_once_and_sorted(world: Any) -> None:
    assert registries(world) == []

    new = [world.announcements.note(each) for each in (THREE, TWO, TWO_ABROAD, TWO)]

    assert new == [True, True, True, False]
    assert registries(world) == [TWO_ABROAD, TWO, THREE]
    assert registries(world, TWO.account) == [TWO_ABROAD, TWO]
    assert registries(world, "2222") == []


def test_a_later_one_is_noted_after_an_hour_and_no_sooner(world: Any) -> None:
    begun = world.clock.now.replace(microsecond=0)
    world.announcements.note(TWO)

    world.clock.pass_by(HOUR - timedelta(seconds=1))
    world.announcements.note(TWO)
    assert [each.at for each in world.announcements.noted()] == [begun]

    world.clock.pass_by(timedelta(seconds=1))
    assert world.announcements.note(TWO) is False
    assert [each.at for each in world.announcements.noted()] == [begun + HOUR]


def test_an_account_that_is_silent_for_thirty_days_is_noted_no_longer(world: Any) -> None:
    world.announcements.note(TWO)
    world.clock.pass_by(15 * DAY)
    world.announcements.note(THREE)

    world.clock.pass_by(15 * DAY - timedelta(seconds=1))
    assert registries(world) == [TWO, THREE]
    world.clock.pass_by(timedelta(seconds=1))

    assert registries(world) == [THREE]
    assert world.announcements.note(TWO) is True


def test_a_person_may_have_one_account_forgotten(world: Any) -> None:
    for each in (TWO, TWO_ABROAD, THREE):
        world.announcements.note(each)

    assert [each.registry for each in world.announcements.forget(TWO.account)] == [TWO_ABROAD, TWO]

    assert registries(world) == [THREE]
    assert world.announcements.forget(TWO.account) == ()
