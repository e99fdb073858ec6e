"""The contract of ``StartedBackfills``: every test runs on the fake and on the adapter."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ecr_steward.domain.backfills import StartedBackfill
from ecr_steward.domain.names import RegistryRef

HERE, ELSEWHERE = RegistryRef("111122223333", "us-east-1"), RegistryRef("222233334444", "us-east-1")
ABROAD, THIRD = RegistryRef("111122223333", "eu-west-1"), RegistryRef("222233334444", "eu-central-1")
AT = datetime(2026, 11, 26, 4, 15, 30, 250_125, tzinfo=UTC)
FIRST = StartedBackfill("12345678-1234-1234-1234-123456789012", frozenset({"prod/", "team-"}), AT)
SECOND = StartedBackfill("22345678-1234-1234-1234-123456789012", frozenset({""}), AT + timedelta(days=1))


def test_nothing_is_noted_of_a_registry_at_first(world: Any) -> None:
    assert world.started_backfills.of(HERE) == {}


def test_a_backfill_is_read_as_it_was_noted_for_each_destination_of_its_registry(world: Any) -> None:
    notes = world.started_backfills

    notes.keep(HERE, ABROAD, FIRST)
    notes.keep(HERE, THIRD, SECOND)
    notes.keep(ELSEWHERE, ABROAD, SECOND)

    assert notes.of(HERE) == {ABROAD: FIRST, THIRD: SECOND}
    assert notes.of(ELSEWHERE) == {ABROAD: SECOND}


def test_the_last_backfill_to_a_destination_is_kept(world: Any) -> None:
    notes = world.started_backfills
    notes.keep(HERE, ABROAD, FIRST)

    notes.keep(HERE, ABROAD, SECOND)

    assert notes.of(HERE) == {ABROAD: SECOND}


def test_a_note_is_void_when_it_is_forgotten_and_no_other(world: Any) -> None:
    notes = world.started_backfills
    notes.keep(HERE, ABROAD, FIRST)
    notes.keep(HERE, THIRD, SECOND)

    for _ in range(2):
        notes.forget(HERE, ABROAD)

    assert notes.of(HERE) == {THIRD: SECOND}


def test_a_note_is_kept_however_long_ago_it_was(world: Any) -> None:
    notes = world.started_backfills
    notes.keep(HERE, ABROAD, FIRST)

    world.clock.pass_by(timedelta(days=1000))

    assert notes.of(HERE) == {ABROAD: FIRST}
