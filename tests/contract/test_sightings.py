"""The contract of ``Sightings``: every test runs on the fake, and on the adapter in moto."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from moto import mock_aws

from ecr_steward.adapters import state_table
from ecr_steward.adapters.memory import InMemorySightings
from ecr_steward.adapters.state_sightings import StateSightings
from ecr_steward.adapters.state_table import StateTable
from ecr_steward.domain.names import Digest, RegistryRef, RepositoryRef, image_tag
from ecr_steward.domain.sightings import REMEMBERED, Sighting
from ecr_steward.ports.sightings import Sightings
from lab.clock import SettableClock
from tests.given import aws
from tests.tables import make_state_table

API = RepositoryRef(RegistryRef("111122223333", "us-east-1"), "team-a/api")
ABROAD = API.in_registry(RegistryRef("111122223333", "eu-west-1"))
ONE, TWO = Digest(f"sha256:{'1' * 64}"), Digest(f"sha256:{'2' * 64}")
PR = image_tag("pr-1")
MONDAY = datetime(2026, 11, 23, 12, 30, 15, 250_000, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(MONDAY)


@pytest.fixture(params=["fake", "adapter"])
def two_kinds(request: pytest.FixtureRequest, clock: SettableClock) -> Iterator[tuple[Sightings, Sightings]]:
    if request.param == "fake":
        yield InMemorySightings(now=clock), InMemorySightings(now=clock)
        return
    request.getfixturevalue("monkeypatch").delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        clients = aws.clients()
        make_state_table(clients.dynamodb)
        table = StateTable(clients, "state", clock)
        yield StateSightings(table), StateSightings(table, "missed")


@pytest.fixture
def sightings(two_kinds: tuple[Sightings, Sightings]) -> Sightings:
    return two_kinds[0]


def test_nothing_is_known_of_a_repository_that_nobody_has_looked_at(sightings: Sightings) -> None:
    assert sightings.seen(API) == {}


def test_sightings_of_one_kind_are_none_of_another(two_kinds: tuple[Sightings, Sightings]) -> None:
    sightings, missed = two_kinds

    missed.keep(API, {PR: Sighting.at(ONE, MONDAY)})

    assert sightings.seen(API) == {}
    assert missed.seen(API) == {PR: Sighting.at(ONE, MONDAY)}


def test_what_was_kept_is_known_of_its_repository_alone(sightings: Sightings) -> None:
    many = {image_tag(f"pr-{n}"): Sighting.at(ONE, MONDAY - n * HOUR) for n in range(2 * state_table.BATCH_SIZE + 1)}

    sightings.keep(API, many)

    assert sightings.seen(API) == many
    assert sightings.seen(API)[PR].kept_until - (MONDAY - HOUR + REMEMBERED) <= timedelta(seconds=1)
    assert sightings.seen(ABROAD) == {}


def test_what_is_kept_again_is_replaced(sightings: Sightings) -> None:
    sightings.keep(API, {PR: Sighting.at(ONE, MONDAY)})

    sightings.keep(API, {PR: Sighting.at(TWO, MONDAY - HOUR)})

    assert sightings.seen(API) == {PR: Sighting.at(TWO, MONDAY - HOUR)}


def test_what_is_forgotten_is_not_known_any_more(sightings: Sightings) -> None:
    sightings.keep(API, {PR: Sighting.at(ONE, MONDAY), image_tag("pr-2"): Sighting.at(ONE, MONDAY)})

    sightings.forget(API, {PR, image_tag("never-known")})

    assert sightings.seen(API).keys() == {"pr-2"}


def test_a_push_starts_the_clock_of_a_tag_that_nobody_knew(sightings: Sightings) -> None:
    sightings.restart(API, PR, ONE, MONDAY)

    assert sightings.seen(API) == {PR: Sighting.at(ONE, MONDAY)}


def test_a_push_starts_the_clock_anew_although_the_tag_stays_where_it_is(sightings: Sightings) -> None:
    sightings.keep(API, {PR: Sighting.at(ONE, MONDAY - 10 * DAY)})

    sightings.restart(API, PR, ONE, MONDAY)

    assert sightings.seen(API) == {PR: Sighting.at(ONE, MONDAY)}


def test_an_event_that_comes_late_does_not_put_the_clock_back(sightings: Sightings) -> None:
    sightings.restart(API, PR, TWO, MONDAY)

    sightings.restart(API, PR, ONE, MONDAY - timedelta(milliseconds=1))
    sightings.restart(API, PR, ONE, MONDAY - DAY)

    assert sightings.seen(API) == {PR: Sighting.at(TWO, MONDAY)}


def test_what_nobody_renews_is_forgotten_in_the_end(sightings: Sightings, clock: SettableClock) -> None:
    sightings.restart(API, PR, ONE, MONDAY)

    clock.now = MONDAY + REMEMBERED - timedelta(seconds=2)
    assert sightings.seen(API).keys() == {PR}
    clock.now = MONDAY + REMEMBERED + timedelta(seconds=2)
    assert sightings.seen(API) == {}
