"""The contract of ``Leases``."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

WHAT = "sha256:aa to 111122223333/eu-west-1/team-a/api"


def test_one_of_many_gets_a_lease_when_all_ask_at_once(world):
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: world.leases.take(WHAT, 60), range(8)))

    assert sum(lease is not None for lease in found) == 1
    assert world.leases.take("something else", 60) is not None


def test_a_lease_is_free_again_when_it_was_given_back(world):
    lease = world.leases.take(WHAT, 60)
    world.leases.give_back(WHAT, lease)
    world.leases.give_back(WHAT, lease)

    assert world.leases.take(WHAT, 60) is not None


def test_a_lease_ends_by_itself_when_whoever_had_it_was_killed(world):
    world.leases.take(WHAT, 60)

    world.clock.pass_by(timedelta(seconds=58))
    assert world.leases.take(WHAT, 60) is None
    world.clock.pass_by(timedelta(seconds=3))
    assert world.leases.take(WHAT, 60) is not None


def test_the_lease_of_another_stays_when_one_that_has_ended_is_given_back(world):
    late = world.leases.take(WHAT, 60)
    world.clock.pass_by(timedelta(seconds=61))
    world.leases.take(WHAT, 60)

    world.leases.give_back(WHAT, late)

    assert world.leases.take(WHAT, 60) is None
