"""What is known from one run of a command to the next."""

from dataclasses import dataclass

from ecr_steward.ports.backfills import StartedBackfills
from ecr_steward.ports.brakes import Brakes
from ecr_steward.ports.journal import Journal
from ecr_steward.ports.releases import Releases
from ecr_steward.ports.sightings import Sightings
from ecr_steward.ports.switch import Switch


@dataclass(frozen=True)
class State:
    """Pause, brakes, journal and releases; without sightings nothing expires, and nothing goes that is missed."""

    releases: Releases
    switch: Switch
    brakes: Brakes
    journal: Journal
    sightings: Sightings | None = None
    missed: Sightings | None = None
    started_backfills: StartedBackfills | None = None
