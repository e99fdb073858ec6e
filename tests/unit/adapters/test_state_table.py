from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from moto import mock_aws

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.state_leases import StateLeases
from ecr_steward.adapters.state_table import Item, Key, StateTable
from ecr_steward.errors import RefusedByRegistryError
from lab.clock import SettableClock
from tests.given import aws
from tests.tables import make_state_table

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
KEY = Key("thing", "one")


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOW)


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsClients]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)  # moto answers for AWS's own endpoints only
    with mock_aws():
        clients = aws.clients()
        make_state_table(clients.dynamodb)
        yield clients


@pytest.fixture
def table(clock: SettableClock, clients: AwsClients) -> StateTable:
    return StateTable(clients, "state", clock)


@pytest.fixture
def lose_an_answer(clients: AwsClients) -> Callable[[], None]:
    """Have botocore take the next PutItem for one whose answer was lost, although it was done."""

    def lose() -> None:
        losses = [0]  # after so many seconds it is made again
        clients.dynamodb.meta.events.register_first(
            "needs-retry.dynamodb.PutItem", lambda **_: losses.pop() if losses else None
        )

    return lose


def test_an_item_is_read_as_it_was_written(table: StateTable) -> None:
    item = Item(
        KEY,
        {"text": "ä", "number": 7, "yes": True, "none": None, "list": ["a", "b"], "bytes": b"\x00"},
        NOW + timedelta(days=1),
    )

    table.put(item)

    assert table.get(KEY) == item
    assert table.get(Key("thing", "other")) is None


def test_an_item_is_not_seen_when_it_has_expired_though_it_is_there(table: StateTable, clock: SettableClock) -> None:
    table.put(Item(KEY, {"n": 1}, NOW + timedelta(hours=1)))
    table.put(Item(Key("thing", "two"), {"n": 2}))

    clock.now += timedelta(hours=1)

    assert table.get(KEY) is None
    assert [item.key.sk for item in table.query("thing")] == ["two"]
    assert not table.delete(KEY)


def test_a_new_item_is_written_once_when_two_try_and_again_when_it_has_expired(
    table: StateTable, clock: SettableClock
) -> None:
    first, second = (Item(KEY, {"who": who}, NOW + timedelta(hours=1)) for who in ("first", "second"))

    assert [table.put_new(first), table.put_new(second)] == [True, False]
    assert table.get(KEY) == first

    clock.now += timedelta(hours=1)
    assert table.put_new(Item(KEY, {"who": "third"}))
    assert table.get(KEY) == Item(KEY, {"who": "third"})


def test_all_pages_of_a_partition_are_read_in_order_and_only_those_that_begin_so(table: StateTable) -> None:
    large = "x" * 300_000  # a page of Query holds 1 MB
    table.put_all(Item(Key("thing", f"a{n:02}"), {"text": large}) for n in range(30))
    table.put_all([Item(Key("thing", "b"), {}), Item(Key("other", "a99"), {})])

    names = [f"a{n:02}" for n in range(30)]
    assert [item.key.sk for item in table.query("thing", "a")] == names
    assert [item.key.sk for item in table.query("thing", newest_first=True)] == ["b", *reversed(names)]


def test_attributes_change_only_where_the_item_is(table: StateTable) -> None:
    table.put(Item(KEY, {"state": "intended", "why": "so"}))

    assert table.set(KEY, {"state": "done"})
    assert not table.set(Key("thing", "other"), {"state": "done"})
    assert table.get(KEY) == Item(KEY, {"state": "done", "why": "so"})
    assert table.get(Key("thing", "other")) is None


def test_numbers_rise_all_together_or_not_at_all_when_one_would_pass_its_limit(table: StateTable) -> None:
    assert table.add(KEY, {"all": 3, "one": 3}, at_most={"all": 5, "one": 3}, expires_at=NOW + timedelta(hours=1))
    assert not table.add(KEY, {"all": 1, "one": 1}, at_most={"all": 5, "one": 3})
    assert table.add(KEY, {"all": 2, "other": 2}, at_most={"all": 5, "other": 2})
    assert not table.add(Key("thing", "two"), {"all": 6}, at_most={"all": 5})

    assert table.get(KEY) == Item(KEY, {"all": 5, "one": 3, "other": 2}, NOW + timedelta(hours=1))
    assert table.get(Key("thing", "two")) is None


def test_the_table_is_named_when_it_is_not_there(table: StateTable) -> None:
    elsewhere = StateTable(table._clients, "gone", table._now)

    with pytest.raises(RefusedByRegistryError, match="dynamodb:GetItem on gone: ResourceNotFoundException"):
        elsewhere.get(KEY)


def test_an_item_is_replaced_only_by_one_with_a_higher_number(table: StateTable) -> None:
    def put(number: int) -> bool:
        return table.put_later(Item(KEY, {"at": number, "text": f"of {number}"}), "at")

    assert put(5)
    assert not put(4)
    assert not put(5)
    assert put(6)

    assert table.get(KEY) == Item(KEY, {"at": 6, "text": "of 6"})


def test_a_lease_is_ours_when_the_answer_was_lost_and_the_call_was_made_again(
    table: StateTable, clock: SettableClock, lose_an_answer: Callable[[], None]
) -> None:
    leases = StateLeases(table, clock)
    lose_an_answer()

    lease = leases.take("an image", 60)

    assert lease is not None
    assert leases.take("an image", 60) is None
    leases.give_back("an image", lease)
    assert leases.take("an image", 60) is not None


def test_a_lease_is_anothers_when_the_answer_that_says_so_was_lost(
    table: StateTable, clock: SettableClock, lose_an_answer: Callable[[], None]
) -> None:
    leases = StateLeases(table, clock)
    leases.take("an image", 60)
    lose_an_answer()

    assert leases.take("an image", 60) is None
