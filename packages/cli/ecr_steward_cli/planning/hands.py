"""What ``plan`` and ``apply`` read with and act with: the functions' own adapters, over a person's credentials.

The state of a deployed steward, its pause, brakes, journal and releases, is used where its table is known. Without one
the brake counts this run alone, and nothing is recorded: then ``undo`` knows of nothing.
"""

# ruff: noqa: PLC0415 - what speaks to a state table takes boto3 along, which takes long to import

from dataclasses import dataclass, field

from ecr_steward.adapters.clients import AwsClients
from ecr_steward.adapters.clock import utc_now
from ecr_steward.adapters.ecr_backfills import EcrBackfills
from ecr_steward.adapters.ecr_registry import EcrRegistry
from ecr_steward.adapters.ecr_registry_settings import EcrRegistrySettings
from ecr_steward.adapters.ecr_scans import EcrScans
from ecr_steward.adapters.memory import InMemoryBrakes, InMemoryJournal, InMemoryReleases, InMemorySwitch
from ecr_steward.adapters.registry_content import RegistryContent
from ecr_steward.domain.notices import Notice, ReplicationRequested
from ecr_steward.domain.rules import Rules
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.backfilling import Backfilling
from ecr_steward.usecases.sweep_repository import Hands
from ecr_steward_cli.planning.state import State


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
    state = _deployed(clients, table) if table else _of_this_run()
    registry = EcrRegistry(clients, state.releases)
    content, settings = RegistryContent(clients), EcrRegistrySettings(clients)
    applier = Applier(
        registry=registry,
        switch=state.switch,
        brakes=state.brakes,
        journal=state.journal,
        notices=NobodyToTell(),
        now=utc_now,
        who=who,
        brake_of=rules.brake_of,
        content=content,
        settings=settings,
        backfilling=Backfilling(utc_now, EcrBackfills(clients), state.started_backfills),
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
        sightings=state.sightings,
        missed=state.missed,  # without the stack's schedule: what is first missed now may begin anew in its next sweep
        workloads=None,  # a person may see what runs in one account, and an image may run in any that is connected
    )


def _of_this_run() -> State:
    return State(InMemoryReleases(utc_now), InMemorySwitch(utc_now), InMemoryBrakes(utc_now), InMemoryJournal(utc_now))


def _deployed(clients: AwsClients, table: str) -> State:
    from ecr_steward_cli.planning.deployed_state import deployed_state

    return deployed_state(clients, table)
