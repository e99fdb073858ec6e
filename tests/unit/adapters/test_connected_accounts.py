"""Which accounts are connected: those of a list, those that announce themselves, or both."""

from datetime import timedelta

import pytest

from ecr_steward.adapters.connected_accounts import AnnouncedAccounts, NamedAccounts
from ecr_steward.adapters.memory import InMemoryAnnouncements
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.adapters.roles import Accounts
from ecr_steward.domain.names import RegistryRef
from ecr_steward.errors import AccountNotConnectedError
from lab.clock import SettableClock

HOME, TWO, THREE = (RegistryRef(account * 3, "us-east-1") for account in ("1111", "2222", "3333"))
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(noon())


@pytest.fixture
def announcements(clock: SettableClock) -> InMemoryAnnouncements:
    return InMemoryAnnouncements(clock)


@pytest.fixture
def connected(announcements: InMemoryAnnouncements, clock: SettableClock) -> AnnouncedAccounts:
    return AnnouncedAccounts(lambda: announcements, clock, NamedAccounts(frozenset({TWO.account})))


def test_those_of_the_list_are_connected_and_those_that_announce_themselves(
    connected: AnnouncedAccounts, announcements: InMemoryAnnouncements
) -> None:
    announcements.note(THREE)

    assert connected.all() == {TWO.account, THREE.account}


def test_they_are_read_once_a_minute(
    connected: AnnouncedAccounts, announcements: InMemoryAnnouncements, clock: SettableClock
) -> None:
    connected.all()
    announcements.note(THREE)

    clock.now += MINUTE - timedelta(seconds=1)
    assert connected.all() == {TWO.account}
    clock.now += timedelta(seconds=1)

    assert connected.all() == {TWO.account, THREE.account}
    assert announcements.calls.entries.count(("noted", ("",))) == 2


def test_an_account_that_is_not_known_is_looked_for_again(
    connected: AnnouncedAccounts, announcements: InMemoryAnnouncements
) -> None:
    connected.all()
    assert not connected.include(THREE.account)

    announcements.note(THREE)

    assert connected.include(THREE.account)


def test_what_connects_an_account_is_said_where_one_is_not_connected(connected: AnnouncedAccounts) -> None:
    accounts = Accounts(HOME.account, connected, external_id="the-external-id")

    assert accounts.role_for(TWO) is not None
    with pytest.raises(AccountNotConnectedError, match="SpokeOrganization names announces itself within five"):
        accounts.role_for(THREE)
    with pytest.raises(AccountNotConnectedError, match="Name it in the template's parameter SpokeAccounts"):
        Accounts(HOME.account).role_for(THREE)
