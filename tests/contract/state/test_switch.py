"""The contract of ``Switch``."""

from datetime import timedelta

from ecr_steward.domain.pause import Pause
from ecr_steward.ports.switch import REMEMBERED_SECONDS


def pause_of(world, why="a storm of deletions"):
    return Pause("arn:aws:iam::111122223333:user/ana", why, world.clock.now)


def test_nothing_is_paused_when_nobody_has_paused_anything(world):
    assert world.switch.paused() is None


def test_who_paused_why_and_since_when_is_told_at_once_by_the_one_who_did(world):
    assert world.switch.paused() is None
    pause = pause_of(world)

    world.switch.pause(pause)

    assert world.switch.paused() == pause
    assert str(pause) == (
        "paused by arn:aws:iam::111122223333:user/ana since 2026-11-26 04:15 UTC: a storm of deletions"
    )


def test_the_latest_pause_counts_when_there_are_two(world):
    world.switch.pause(pause_of(world, "first"))
    world.switch.pause(pause_of(world, "second"))

    assert world.switch.paused() == pause_of(world, "second")


def test_a_pause_holds_within_half_a_minute_when_somebody_else_turns_the_switch(world):
    assert world.switch.paused() is None
    pause = pause_of(world)
    world.turn_elsewhere(pause)

    world.clock.pass_by(timedelta(seconds=REMEMBERED_SECONDS))

    assert world.switch.paused() == pause


def test_an_answer_is_remembered_for_a_while_and_so_is_the_end_of_a_pause(world):
    world.turn_elsewhere(pause_of(world))
    before = world.switch.paused()
    world.turn_elsewhere(None)

    world.clock.pass_by(timedelta(seconds=REMEMBERED_SECONDS - 1))
    remembered = world.switch.paused()
    world.clock.pass_by(timedelta(seconds=1))

    assert before == remembered
    assert before is not None
    assert world.switch.paused() is None


def test_the_pause_that_has_ended_is_told_when_it_is_resumed_and_none_when_there_was_none(world):
    pause = pause_of(world)
    world.switch.pause(pause)

    assert world.switch.resume() == pause
    assert world.switch.resume() is None
    assert world.switch.paused() is None
