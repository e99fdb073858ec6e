from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from ecr_steward import bootstrap, entry
from ecr_steward.bootstrap import App
from ecr_steward.events.sweep_part import encode_part
from ecr_steward_fakes import (
    FakeBrakes,
    FakeFailureQueue,
    FakeJournal,
    FakeLeases,
    FakeLogins,
    FakeNotices,
    FakeRegistrySettings,
    FakeReplicationQueue,
    FakeSecrets,
    FakeSightings,
    FakeSourceQueue,
    FakeSweepQueue,
    FakeSwitch,
    FakeWorkloads,
)
from ecr_steward_fakes.messages import batch_of
from ecr_steward_fakes.rules import noon, rulebook
from ecr_steward_fakes.worlds import World
from functions.reconcile_registry.app import lambda_handler as reconcile_registry


@dataclass
class FakeContext:
    """What a handler reads of its Lambda context."""

    function_name: str = "a-function"
    aws_request_id: str = "8a1b2c3d-0000-0000-0000-000000000000"
    seconds_left: float = 900.0

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds_left * 1000)


@dataclass
class House:
    """The fakes that a handler finds behind ``bootstrap``."""

    notices: FakeNotices = field(default_factory=FakeNotices)
    queue: FakeReplicationQueue = field(default_factory=FakeReplicationQueue)
    parts: FakeSweepQueue = field(default_factory=FakeSweepQueue)
    switch: FakeSwitch = field(default_factory=FakeSwitch)
    brakes: FakeBrakes = field(default_factory=FakeBrakes)
    journal: FakeJournal = field(default_factory=FakeJournal)
    source: FakeSourceQueue = field(default_factory=FakeSourceQueue)
    failures: FakeFailureQueue = field(default_factory=FakeFailureQueue)
    sightings: FakeSightings = field(default_factory=FakeSightings)
    workloads: FakeWorkloads = field(default_factory=FakeWorkloads)


@pytest.fixture
def context() -> FakeContext:
    return FakeContext()


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> House:
    house = House()
    monkeypatch.setattr(bootstrap, "failure_queue", lambda: house.failures)
    monkeypatch.setattr(bootstrap, "replication_queue", lambda: house.queue)
    monkeypatch.setattr(bootstrap, "source_queue", lambda: house.source)
    # Loggers live as long as the process and write to the stdout that was there first: each test has one of its own.
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", request.node.name)
    entry._logger.cache_clear()
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Test")
    return house


@pytest.fixture
def move_in(house: House, monkeypatch: pytest.MonkeyPatch) -> Callable[[World], None]:
    """Let handlers find a world behind ``bootstrap.app``."""

    def move_in(world: World, **changes: Any) -> None:
        app = App(
            rules=rulebook(**changes),
            registry=world.registry,
            registry_settings=FakeRegistrySettings(),
            content=world.content,
            notices=house.notices,
            queue=house.queue,
            sweep_queue=house.parts,
            scans=world.scans,
            logins=FakeLogins(noon),
            secrets=FakeSecrets(noon),
            now=noon,
            switch=house.switch,
            brakes=house.brakes,
            journal=house.journal,
            leases=FakeLeases(),
            who="a-function",
            sightings=house.sightings,
            workloads=house.workloads,
        )
        monkeypatch.setattr(bootstrap, "app", lambda: app)

    return move_in


@pytest.fixture
def sweep(house: House, context: FakeContext, load_event: Callable[[str], Any]) -> Callable[[], None]:
    """Let the schedule of the sweep come due, and its queue deliver the parts until none is left."""

    def sweep() -> None:
        reconcile_registry(load_event("schedule/sweep"), context)
        while house.parts.parts:
            reconcile_registry(batch_of(encode_part(house.parts.parts.pop(0))), context)

    return sweep
