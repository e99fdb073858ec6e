"""Worlds for the contracts of what the steward remembers: on the fakes, and on the adapters over a table in moto."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Protocol

import pytest
from botocore.session import Session
from moto import mock_aws

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.memory import (
    InMemoryAnnouncements,
    InMemoryBrakes,
    InMemoryContents,
    InMemoryJournal,
    InMemoryLeases,
    InMemoryOwnTags,
    InMemoryReleases,
    InMemoryRevisions,
    InMemoryRuleSets,
    InMemorySeenSettings,
    InMemoryStartedBackfills,
    InMemorySweepParts,
    InMemorySwitch,
    InMemoryVerdicts,
)
from ecr_steward.adapters.state_announcements import StateAnnouncements
from ecr_steward.adapters.state_backfills import StateBackfills
from ecr_steward.adapters.state_brakes import StateBrakes
from ecr_steward.adapters.state_contents import StateContents
from ecr_steward.adapters.state_journal import StateJournal
from ecr_steward.adapters.state_leases import StateLeases
from ecr_steward.adapters.state_own_tags import StateOwnTags
from ecr_steward.adapters.state_releases import StateReleases
from ecr_steward.adapters.state_revisions import StateRevisions
from ecr_steward.adapters.state_rule_sets import StateRuleSets
from ecr_steward.adapters.state_seen_settings import StateSeenSettings
from ecr_steward.adapters.state_sweep_parts import StateSweepParts
from ecr_steward.adapters.state_switch import StateSwitch
from ecr_steward.adapters.state_table import StateTable
from ecr_steward.adapters.state_verdicts import StateVerdicts
from ecr_steward.domain.pause import Pause
from ecr_steward.ports.accounts import Announcements
from ecr_steward.ports.backfills import StartedBackfills
from ecr_steward.ports.brakes import Brakes
from ecr_steward.ports.contents import Contents
from ecr_steward.ports.journal import Journal
from ecr_steward.ports.leases import Leases
from ecr_steward.ports.own_tags import OwnTags
from ecr_steward.ports.releases import Releases
from ecr_steward.ports.revisions import Revisions
from ecr_steward.ports.rule_sets import RuleSets
from ecr_steward.ports.seen_settings import SeenSettings
from ecr_steward.ports.sweep_parts import SweepParts
from ecr_steward.ports.switch import Switch
from ecr_steward.ports.verdicts import Verdicts
from lab.clock import SettableClock
from tests.tables import make_state_table


class Clock(SettableClock):
    """A clock that a test moves."""

    def __init__(self) -> None:
        super().__init__(datetime(2026, 11, 26, 4, 15, 30, 250_000, tzinfo=UTC))

    def pass_by(self, time: timedelta) -> None:
        self.now += time


class World(Protocol):
    """The ports over one memory."""

    clock: Clock

    @property
    def switch(self) -> Switch: ...
    @property
    def brakes(self) -> Brakes: ...
    @property
    def journal(self) -> Journal: ...
    @property
    def releases(self) -> Releases: ...
    @property
    def leases(self) -> Leases: ...
    @property
    def started_backfills(self) -> StartedBackfills: ...
    @property
    def rule_sets(self) -> RuleSets: ...
    @property
    def verdicts(self) -> Verdicts: ...
    @property
    def revisions(self) -> Revisions: ...
    @property
    def own_tags(self) -> OwnTags: ...
    @property
    def seen_settings(self) -> SeenSettings: ...
    @property
    def contents(self) -> Contents: ...
    @property
    def sweep_parts(self) -> SweepParts: ...
    @property
    def announcements(self) -> Announcements: ...
    def turn_elsewhere(self, pause: Pause | None) -> None:
        """Have somebody else turn the switch, by another process."""
        ...


class FakeWorld:
    def __init__(self) -> None:
        self.clock = Clock()
        self.switch = InMemorySwitch(self.clock)
        self.brakes = InMemoryBrakes(self.clock)
        self.journal = InMemoryJournal(self.clock)
        self.releases = InMemoryReleases(self.clock)
        self.leases = InMemoryLeases(self.clock)
        self.started_backfills = InMemoryStartedBackfills()
        self.rule_sets = InMemoryRuleSets()
        self.verdicts = InMemoryVerdicts()
        self.own_tags = InMemoryOwnTags(self.clock)
        self.seen_settings = InMemorySeenSettings(self.clock)
        self.sweep_parts = InMemorySweepParts(self.clock)
        self.contents = InMemoryContents()
        self.revisions = InMemoryRevisions()
        self.announcements = InMemoryAnnouncements(self.clock)

    def turn_elsewhere(self, pause: Pause | None) -> None:
        self.switch.elsewhere = pause


class TableWorld:
    def __init__(self, session: Session) -> None:
        self.clock = Clock()
        clients = AwsClients(session=session)
        make_state_table(clients.dynamodb)
        _make_atomic(clients)
        table = StateTable(clients, "state", self.clock)
        self.switch = StateSwitch(table, self.clock)
        self.brakes = StateBrakes(table, self.clock)
        self.journal = StateJournal(table, self.clock)
        self.releases = StateReleases(table)
        self.leases = StateLeases(table, self.clock)
        self.started_backfills = StateBackfills(table)
        self.rule_sets = StateRuleSets(table)
        self.verdicts = StateVerdicts(table)
        self.own_tags = StateOwnTags(table)
        self.seen_settings = StateSeenSettings(table, "apply")
        self.sweep_parts = StateSweepParts(table, self.clock)
        self.contents = StateContents(table, self.clock)
        self.revisions = StateRevisions(table, self.clock)
        self.announcements = StateAnnouncements(table, self.clock)
        self._other = StateSwitch(table, self.clock)

    def turn_elsewhere(self, pause: Pause | None) -> None:
        if pause:
            self._other.pause(pause)
        else:
            self._other.resume()


def _make_atomic(clients: AwsClients) -> None:
    """Let moto do one call of DynamoDB at a time: it forgets that other threads may write what it has just read."""
    lock = Lock()
    events = clients.dynamodb.meta.events
    events.register("before-call.dynamodb", lambda **_: lock.acquire() and None)
    for end in ("after-call.dynamodb", "after-call-error.dynamodb"):
        events.register(end, lambda **_: lock.release())


@pytest.fixture(params=["fake", "adapter"])
def world(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, session: Session) -> Iterator[World]:
    if request.param == "fake":
        yield FakeWorld()
        return
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)  # moto answers for AWS's own endpoints only
    with mock_aws():
        yield TableWorld(session)
