"""What a sweep does although an event should have had it done long before is counted, and nothing else."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecr_steward.adapters.memory import InMemoryNotices, InMemoryReplicationQueue
from ecr_steward.adapters.memory.clock import NOON
from ecr_steward.domain.missed_events import OF_A_COPY, OF_A_JOB, Unanswered
from ecr_steward.domain.names import Digest
from ecr_steward.domain.outcome import SweepOutcome
from ecr_steward.domain.repositories import Repository
from ecr_steward.domain.rules import Mode, Rules
from ecr_steward.usecases.reconcile_registry import reconcile_registry
from ecr_steward.usecases.sweep_repository import sweep_repository
from tests.given.rules import API, HOME, rulebook
from tests.given.worlds import World, hands_of, manifest, world

IMAGE = manifest("image")
HOUR = timedelta(hours=1)


def pushed(ago: timedelta) -> World:
    """A version that was pushed so long before noon, and whose aliases and copies are missing."""
    there = world([IMAGE], {"1.4.2": IMAGE})
    for image in there.images:
        there.registry.restore(replace(there.registry.images(API).images[image.digest], pushed_at=NOON - ago))
    return there


def swept(there: World, rules: Rules, *, is_dry: bool = False) -> SweepOutcome:
    hands = hands_of(there, InMemoryNotices(), InMemoryReplicationQueue())
    return reconcile_registry([HOME], rules=rules, hands=replace(hands, is_dry=is_dry))


@pytest.mark.parametrize(
    ("ago", "missed"),
    [
        (timedelta(minutes=5), 0),  # its event may be on its way
        (timedelta(minutes=16), 1),  # the aliases
        (timedelta(minutes=70), 2),  # and the copy
        (timedelta(minutes=110), 1),  # the copy alone: the last sweep has looked at the tags
        (timedelta(hours=3), 0),  # all is older than that sweep
    ],
)
def test_a_push_counts_when_its_event_is_overdue_and_no_sweep_has_come_since(ago: timedelta, missed: int) -> None:
    found = swept(pushed(ago), rulebook())

    assert len(found.missed) == missed
    assert {each.what for each in found.missed} <= {"pushed"}


def test_what_was_missed_names_the_image_and_when_it_was_pushed() -> None:
    (found,) = swept(pushed(timedelta(minutes=20)), rulebook()).missed

    assert str(found) == f"{API}@{IMAGE.digest}, pushed {(NOON - timedelta(minutes=20)).isoformat()}"


def test_nothing_was_missed_when_there_is_nothing_to_do() -> None:
    there = pushed(timedelta(minutes=20))
    swept(there, rulebook())

    assert swept(there, rulebook()).missed == ()


@pytest.mark.parametrize(("mode", "is_dry"), [(Mode.OBSERVE, False), (Mode.ENFORCE, True)])
def test_nothing_was_missed_when_nothing_is_done(mode: Mode, is_dry: bool) -> None:
    assert swept(pushed(timedelta(minutes=70)), rulebook(mode=mode), is_dry=is_dry).missed == ()


@pytest.mark.parametrize(("ago", "missed"), [(timedelta(minutes=5), 0), (timedelta(minutes=30), 1), (2 * HOUR, 0)])
def test_a_new_repository_counts_when_its_settings_are_put_by_the_sweep(ago: timedelta, missed: int) -> None:
    there = world([], {})
    there.registry.change_settings(API, scan_on_push=False)
    hands = hands_of(there, InMemoryNotices(), InMemoryReplicationQueue())
    new = replace(Repository.unread(API), created_at=NOON - ago)

    found, again = (sweep_repository(new, rulebook(), hands) for _ in range(2))

    assert [each.what for each in found.events_missed] == ["created"] * missed
    assert again.events_missed == []


moments = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2026, 1, 3), timezones=st.just(NOON.tzinfo))


@given(first=moments, minutes=st.integers(5, 24 * 60), moment=moments)
def test_each_moment_is_looked_at_by_exactly_one_of_the_sweeps_that_follow_each_other(
    first: datetime, minutes: int, moment: datetime
) -> None:
    every = timedelta(minutes=minutes)
    sweeps = [first + n * every for n in range(20)]

    holding = [now for now in sweeps if Unanswered.at(now, every, OF_A_JOB).holds(moment)]

    is_within = sweeps[0] - OF_A_JOB - every < moment <= sweeps[-1] - OF_A_JOB
    assert len(holding) == is_within


def test_what_never_happened_was_not_missed() -> None:
    overdue, images = Unanswered.at(NOON, HOUR, OF_A_COPY), world([], {}).registry.images(API)

    assert not overdue.holds(None)
    assert list(overdue.pushes([Digest(f"sha256:{'0' * 64}")], images)) == []
