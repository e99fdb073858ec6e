"""The contract of ``Brakes``: however many count at the same time, together they never pass a brake."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from ecr_steward.domain.brake import MANY, WEEK, Brake, Excess, Hold, Load, Weight
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.ports.brakes import GRANT_LASTS

API = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
WEB = replace(API, name="team-a/web")
BRAKE = Brake(removals=10, share=50)


def one(repository=API, there=100):
    """One image loses its tag."""
    return Load(Weight(1, 1, 1), str(repository), there, there)


def settings(number, about=API):
    """A plan about no image."""
    return Load(Weight(number), str(about))


def hold_of(world, rule="services"):
    return Hold(rule, str(API), 60, "60 removals, more than the 50 of its brake", world.clock.now)


def why(excess):
    return excess and excess.why


def test_removals_count_until_the_brake_and_the_reason_is_told_beyond_it(world):
    answers = [why(world.brakes.spend("services", "hour 1", one(), BRAKE)) for _ in range(11)]

    assert answers == [None] * 10 + ["1 removal after 10 before, more than the 10 of its brake"]


def test_nothing_is_counted_when_a_plan_is_too_much_by_itself(world):
    excess = world.brakes.spend("services", "hour 1", settings(11), BRAKE)

    assert excess == Excess("11 removals, more than the 10 of its brake")
    assert world.brakes.spend("services", "hour 1", settings(10), BRAKE) is None


def test_windows_and_rules_are_counted_each_by_itself(world):
    assert world.brakes.spend("services", "hour 1", settings(10), BRAKE) is None
    assert world.brakes.spend("services", "hour 2", settings(10), BRAKE) is None
    assert world.brakes.spend("other", "hour 1", settings(10), BRAKE) is None
    assert world.brakes.spend("services", "hour 1", one(), BRAKE) is not None


def test_a_repository_alone_is_held_when_it_alone_loses_too_much(world):
    """H4, B1 and B3: who may push to one repository kept a rule from all others."""
    assert world.brakes.spend("services", "hour 1", settings(11, WEB), BRAKE) == Excess(
        "11 removals, more than the 10 of its brake"
    )

    assert world.brakes.spend("services", "hour 1", settings(10), BRAKE) is None


def test_the_whole_rule_is_held_when_many_repositories_lose_something(world):
    places, brake = [replace(API, name=f"team-{number}/api") for number in range(MANY + 2)], Brake(removals=25)

    answers = [world.brakes.spend("services", "w", settings(7, place), brake) for place in places]

    together = "2 removals after 24 before from all repositories, 2 of each at most, more than the 25 of its brake"
    assert answers == [None] * 12
    assert world.brakes.spend("services", "w", settings(7), brake) == Excess(together, is_wide=True)
    assert world.brakes.spend("services", "w", settings(7, places[0]), brake) is None


def test_few_repositories_hold_no_other_whatever_they_lose(world):
    """H4: one repository took a rule's 50 removals, and any other that was to lose one image tag was held."""
    places = [replace(API, name=f"team-{number}/api") for number in range(MANY - 1)]
    for place in places:
        assert world.brakes.spend("services", "w", settings(50, place), Brake()) is None
        assert not world.brakes.spend("services", "w", settings(1, place), Brake()).is_wide

    assert world.brakes.spend("services", "w", one(), Brake()) is None


def test_what_a_repository_loses_step_by_step_counts_among_all_as_what_it_loses_at_once(world):
    brake = Brake(removals=100, share=100)
    for _ in range(30):
        assert world.brakes.spend("services", "w", settings(1, WEB), brake) is None
    for number in range(9):
        place = replace(API, name=f"team-{number}/api")
        assert world.brakes.spend("services", "w", settings(30, place), brake) is None

    assert world.brakes.spend("services", "w", one(), brake).is_wide


def test_the_whole_rule_is_held_when_many_repositories_are_held(world):
    places = [replace(API, name=f"team-{number}/api") for number in range(MANY)]

    answers = [world.brakes.spend("services", "w", settings(11, place), BRAKE).is_wide for place in places]

    assert answers == [False] * (MANY - 1) + [True]


def test_the_share_counts_by_repository_when_a_rule_is_about_several(world):
    def take(repository):
        load = Load(Weight(3, 3, 3), str(repository), 12, 12)
        return why(world.brakes.spend("services", "sweep 1", load, Brake(100, 50)))

    assert [take(API), take(WEB), take(API), take(WEB)] == [None] * 4
    assert take(API) == "3 tagged images after 6 before of 12, more than the 50% of its brake"
    assert world.brakes.spend("services", "sweep 1", settings(3), Brake(100, 50)) is None


@pytest.mark.parametrize("tagged", [0, 4])
def test_untagged_images_count_among_all_and_tagged_ones_among_the_tagged_too(world, tagged):
    load = Load(Weight(6, 6, tagged), str(API), images_there=40, tagged_there=8)

    first, second, third, fourth = (why(world.brakes.spend("r", "w", load, Brake(100, 50))) for _ in range(4))

    if tagged:  # four of eight, and then eight of eight
        assert first is None
        assert second == third == fourth == "4 tagged images after 4 before of 8, more than the 50% of its brake"
    else:
        assert [first, second, third] == [None] * 3
        assert fourth == "6 images after 18 before of 40, more than the 50% of its brake"


def test_a_repository_that_dwindles_day_by_day_is_held_within_a_week(world):
    """L1: five images a day are free, and the share counts what is left, so forty became none."""
    there, answers = 40, []
    for day in range(8):
        excess = world.brakes.spend("r", f"hour {day}", Load(Weight(5, 5, 5), str(API), there, there), Brake())
        answers.append(why(excess))
        there -= 0 if excess else 5
        world.clock.pass_by(timedelta(days=1) - timedelta(seconds=1))

    assert answers[:2] == [None, None]
    assert answers[2] == "5 tagged images after 10 before in a week that began with 40, more than the 25% of its brake"
    assert there >= 40 * 3 // 4 - 5


def test_what_goes_while_as_much_comes_is_no_erosion(world):
    for day in range(21):
        assert world.brakes.spend("r", f"hour {day}", Load(Weight(5, 5, 5), str(API), 20, 20), Brake()) is None
        world.clock.pass_by(timedelta(days=1))


def test_a_week_begins_anew_when_it_is_over(world):
    def take(there):
        return world.brakes.spend("r", str(there), Load(Weight(5, 5, 5), str(API), there, there), Brake())

    assert [take(40), take(35)] == [None, None]
    assert take(30) is not None
    world.clock.pass_by(WEEK)
    assert take(30) is None


@pytest.mark.slow
def test_a_brake_is_never_passed_when_eight_workers_count_at_the_same_time(world):
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: world.brakes.spend("services", "sweep 1", one(), BRAKE), range(64)))

    assert answers.count(None) == BRAKE.removals


@pytest.mark.slow
def test_a_share_is_never_passed_when_eight_workers_count_at_the_same_time(world):
    brake = Brake(removals=1000, share=10)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: world.brakes.spend("s", "w", one((API, WEB)[n % 2]), brake), range(64)))

    assert answers.count(None) == 2 * brake.images_of(100)


@pytest.mark.parametrize("is_wide", [False, True])
def test_a_hold_lasts_until_it_is_released_and_the_first_one_is_kept(world, is_wide):
    first = replace(hold_of(world), is_wide=is_wide)
    assert world.brakes.holding("services", str(API)) is None

    assert world.brakes.hold(first) == first
    assert world.brakes.hold(replace(first, asked=3)) == first
    world.clock.pass_by(timedelta(days=400))
    assert world.brakes.holding("services", str(API)) == first
    assert world.brakes.holding("services", str(WEB)) == (first if is_wide else None)

    assert world.brakes.release(first, 0)
    assert world.brakes.holding("services", str(API)) is None
    assert not world.brakes.release(first, 0)


def test_it_is_known_whether_people_have_been_told_of_a_hold(world):
    world.brakes.hold(hold_of(world))
    before = world.brakes.holding("services", str(API))

    world.brakes.tell(before)
    world.brakes.tell(hold_of(world, "nobody"))

    assert not before.is_told
    assert world.brakes.holding("services", str(API)).is_told
    assert world.brakes.holding("nobody", str(API)) is None


def test_every_hold_is_listed_by_rule(world):
    for rule in ("web", "api"):
        world.brakes.hold(hold_of(world, rule))
    world.brakes.hold(replace(hold_of(world, "web"), is_wide=True))

    listed = [(hold.rule, hold.is_wide) for hold in world.brakes.holds()]
    assert listed == [("api", False), ("web", True), ("web", False)]


def test_what_a_person_grants_may_be_taken_away_beyond_the_brake_once(world):
    held = hold_of(world)
    assert world.brakes.spend("services", "sweep 1", settings(60), BRAKE) is not None

    world.brakes.release(held, 100)

    assert world.brakes.spend("other", "sweep 1", settings(60), BRAKE) is not None
    assert world.brakes.spend("services", "sweep 1", settings(60, WEB), BRAKE) is not None
    assert world.brakes.spend("services", "sweep 1", settings(60), BRAKE) is None
    assert why(world.brakes.spend("services", "sweep 2", settings(60), BRAKE)) == (
        "60 removals, more than the 10 of its brake"
    )
    assert world.brakes.spend("services", "sweep 2", settings(40), BRAKE) is None
    assert world.brakes.spend("services", "sweep 2", settings(11), BRAKE) is not None


def test_what_is_granted_to_a_rule_may_be_taken_away_anywhere(world):
    world.brakes.release(replace(hold_of(world), is_wide=True), 100)

    assert world.brakes.spend("services", "sweep 1", settings(60), BRAKE) is None
    assert world.brakes.spend("services", "sweep 1", settings(40, WEB), BRAKE) is None
    assert world.brakes.spend("services", "sweep 1", settings(11), BRAKE) is not None


def test_a_grant_is_over_after_a_day(world):
    world.brakes.release(hold_of(world), 100)

    world.clock.pass_by(GRANT_LASTS)

    assert world.brakes.spend("services", "sweep 1", settings(60), BRAKE) is not None
