"""What carries plans out in tests: with fakes of all that it asks, and brakes that let everything through."""

from ecr_steward.adapters.memory.clock import noon
from ecr_steward.adapters.memory.messages import InMemoryNotices
from ecr_steward.adapters.memory.state import InMemoryBrakes, InMemoryJournal, InMemorySwitch
from ecr_steward.domain.brake import Brake
from ecr_steward.ports.clock import Clock
from ecr_steward.ports.messages import Notices
from ecr_steward.ports.registry import Registry
from ecr_steward.ports.registry_settings import RegistrySettingsStore
from ecr_steward.ports.stores import ImageContent
from ecr_steward.usecases.applying import Applier
from ecr_steward.usecases.moving import Pace

UNBRAKED = Brake(removals=10_000, share=100)


def applier_of(
    registry: Registry,
    content: ImageContent | None = None,
    notices: Notices | None = None,
    settings: RegistrySettingsStore | None = None,
    *,
    switch: InMemorySwitch | None = None,
    brakes: InMemoryBrakes | None = None,
    journal: InMemoryJournal | None = None,
    now: Clock = noon,
    brake: Brake = UNBRAKED,
) -> Applier:
    """An ``Applier``; what a test gives to it is what it looks at."""
    return Applier(
        registry=registry,
        switch=switch or InMemorySwitch(now),
        brakes=brakes or InMemoryBrakes(now),
        journal=journal or InMemoryJournal(now),
        notices=notices or InMemoryNotices(),
        now=now,
        who="test",
        brake_of=lambda _: brake,
        content=content,
        settings=settings,
        pace=Pace(workers=1, sleep=lambda _: None),
    )
