"""A hub with a thousand connected accounts: what it reads to know them, and what it cuts. 2 s for all."""

import pytest
from moto import mock_aws

from ecr_steward.adapters.connected_accounts import AnnouncedAccounts, NamedAccounts
from ecr_steward.adapters.memory import InMemoryRegistry, InMemorySweepParts, InMemorySweepQueue
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.adapters.state_announcements import StateAnnouncements
from ecr_steward.adapters.state_table import StateTable
from ecr_steward.domain.names import RegistryRef, RepositoryRef
from ecr_steward.domain.repositories import Repository
from ecr_steward.usecases.reconcile_registry import cut_sweep
from tests.given import aws
from tests.given.rules import HOME, SETTINGS, rulebook
from tests.tables import make_state_table

ACCOUNTS = [f"{222233334444 + number}" for number in range(1000)]


def test_a_thousand_accounts_are_known_by_one_reading_a_minute(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)  # moto answers for AWS's own endpoints only
    with mock_aws():
        clients = aws.clients()
        make_state_table(clients.dynamodb)
        announcements = StateAnnouncements(StateTable(clients, "state", noon), noon)
        for account in ACCOUNTS:
            announcements.note(RegistryRef(account, HOME.region))
        asked: list[str] = []
        clients.dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: asked.append(model.name))
        connected = AnnouncedAccounts(lambda: announcements, noon, NamedAccounts())

        assert all(connected.include(account) for account in ACCOUNTS)

    assert connected.all() == set(ACCOUNTS)
    assert asked == ["Query"]


def test_a_sweep_of_a_thousand_accounts_is_cut_into_a_part_for_each_whatever_one_of_them_refuses() -> None:
    homes = [HOME, *(RegistryRef(account, HOME.region) for account in ACCOUNTS)]
    registry = InMemoryRegistry([Repository(RepositoryRef(home, "team-a/api"), SETTINGS) for home in homes[:-1]])
    queue = InMemorySweepQueue()

    found = cut_sweep(
        homes,
        sweep="a-sweep",
        rules=rulebook(),
        registry=registry,
        queue=queue,
        under_way=InMemorySweepParts(),
        workers=16,
    )

    assert [part.registry for part in queue.parts][: len(homes) - 1] == homes[:-1]
    assert (found.repositories, found.failures) == (1000, ())
