"""What the replication queue asks for, done at once."""

from collections.abc import Iterable

from ecr_steward.adapters.memory.clock import noon
from ecr_steward.adapters.memory.messages import InMemoryNotices
from ecr_steward.domain.notices import ReplicationRequested
from ecr_steward.domain.rules import Rules
from ecr_steward.usecases.replicate_image import replicate_image
from tests.given.appliers import applier_of
from tests.given.worlds import World


def do_jobs(jobs: Iterable[ReplicationRequested], world: World, rules: Rules) -> None:
    """Replicate what each job is about, with all the time that it takes."""
    for job in jobs:
        replicate_image(
            job.image,
            rules=rules,
            registry=world.registry,
            content=world.content,
            scans=world.scans,
            notices=InMemoryNotices(),
            now=noon,
            applier=applier_of(world.registry, world.content),
            is_deep=job.is_deep,
        )
