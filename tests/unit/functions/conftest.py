from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from ecr_steward import bootstrap, entry
from ecr_steward.adapters.memory import (
    InMemoryBrakes,
    InMemoryFailureQueue,
    InMemoryHints,
    InMemoryJournal,
    InMemoryLeases,
    InMemoryLogins,
    InMemoryNotices,
    InMemoryOwnTags,
    InMemoryRegistrySettings,
    InMemoryReplicationQueue,
    InMemorySecrets,
    InMemorySeenSettings,
    InMemorySightings,
    InMemorySourceQueue,
    InMemorySweepParts,
    InMemorySweepQueue,
    InMemorySwitch,
    InMemoryWorkloads,
)
from ecr_steward.adapters.memory.clock import noon
from ecr_steward.bootstrap import App
from ecr_steward.domain.deadline import NEVER, Deadline
from ecr_steward.events.sweep_part import encode_part
from ecr_steward.usecases.moving import LAST_SECONDS
from functions.reconcile_registry.app import lambda_handler as reconcile_registry
from tests.given.batches import batch_of
from tests.given.rules import rulebook
from tests.given.worlds import World


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

    notices: InMemoryNotices = field(default_factory=InMemoryNotices)
    queue: InMemoryReplicationQueue = field(default_factory=InMemoryReplicationQueue)
    parts: InMemorySweepQueue = field(default_factory=InMemorySweepQueue)
    under_way: InMemorySweepParts = field(default_factory=InMemorySweepParts)
    switch: InMemorySwitch = field(default_factory=InMemorySwitch)
    brakes: InMemoryBrakes = field(default_factory=InMemoryBrakes)
    journal: InMemoryJournal = field(default_factory=InMemoryJournal)
    source: InMemorySourceQueue = field(default_factory=InMemorySourceQueue)
    failures: InMemoryFailureQueue = field(default_factory=InMemoryFailureQueue)
    sightings: InMemorySightings = field(default_factory=InMemorySightings)
    workloads: InMemoryWorkloads = field(default_factory=InMemoryWorkloads)


@pytest.fixture
def context() -> FakeContext:
    return FakeContext()


@pytest.fixture(autouse=True)
def _powertools(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """What every function has; what is made of it lives as long as the process, whichever test is the first."""
    # Loggers write to the stdout that was there first: each test has one of its own.
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", request.node.name)
    entry._logger.cache_clear()
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "Test")


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    house = House()
    monkeypatch.setattr(bootstrap, "failure_queue", lambda: house.failures)
    monkeypatch.setattr(bootstrap, "replication_queue", lambda: house.queue)
    monkeypatch.setattr(bootstrap, "source_queue", lambda: house.source)
    monkeypatch.setattr(bootstrap, "sweep_parts", lambda: house.under_way)
    return house


@pytest.fixture
def move_in(house: House, monkeypatch: pytest.MonkeyPatch) -> Callable[[World], None]:
    """Let handlers find a world behind ``bootstrap.app``."""

    def move_in(world: World, **changes: Any) -> None:
        app = App(
            rules=rulebook(**changes),
            registry=world.registry,
            registry_settings=InMemoryRegistrySettings(),
            content=world.content,
            notices=house.notices,
            queue=house.queue,
            sweep_queue=house.parts,
            sweep_parts=house.under_way,
            scans=world.scans,
            logins=InMemoryLogins(noon),
            secrets=InMemorySecrets(noon),
            now=noon,
            switch=house.switch,
            brakes=house.brakes,
            journal=house.journal,
            leases=InMemoryLeases(),
            own_tags=InMemoryOwnTags(noon),
            seen_settings=InMemorySeenSettings(noon),
            copied_settings=InMemorySeenSettings(noon),
            hints=InMemoryHints(),
            who="a-function",
            sightings=house.sightings,
            workloads=house.workloads,
        )

        def until(deadline: Deadline = NEVER) -> App:
            content = world.content.for_job(deadline.before(LAST_SECONDS))
            return replace(app, content=content, deadline=deadline)

        monkeypatch.setattr(bootstrap, "app", until)

    return move_in


@pytest.fixture
def sweep(house: House, context: FakeContext, load_event: Callable[[str], Any]) -> Callable[[], None]:
    """Let the schedule of the sweep come due, and its queue deliver the parts until none is left."""

    def sweep() -> None:
        reconcile_registry(load_event("schedule/sweep"), context)
        while house.parts.parts:
            reconcile_registry(batch_of(encode_part(house.parts.parts.pop(0))), context)

    return sweep
