from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from ecr_steward import bootstrap, entry
from ecr_steward.bootstrap import App
from ecr_steward_fakes import (
    FakeFailureQueue,
    FakeLogins,
    FakeNotices,
    FakeReplicationQueue,
    FakeSecrets,
    FakeSourceQueue,
)
from ecr_steward_fakes.rules import noon, rulebook
from ecr_steward_fakes.worlds import World


@dataclass
class FakeContext:
    """What a handler reads of its Lambda context."""

    function_name: str = "a-function"
    aws_request_id: str = "8a1b2c3d-0000-0000-0000-000000000000"


@dataclass
class House:
    """The fakes that a handler finds behind ``bootstrap``."""

    notices: FakeNotices = field(default_factory=FakeNotices)
    queue: FakeReplicationQueue = field(default_factory=FakeReplicationQueue)
    source: FakeSourceQueue = field(default_factory=FakeSourceQueue)
    failures: FakeFailureQueue = field(default_factory=FakeFailureQueue)


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
            content=world.content,
            notices=house.notices,
            queue=house.queue,
            scans=world.scans,
            logins=FakeLogins(noon),
            secrets=FakeSecrets(noon),
            now=noon,
        )
        monkeypatch.setattr(bootstrap, "app", lambda: app)

    return move_in
