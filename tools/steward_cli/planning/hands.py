"""What ``plan`` and ``apply`` read with and act with: the functions' own adapters, over a person's credentials.

The state of a deployed steward, its pause, brakes, journal and releases, is used where its table is known. Without one
the brake counts this run alone, and nothing is recorded: then ``undo`` knows of nothing.
"""

from dataclasses import dataclass, field

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.ecr_registry import EcrRegistry
from ecr_steward.adapters.ecr_registry_settings import EcrRegistrySettings
from ecr_steward.adapters.ecr_scans import EcrScans
from ecr_steward.adapters.registry_content import RegistryContent
from ecr_steward.adapters.state_brakes import StateBrakes
from ecr_steward.adapters.state_journal import StateJournal
from ecr_steward.adapters.state_releases import StateReleases
from ecr_steward.adapters.state_sightings import StateSightings
from ecr_steward.adapters.state_switch import StateSwitch
from ecr_steward.adapters.state_table import StateTable
from ecr_steward.domain.notices import Notice, ReplicationRequested
from ecr_steward.domain.rules import Rules
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.sweep_repository import Hands
from ecr_steward_fakes import FakeBrakes, FakeJournal, FakeReleases, FakeSwitch


class NobodyToTell:
    """A ``Notices``: whoever runs a command sees what it prints."""

    def publish(self, notice: Notice) -> None:
        """Nothing is told."""


@dataclass
class CopiesToMake:
    """A ``ReplicationQueue``: the copies that the command itself makes when the rest is done."""

    jobs: list[ReplicationRequested] = field(default_factory=list)

    def request(self, job: ReplicationRequested, delay_seconds: int = 0) -> None:
        """Keep a job, which waits for the rest anyway."""
        self.jobs.append(job)


def hands_of(
    clients: AwsClients, rules: Rules, copies: CopiesToMake, *, who: str, window: str, table: str | None
) -> Hands:
    """The hands of a command that ``who`` runs. ``table`` names the state of a deployed steward."""
    state = StateTable(clients, table, utc_now) if table else None
    registry = EcrRegistry(clients, StateReleases(state) if state else FakeReleases(utc_now))
    content, settings = RegistryContent(clients), EcrRegistrySettings(clients)
    applier = Applier(
        registry=registry,
        switch=StateSwitch(state, utc_now) if state else FakeSwitch(utc_now),
        brakes=StateBrakes(state, utc_now) if state else FakeBrakes(utc_now),
        journal=StateJournal(state, utc_now) if state else FakeJournal(utc_now),
        notices=NobodyToTell(),
        now=utc_now,
        who=who,
        brake_of=rules.brake_of,
        content=content,
        settings=settings,
        window=window,
    )
    return Hands(
        registry,
        content,
        EcrScans(clients),
        NobodyToTell(),
        copies,
        utc_now,
        applier,
        settings,
        sightings=StateSightings(state) if state else None,
        missed=StateSightings(state, "missed") if state else None,
        workloads=None,  # a person may see what runs in one account, and an image may run in any that is connected
    )
