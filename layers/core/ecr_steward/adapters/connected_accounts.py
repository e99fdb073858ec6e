"""The ``ConnectedAccounts`` port: the accounts of a list, and those that announce themselves beside them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from ecr_steward.ports.accounts import Announcements
from ecr_steward.ports.clock import Clock

REMEMBERED: Final = timedelta(minutes=1)
"""How long a process believes what it has read."""


@dataclass(frozen=True)
class NamedAccounts:
    """A ``ConnectedAccounts``: the template's parameter SpokeAccounts."""

    accounts: frozenset[str] = frozenset()

    how: str = "Name it in the template's parameter SpokeAccounts and deploy spoke.yaml there"

    def all(self) -> frozenset[str]:
        return self.accounts

    def include(self, account: str) -> bool:
        return account in self.accounts


NO_ACCOUNTS: Final = NamedAccounts()


class AnnouncedAccounts:
    """A ``ConnectedAccounts``: what is noted of self-checks. Safe to use from several threads."""

    how: Final = (
        "Deploy spoke.yaml there: an account of the organization that the template's parameter SpokeOrganization names "
        "announces itself within five minutes"
    )

    def __init__(self, announcements: Callable[[], Announcements], now: Clock, named: NamedAccounts) -> None:
        """``named`` are connected, announced or not. ``announcements`` is called when they are read."""
        self._announcements = announcements
        self._now = now
        self._named = named
        self._read: tuple[datetime, frozenset[str]] | None = None

    def all(self) -> frozenset[str]:
        now = self._now()
        if self._read is None or not timedelta() <= now - self._read[0] < REMEMBERED:
            announced = (each.registry.account for each in self._announcements().noted())
            self._read = now, self._named.accounts.union(announced)
        return self._read[1]

    def include(self, account: str) -> bool:
        return account in self.all() or bool(self._announcements().noted(account))
