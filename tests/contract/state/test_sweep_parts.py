"""The contract of ``SweepParts``."""

from dataclasses import replace
from datetime import timedelta

from ecr_steward.domain.names import RegistryRef
from ecr_steward.domain.sweeping import SweepPart
from tests.given.rules import AWAY, HOME

PART = SweepPart(HOME, ("team-a/api", "team-b/api"), "sweep-1")


def under_way(world, registry: RegistryRef = HOME, beside: str = "sweep-2"):
    return world.sweep_parts.under_way(registry, beside=beside)


def test_what_a_part_has_left_is_under_way_until_it_ends(world):
    world.sweep_parts.begin([PART, replace(PART, repositories=("team-c/api",), number="2")])
    assert under_way(world) == {"team-a/api", "team-b/api", "team-c/api"}

    world.sweep_parts.begin([replace(PART, repositories=("team-b/api",), hops=1)])
    assert under_way(world) == {"team-b/api", "team-c/api"}

    world.sweep_parts.end(PART)
    world.sweep_parts.end(PART)
    assert under_way(world) == {"team-c/api"}


def test_a_sweep_is_not_beside_itself(world):
    world.sweep_parts.begin([PART])

    assert under_way(world, beside=PART.sweep) == set()


def test_registries_have_parts_of_their_own(world):
    world.sweep_parts.begin([PART])

    assert under_way(world, AWAY) == set()


def test_a_part_is_forgotten_when_nothing_was_heard_of_it_for_hours(world):
    world.sweep_parts.begin([PART])

    world.clock.pass_by(timedelta(hours=2.9))
    assert under_way(world) == set(PART.repositories)
    world.clock.pass_by(timedelta(hours=0.2))
    assert under_way(world) == set()


def test_more_parts_are_under_way_than_one_request_takes(world):
    world.sweep_parts.begin(
        replace(PART, repositories=(f"team-{number}/api",), number=str(number)) for number in range(60)
    )

    assert len(under_way(world)) == 60
