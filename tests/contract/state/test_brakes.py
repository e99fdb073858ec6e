"""The contract of ``Brakes``: however many count at the same time, together they never pass a brake."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from ecr_steward.domain.brake import Brake, Hold, Load, Weight
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.ports.brakes import GRANT_LASTS

API = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
WEB = replace(API, name="team-a/web")
BRAKE = Brake(removals=10, share=50)


def one(repository=API, there=100):
    """One image loses its tag."""
    return Load(Weight(1, 1, 1), repository, there, there)


def hold_of(world, rule="services"):
    return Hold(rule, str(API), 60, "60 removals, more than the 50 of its brake", world.clock.now)


def test_removals_count_until_the_brake_and_the_reason_is_told_beyond_it(world):
    answers = [world.brakes.spend("services", "hour 1", one(), BRAKE) for _ in range(11)]

    assert answers == [None] * 10 + ["1 removal after 10 before, more than the 10 of its brake"]


def test_nothing_is_counted_when_a_plan_is_too_much_by_itself(world):
    too_much = Load(Weight(11))

    why = world.brakes.spend("services", "hour 1", too_much, BRAKE)

    assert why == "11 removals, more than the 10 of its brake"
    assert world.brakes.spend("services", "hour 1", Load(Weight(10)), BRAKE) is None


def test_windows_and_rules_are_counted_each_by_itself(world):
    full = Load(Weight(10))

    assert world.brakes.spend("services", "hour 1", full, BRAKE) is None
    assert world.brakes.spend("services", "hour 2", full, BRAKE) is None
    assert world.brakes.spend("other", "hour 1", full, BRAKE) is None
    assert world.brakes.spend("services", "hour 1", one(), BRAKE) is not None


def test_the_share_counts_by_repository_when_a_rule_is_about_several(world):
    def take(repository):
        return world.brakes.spend("services", "sweep 1", Load(Weight(3, 3, 3), repository, 12, 12), Brake(100, 50))

    assert [take(API), take(WEB), take(API), take(WEB)] == [None] * 4
    assert take(API) == "3 tagged images after 6 before of 12, more than the 50% of its brake"
    assert world.brakes.spend("services", "sweep 1", Load(Weight(3)), Brake(100, 50)) is None


@pytest.mark.parametrize("tagged", [0, 4])
def test_untagged_images_count_among_all_and_tagged_ones_among_the_tagged_too(world, tagged):
    load = Load(Weight(6, 6, tagged), API, images_there=40, tagged_there=8)

    first, second, third, fourth = (world.brakes.spend("r", "w", load, Brake(100, 50)) for _ in range(4))

    if tagged:  # four of eight, and then eight of eight
        assert first is None
        assert second == third == fourth == "4 tagged images after 4 before of 8, more than the 50% of its brake"
    else:
        assert [first, second, third] == [None] * 3
        assert fourth == "6 images after 18 before of 40, more than the 50% of its brake"


def test_a_brake_is_never_passed_when_eight_workers_count_at_the_same_time(world):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: world.brakes.spend("services", "sweep 1", one(), BRAKE), range(64)))

    assert answers.count(None) == BRAKE.removals


def test_a_share_is_never_passed_when_eight_workers_count_at_the_same_time(world):
    brake = Brake(removals=1000, share=10)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: world.brakes.spend("s", "w", one((API, WEB)[n % 2]), brake), range(64)))

    assert answers.count(None) == 2 * brake.images_of(100)


def test_a_hold_lasts_until_it_is_released_and_the_first_one_is_kept(world):
    first = hold_of(world)
    assert world.brakes.holding("services") is None

    assert world.brakes.hold(first) == first
    assert world.brakes.hold(replace(first, subject=str(WEB), asked=3)) == first
    world.clock.pass_by(timedelta(days=400))
    assert world.brakes.holding("services") == first

    assert world.brakes.release("services", 0) == first
    assert world.brakes.holding("services") is None
    assert world.brakes.release("services", 0) is None


def test_it_is_known_whether_people_have_been_told_of_a_hold(world):
    world.brakes.hold(hold_of(world))
    before = world.brakes.holding("services")

    world.brakes.tell("services")
    world.brakes.tell("nobody")

    assert not before.is_told
    assert world.brakes.holding("services").is_told
    assert world.brakes.holding("nobody") is None


def test_every_hold_is_listed_by_rule(world):
    for rule in ("web", "api"):
        world.brakes.hold(hold_of(world, rule))

    assert [hold.rule for hold in world.brakes.holds()] == ["api", "web"]


def test_what_a_person_grants_may_be_taken_away_beyond_the_brake_once(world):
    sixty = Load(Weight(60))
    assert world.brakes.spend("services", "sweep 1", sixty, BRAKE) is not None

    world.brakes.release("services", 100)

    assert world.brakes.spend("other", "sweep 1", sixty, BRAKE) is not None
    assert world.brakes.spend("services", "sweep 1", sixty, BRAKE) is None
    assert world.brakes.spend("services", "sweep 2", sixty, BRAKE) == "60 removals, more than the 10 of its brake"
    assert world.brakes.spend("services", "sweep 2", Load(Weight(40)), BRAKE) is None
    assert world.brakes.spend("services", "sweep 2", Load(Weight(11)), BRAKE) is not None


def test_a_grant_is_over_after_a_day(world):
    world.brakes.release("services", 100)

    world.clock.pass_by(GRANT_LASTS)

    assert world.brakes.spend("services", "sweep 1", Load(Weight(60)), BRAKE) is not None
